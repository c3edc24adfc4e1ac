//! What stands between the kernel and a program without a runtime: the entry point, the stack it
//! finds, the end, and the symbols that the compiler takes for granted.
//!
//! Only programs may define these symbols (a hosted test has its own), so they come as macros that
//! a program expands.

mod memory;
mod stack;
mod start;

pub use stack::{Stack, tail};
