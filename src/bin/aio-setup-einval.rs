//! The fixture aio-setup-einval: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_setup_einval);
