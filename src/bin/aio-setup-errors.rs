//! The fixture aio-setup-errors: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_setup_errors);
