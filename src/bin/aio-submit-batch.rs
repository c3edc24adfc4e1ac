//! The fixture aio-submit-batch: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_submit_batch);
