//! The file calls that scenarios, gates and messages need.

use super::{Answer, Errno, Timespec};
use core::ffi::CStr;
use core::mem::{offset_of, size_of};
use sc::syscall;

/// The descriptor for what a program has to say.
pub const STDOUT: u32 = 1;
/// The descriptor for what has gone wrong.
pub const STDERR: u32 = 2;

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
/// `openat` flag, also of `pipe2` and `eventfd2`: answer EAGAIN instead of waiting.
pub const O_NONBLOCK: u32 = 0o4000;
/// `openat` flag: do not follow a link at the end of the path.
pub const O_NOFOLLOW: u32 = 0o400_000;
/// `openat` flag: gone at the next execve.
pub const O_CLOEXEC: u32 = 0o2_000_000;
/// `openat` flag: a descriptor of the name alone, which neither reads nor writes.
pub const O_PATH: u32 = 0o10_000_000;

/// `memfd_create` flag (`include/uapi/linux/memfd.h`): gone at the next execve.
pub const MFD_CLOEXEC: u32 = 0x1;

/// `fcntl` command (`include/uapi/asm-generic/fcntl.h`): the descriptor's flags.
pub const F_GETFD: u32 = 1;

/// The kernel's `struct pollfd` (`include/uapi/asm-generic/poll.h`), 8 bytes.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct Pollfd {
    /// The descriptor to watch.
    pub fd: u32,
    /// What to watch for.
    pub events: i16,
    /// What there is; the kernel writes it.
    pub revents: i16,
}

const _: () = {
    assert!(size_of::<Pollfd>() == 8);
    assert!(offset_of!(Pollfd, fd) == 0);
    assert!(offset_of!(Pollfd, events) == 4);
    assert!(offset_of!(Pollfd, revents) == 6);
};

/// `openat(2)`, 257: returns the descriptor.
///
/// # Errors
/// EEXIST and all that a file system can answer.
pub fn openat(dfd: u32, filename: &CStr, flags: u32, mode: u32) -> Answer {
    // SAFETY: the kernel reads `filename` up to its NUL, which a CStr has.
    Errno::check(unsafe { syscall!(OPENAT, dfd, filename.as_ptr(), flags, mode) })
}

/// `memfd_create(2)`, 319: makes a file in memory that has no path, and returns its descriptor;
/// `uname` is what /proc shows.
///
/// # Errors
/// EMFILE, ENFILE, ENOMEM; EACCES where `vm.memfd_noexec` is 2.
pub fn memfd_create(uname: &CStr, flags: u32) -> Answer {
    // SAFETY: the kernel reads `uname` up to its NUL, which a CStr has.
    Errno::check(unsafe { syscall!(MEMFD_CREATE, uname.as_ptr(), flags) })
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

/// `pwrite64(2)`, 18: writes at `pos`, and returns the number of bytes taken.
///
/// # Errors
/// EBADF, EFBIG, ENOSPC and all that a file can answer.
pub fn pwrite64(fd: u32, buf: &[u8], pos: u64) -> Answer {
    // SAFETY: the kernel reads `buf.len()` bytes of `buf` and keeps no pointer.
    Errno::check(unsafe { syscall!(PWRITE64, fd, buf.as_ptr(), buf.len(), pos) })
}

/// `pipe2(2)`, 293: makes a pipe, and writes the descriptors of its reading and its writing end to
/// `fildes`.
///
/// # Errors
/// EINVAL, EMFILE, ENFILE.
pub fn pipe2(fildes: &mut [u32; 2], flags: u32) -> Answer {
    let fildes: *mut [u32; 2] = fildes;
    // SAFETY: the kernel writes eight bytes, `fildes`, before it returns.
    Errno::check(unsafe { syscall!(PIPE2, fildes, flags) })
}

/// `eventfd2(2)`, 290: makes a counter that starts at `count`, and returns its descriptor.
///
/// # Errors
/// EINVAL, EMFILE, ENFILE, ENOMEM.
pub fn eventfd2(count: u32, flags: u32) -> Answer {
    // SAFETY: the call touches no memory.
    Errno::check(unsafe { syscall!(EVENTFD2, count, flags) })
}

/// `write(2)`, 1: returns the number of bytes taken, which can be fewer than all.
///
/// # Errors
/// EAGAIN, EBADF, EINTR, EPIPE and all that a file can answer.
pub fn write(fd: u32, buf: &[u8]) -> Answer {
    // SAFETY: the kernel reads `buf.len()` bytes of `buf` and keeps no pointer.
    Errno::check(unsafe { syscall!(WRITE, fd, buf.as_ptr(), buf.len()) })
}

/// `read(2)`, 0: reads at most as many bytes as `buf` has and returns their number; 0 is
/// end-of-file.
///
/// # Errors
/// EAGAIN, EBADF, EINTR, EISDIR and all that a file can answer.
pub fn read(fd: u32, buf: &mut [u8]) -> Answer {
    // SAFETY: the kernel writes at most `buf.len()` bytes to `buf` and keeps no pointer.
    Errno::check(unsafe { syscall!(READ, fd, buf.as_mut_ptr(), buf.len()) })
}

/// `fcntl(2)`, 72, with a command that takes no argument.
///
/// # Errors
/// EBADF: the descriptor is not open.
pub fn fcntl(fd: u32, cmd: u32) -> Answer {
    // SAFETY: the call touches no memory; 0 is for tracers that show the third register.
    Errno::check(unsafe { syscall!(FCNTL, fd, cmd, 0) })
}

/// `ppoll(2)`, 271, of one descriptor, with the signal mask as it is: returns 1 when something of
/// `fds.events` is there, 0 after the time `tsp`, and leaves in `tsp` what remains of it.
///
/// # Errors
/// EINTR, EINVAL, ENOMEM.
pub fn ppoll(fds: &mut Pollfd, tsp: &mut Timespec) -> Answer {
    let (fds, tsp): (*mut Pollfd, *mut Timespec) = (fds, tsp);
    // SAFETY: the kernel reads and writes `fds` and `tsp` before it returns; it reads no mask at
    // address 0.
    Errno::check(unsafe { syscall!(PPOLL, fds, 1, tsp, 0, 0) })
}
