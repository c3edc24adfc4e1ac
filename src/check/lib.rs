//! Whether a tracer saw exactly the syscalls that a fixture of ioworkload makes: the expected traces,
//! what was seen, and the comparison of the two.

pub mod compare;
pub mod event;
pub mod events;
pub mod expected;
pub mod formats;
pub mod layout;
pub mod strace;
pub mod syscalls;
pub mod trace;
