//! All that fs.aio-max-nr allows, or all but a little, held by a neighbour. It is the whole
//! machine's, so it is held for moments only, and by one process at a time.

use crate::gated::until;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc;
use std::fs::{self, File};

/// Who has this file locked may hoard.
const LOCK: &str = "/run/lock/ioworkload-aio-max-nr";

/// Contexts that nobody else can make, while they exist.
pub struct Hoard {
    contexts: Vec<(u64, u32)>,
    _lock: Flock<File>,
}

impl Hoard {
    /// Leaves room for less than 32 events, and for none if nobody else makes or destroys contexts
    /// meanwhile.
    fn all() -> Self {
        fs::create_dir_all("/run/lock").expect("a place for locks");
        let lock = File::create(LOCK).expect("a lock");
        let lock = Flock::lock(lock, FlockArg::LockExclusive);
        let mut hoard = Self {
            contexts: Vec::new(),
            _lock: lock.map_err(|(_, errno)| errno).expect("a lock"),
        };
        for nr_events in [16_384, 4_096, 1_024, 256, 64, 32, 8, 1] {
            while hoard.take(nr_events) {}
        }
        hoard
    }

    /// Leaves room for `events`, and for less than 64 more.
    ///
    /// # Panics
    /// If there is no AIO, or no place for the lock.
    #[must_use]
    pub fn all_but(events: u32) -> Self {
        let mut hoard = Self::all();
        let mut free = 0;
        while free < events {
            let (ctx, nr_events) = hoard.contexts.pop().expect("a machine with room");
            destroy(ctx);
            free += nr_events;
        }
        while free > events + 63 && hoard.take(64) {
            free -= 64;
        }
        hoard
    }

    /// Takes another context.
    fn take(&mut self, nr_events: u32) -> bool {
        let mut ctx = 0_u64;
        // SAFETY: the kernel writes eight bytes, `ctx`, before the call returns.
        let answer = unsafe { libc::syscall(libc::SYS_io_setup, nr_events, &raw mut ctx) };
        match Errno::result(answer) {
            Ok(_) => self.contexts.push((ctx, nr_events)),
            Err(errno) => assert_eq!(errno, Errno::EAGAIN),
        }
        answer == 0
    }
}

fn destroy(ctx: u64) {
    // SAFETY: nothing was ever submitted to the context, and nobody else has it.
    unsafe { libc::syscall(libc::SYS_io_destroy, ctx) };
}

impl Drop for Hoard {
    fn drop(&mut self) {
        for (ctx, _) in &self.contexts {
            destroy(*ctx);
        }
    }
}

/// How much of fs.aio-max-nr is in use.
///
/// # Panics
/// If there is no AIO.
#[must_use]
pub fn aio_nr() -> u64 {
    let number = fs::read_to_string("/proc/sys/fs/aio-nr").expect("a kernel with AIO");
    number.trim().parse().expect("a number")
}

/// Waits until no more is in use than `before`: a context is freed some time after its process.
/// Neighbours use some too, for moments.
///
/// # Panics
/// If that takes a minute.
pub fn aio_nr_back_to(before: u64) {
    until(&format!("fs.aio-nr is back to {before}"), || {
        aio_nr() <= before
    });
}
