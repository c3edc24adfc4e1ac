//! A flag that is raised whatever happens: who waits for it never waits for ever.

use std::sync::atomic::{AtomicBool, Ordering};

/// Raises the flag when it is dropped: at the end, at an error, and when a panic passes by.
pub struct Raised<'a>(pub &'a AtomicBool);

impl Drop for Raised<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}
