//! The target file: the file at a fixed path that iocbs read and write. Made by the run that uses
//! it, and removed.

use crate::call;
use crate::claim;
use crate::owned::Fd;
use crate::report::{Failure, expect, raw};
use crate::sys::errno::{EEXIST, ENOENT};
use crate::sys::{
    AT_FDCWD, O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR, close, openat, unlinkat,
};
use core::ffi::CStr;

/// Never opens, follows or writes what stood there before: `O_EXCL` fails on any name, `O_NOFOLLOW`
/// says it twice.
const FLAGS: u32 = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

/// How often the open is tried. Each try after the first takes another copy that made its own file
/// in between, so 64 copies that start at once can't run out.
const TRIES: u32 = 64;

/// The target file of a scenario, while it exists. A drop, which only a failure brings about,
/// closes and removes it.
pub struct Target {
    // Dropped in this order.
    fd: Fd,
    name: Name,
}

/// A name in the file system, and the duty to remove it.
struct Name(&'static CStr);

impl Target {
    /// Makes the file: one `openat`; where a name is in the way (a killed run's), `unlinkat` and
    /// another.
    ///
    /// # Errors
    /// What `openat` or `unlinkat` answered: EROFS, EISDIR for a directory in the way, and so on.
    pub fn create(path: &'static CStr) -> Result<Self, Failure> {
        let mut tries = TRIES;
        loop {
            tries -= 1;
            match openat(AT_FDCWD, path, FLAGS, 0o600) {
                Ok(fd) => {
                    return Ok(Self {
                        fd: Fd::new(fd),
                        name: Name(path),
                    });
                }
                Err(EEXIST) if tries > 0 => clear(path)?,
                Err(errno) => {
                    return Err(Failure {
                        claim: claim!("t", "openat: ", ""),
                        got: -errno,
                    });
                }
            }
        }
    }

    /// The descriptor.
    #[must_use]
    pub const fn fd(&self) -> u32 {
        self.fd.number()
    }

    /// Ends the file: `close`, then `unlinkat`, whatever `close` has answered.
    ///
    /// # Errors
    /// What `close` answered, or else `unlinkat`.
    pub fn remove(self) -> Result<(), Failure> {
        let Self { fd, name } = self;
        call!(close(fd.release()) = 0);
        let path = name.0;
        core::mem::forget(name);
        unlink(path)
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        // The story has failed already, and that failure is the one to report.
        let _ = clear(self.0);
    }
}

/// [`unlink`] off the scenario's way: after a failure, and for what another run has left.
#[cold]
#[inline(never)]
fn clear(path: &CStr) -> Result<(), Failure> {
    unlink(path)
}

/// Removes a name. One that is gone is fine: another copy has removed it to make its own.
#[inline(always)]
fn unlink(path: &CStr) -> Result<(), Failure> {
    let got = raw(unlinkat(AT_FDCWD, path, 0));
    let gone = got == 0 || got == -ENOENT;
    expect(claim!("u", "unlinkat: ", "0"), got, gone).map(drop)
}
