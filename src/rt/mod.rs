//! What a program without a runtime needs: the stack that it finds, and the symbols that the compiler
//! takes for granted. Only programs may define these (a hosted test has its own), so they come as a
//! macro.

mod memory;
mod stack;

pub use stack::{Stack, tail};
