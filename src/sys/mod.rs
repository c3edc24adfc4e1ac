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
pub mod machine;
mod memory;
mod process;
mod signal;

pub use aio::{
    IO_GETEVENTS, io_cancel, io_destroy, io_getevents, io_pgetevents, io_setup, io_submit,
};
pub use errno::Errno;
pub use file::{
    AT_FDCWD, F_GETFD, F_OK, MFD_CLOEXEC, O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK,
    O_PATH, O_RDWR, Pollfd, STDERR, STDOUT, close, eventfd2, faccessat, fcntl, memfd_create,
    openat, pipe2, ppoll, pwrite64, read, unlinkat, write,
};
pub use memory::{
    MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, MREMAP_FIXED, MREMAP_MAYMOVE, PAGE, PROT_READ,
    PROT_WRITE, guard, mmap, mprotect, mremap, munmap,
};
pub use process::{Timespec, exit_group, fork, getpid, nanosleep, vfork, wait4};
pub use signal::{
    ITIMER_REAL, Itimerval, SA_RESTART, SIG_BLOCK, SIG_SETMASK, SIGALRM, SIGPIPE, SIGSYS, SIGUSR1,
    Sigaction, block_signal, kill, rt_sigaction, rt_sigprocmask, setitimer, sigset,
};

/// What a syscall answers: a value that is no error, or the error.
pub type Answer = Result<usize, Errno>;
