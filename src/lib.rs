//! Programs that make exactly the syscalls they say: fixtures for tests of syscall tracers.
//!
//! Three layers, and nothing skips one:
//!
//! 1. [`sc`]'s `syscall!`: the instruction.
//! 2. [`sys`]: one typed line per call, `Result<usize, Errno>`, and the kernel's structures.
//! 3. [`scenario`]: a file per scenario that tells its calls in order, with the words of [`story`].
//!
//! Around them: [`program`] makes a program of a function, without a runtime but what [`rt`] has; [`owned`]
//! and [`target`] give back what a scenario holds, on every way out; [`report`] is the one line of
//! a failure, put together in a [`text`]; [`rounds`] are how often a scenario does what it repeats,
//! and [`sleep`] is the pause between two of them. [`cli`], [`gate`], [`expect`] and [`output`] serve
//! the program `ioworkload` alone, and [`init`] the one of that name.
//!
//! Rules for all of it: no allocation, no `core::fmt`, no panic, no writable static. `unsafe` is
//! denied here, and allowed below to the modules whose job it is.

#![no_std]
#![deny(unsafe_code)]

#[cfg(not(all(
    target_arch = "x86_64",
    target_os = "linux",
    target_pointer_width = "64"
)))]
compile_error!("ioworkload is about x86_64 Linux: build --target x86_64-unknown-linux-gnu");

pub mod cli;
pub mod expect;
pub mod gate;
#[allow(unsafe_code, reason = "writes to a port of the machine")]
pub mod init;
pub mod output;
pub mod owned;
pub mod program;
#[allow(unsafe_code, reason = "keeps texts as thin pointers")]
pub mod report;
pub mod rounds;
#[allow(unsafe_code, reason = "reads the stack that the kernel made")]
pub mod rt;
#[allow(unsafe_code, reason = "hands the kernel pointers into its frames")]
pub mod scenario;
pub mod sleep;
pub mod story;
#[allow(unsafe_code, reason = "makes syscalls")]
pub mod sys;
pub mod target;
pub mod text;
