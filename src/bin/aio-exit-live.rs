//! The fixture aio-exit-live: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_exit_live);
