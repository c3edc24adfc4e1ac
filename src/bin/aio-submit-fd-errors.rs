//! The fixture aio-submit-fd-errors: the scenario of that name, and nothing else.
#![no_std]
#![no_main]

ioworkload::fixture!(aio_submit_fd_errors);
