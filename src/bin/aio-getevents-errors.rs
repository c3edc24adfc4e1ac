//! The fixture aio-getevents-errors: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_getevents_errors);
