//! The fixture aio-destroy-errors: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_destroy_errors);
