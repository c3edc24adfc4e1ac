//! The fixture aio-getevents-timeout: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_getevents_timeout);
