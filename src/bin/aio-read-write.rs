//! The fixture aio-read-write: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_read_write);
