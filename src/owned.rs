//! What a story holds and gives back on every way out: a context and a descriptor, each released
//! when dropped.
//!
//! A story that goes well gives them back itself, by a call that stands in its text:
//! `io_destroy(ctx.release())`.

use crate::sys::aio_abi::aio_context_t;
use crate::sys::{close, io_destroy};

/// A place for the handle of an AIO context, and the duty to destroy what it holds.
#[derive(Default)]
pub struct Context {
    /// The handle, 0 while there is none. `io_setup` writes it.
    pub id: aio_context_t,
}

impl Context {
    /// Hands over the handle and the duty.
    #[must_use]
    pub const fn release(self) -> aio_context_t {
        let id = self.id;
        core::mem::forget(self);
        id
    }

    /// Hands over the handle and the duty, and keeps the place for another.
    #[must_use]
    pub const fn take(&mut self) -> aio_context_t {
        core::mem::replace(&mut self.id, 0)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        if self.id != 0 {
            // Dropped with a handle means that the story has failed, and that failure is the one to
            // report.
            let _ = io_destroy(self.id);
        }
    }
}

/// An open descriptor, and the duty to close it.
pub struct Fd(usize);

impl Fd {
    /// Takes the duty over for what a call has just opened.
    #[must_use]
    pub const fn new(fd: usize) -> Self {
        Self(fd)
    }

    /// The number.
    #[must_use]
    pub const fn number(&self) -> u32 {
        self.0 as u32
    }

    /// Hands over the number and the duty.
    #[must_use]
    pub const fn release(self) -> u32 {
        let number = self.number();
        core::mem::forget(self);
        number
    }
}

impl Drop for Fd {
    fn drop(&mut self) {
        // As above: the story has failed already.
        let _ = close(self.number());
    }
}
