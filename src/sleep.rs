//! Sleeping for the whole of a time, whatever signals come.

use crate::sys::errno::EINTR;
use crate::sys::{Timespec, nanosleep};

/// Sleeps for `time`, and goes on after a signal that was handled: one `nanosleep` or more.
pub fn sleep(time: &mut Timespec) {
    while nanosleep(time) == Err(EINTR) {}
}
