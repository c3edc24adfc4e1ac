//! Layer 3: the catalogue. One row per scenario; each is told in the file of that name.

use crate::story::Scenario;

macro_rules! catalogue {
    ($($story:ident)+) => {
        $(
            pub mod $story;
        )+

        /// Every scenario, sorted by name.
        pub const ALL: &[Scenario] = &[$($story::SCENARIO),+];
    };
}

catalogue! {
    aio_burst
    aio_cancel
    aio_cancel_errors
    aio_cancel_pending
    aio_cold
    aio_destroy_errors
    aio_destroy_pending
    aio_devices
    aio_epipe
    aio_eventfd
    aio_exit_live
    aio_fork
    aio_fsync
    aio_getevents
    aio_getevents_eintr
    aio_getevents_errors
    aio_getevents_ring
    aio_getevents_steps
    aio_getevents_timeout
    aio_pgetevents
    aio_pgetevents_eintr
    aio_pgetevents_errors
    aio_pipe
    aio_poll
    aio_read_write
    aio_ring_moved
    aio_rw_flags
    aio_sentinels
    aio_setup
    aio_setup_einval
    aio_setup_errors
    aio_setup_many
    aio_submit
    aio_submit_batch
    aio_submit_errors
    aio_submit_fd_errors
    aio_submit_full
    aio_submit_iocb_errors
    aio_submit_odd
    aio_submit_partial
}

/// The scenario of that name.
#[must_use]
pub fn find(name: &[u8]) -> Option<&'static Scenario> {
    ALL.iter().find(|scenario| scenario.name.as_bytes() == name)
}

/// Makes a program, a fixture, of the scenario in this file.
#[macro_export]
macro_rules! fixture {
    ($story:ident) => {
        $crate::program!(main);

        #[inline(always)]
        fn main(_: $crate::rt::Stack) -> u8 {
            $crate::scenario::$story::fixture()
        }
    };
}
