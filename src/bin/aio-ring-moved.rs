//! The fixture aio-ring-moved: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_ring_moved);
