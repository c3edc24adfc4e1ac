//! The fixture aio-submit-full: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_submit_full);
