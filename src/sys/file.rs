//! The file calls that scenarios, gates and messages need.

use super::{Answer, Errno};
use core::ffi::CStr;
use sc::syscall;

/// Paths start at the working directory (`include/uapi/linux/fcntl.h`); -100, zero-extended as libc
/// sends it.
pub const AT_FDCWD: u32 = -100_i32 as u32;
/// `faccessat`: is there such a name?
pub const F_OK: u32 = 0;
/// `openat` flag (`include/uapi/asm-generic/fcntl.h`, as the next ones): read and write.
pub const O_RDWR: u32 = 0o2;
/// `openat` flag: make the file.
pub const O_CREAT: u32 = 0o100;
/// `openat` flag: fail if the name exists, even as a dangling link.
pub const O_EXCL: u32 = 0o200;
/// `openat` flag: do not follow a link at the end of the path.
pub const O_NOFOLLOW: u32 = 0o400_000;
/// `openat` flag: gone at the next execve.
pub const O_CLOEXEC: u32 = 0o2_000_000;

/// `openat(2)`, 257: returns the descriptor.
///
/// # Errors
/// EEXIST and all that a file system can answer.
pub fn openat(dfd: u32, filename: &CStr, flags: u32, mode: u32) -> Answer {
    // SAFETY: the kernel reads `filename` up to its NUL, which a CStr has.
    Errno::check(unsafe { syscall!(OPENAT, dfd, filename.as_ptr(), flags, mode) })
}

/// `close(2)`, 3: gives a descriptor back, even where it answers with an error.
///
/// # Errors
/// EBADF, EINTR, EIO.
pub fn close(fd: u32) -> Answer {
    // SAFETY: the call touches no memory.
    Errno::check(unsafe { syscall!(CLOSE, fd) })
}

/// `unlinkat(2)`, 263: removes a name; with flag 0 never a directory.
///
/// # Errors
/// ENOENT, EISDIR and all that a file system can answer.
pub fn unlinkat(dfd: u32, pathname: &CStr, flag: u32) -> Answer {
    // SAFETY: the kernel reads `pathname` up to its NUL, which a CStr has.
    Errno::check(unsafe { syscall!(UNLINKAT, dfd, pathname.as_ptr(), flag) })
}

/// `faccessat(2)`, 269: answers 0 if the path may be accessed so; follows links.
///
/// # Errors
/// ENOENT and all that a path walk can answer.
pub fn faccessat(dfd: u32, filename: &CStr, mode: u32) -> Answer {
    // SAFETY: the kernel reads `filename` up to its NUL, which a CStr has.
    Errno::check(unsafe { syscall!(FACCESSAT, dfd, filename.as_ptr(), mode) })
}

/// `write(2)`, 1: returns the number of bytes taken, which can be fewer than all.
///
/// # Errors
/// EAGAIN, EBADF, EINTR, EPIPE and all that a file can answer.
pub fn write(fd: u32, buf: &[u8]) -> Answer {
    // SAFETY: the kernel reads `buf.len()` bytes of `buf` and keeps no pointer.
    Errno::check(unsafe { syscall!(WRITE, fd, buf.as_ptr(), buf.len()) })
}
