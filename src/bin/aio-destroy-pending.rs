//! The fixture aio-destroy-pending: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_destroy_pending);
