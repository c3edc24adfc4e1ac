//! Layer 2: one typed line per syscall, over `sc`'s macro. Names, arguments and their order are the
//! kernel's.
//!
//! An argument goes to the kernel as the register that a C program would fill: a descriptor is a
//! `u32`, zero-extended, because an `i32` would arrive as `0xffff_ffff_ffff_ff9c` where every
//! tracer expects `0xffff_ff9c`.

mod aio;
pub mod aio_abi;
pub mod errno;
mod file;
mod process;

pub use aio::{io_cancel, io_destroy, io_getevents, io_setup, io_submit};
pub use errno::Errno;
pub use file::{
    AT_FDCWD, F_GETFD, F_OK, O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR, POLLIN, Pollfd, close,
    faccessat, fcntl, openat, ppoll, read, unlinkat, write,
};
pub use process::{SIGPIPE, Timespec, block_signal, exit_group, getpid, nanosleep, sleep};

/// What a syscall answers: a value that is no error, or the error.
pub type Answer = Result<usize, Errno>;
