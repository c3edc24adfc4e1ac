//! The witness that counts: it stops the process after every instruction, by ptrace.

use crate::traced;
use anyhow::{Context, Result, ensure};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use std::path::Path;
use std::process::{Command, Stdio};

/// How many instructions `program` executes in user mode, from its entry point to its end, all
/// threads and children together; a repeated string instruction counts once per round.
///
/// # Errors
/// It does not start, or does not exit with 0.
pub fn count(program: &Path, args: &[&str], confine: &dyn Fn(&mut Command)) -> Result<u64> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    confine(&mut command);
    traced::prepare(&mut command);
    traced::alone(|| run(&mut command)).with_context(|| program.display().to_string())
}

fn run(command: &mut Command) -> Result<u64> {
    let first = Pid::from_raw(command.spawn()?.id().cast_signed());
    traced::after_execve(first, Options::empty())?;
    step(first, None)?;
    follow(first)
}

/// Counts the steps of `first` and of all that comes from it, until all have ended.
fn follow(first: Pid) -> Result<u64> {
    let (mut steps, mut end) = (0, None);
    while let Some(status) = traced::next()? {
        match status {
            WaitStatus::Stopped(pid, Signal::SIGTRAP) => {
                steps += 1;
                step(pid, None)?;
            }
            // With SIGSTOP a new thread or child begins.
            WaitStatus::PtraceEvent(pid, ..) | WaitStatus::Stopped(pid, Signal::SIGSTOP) => {
                step(pid, None)?;
            }
            WaitStatus::Stopped(pid, signal) => step(pid, signal)?,
            // Nobody returns from the instruction that ends a thread or a process.
            WaitStatus::Exited(pid, code) => {
                steps += 1;
                end = end.or((pid == first).then_some(code));
            }
            other => ensure!(false, "ended by {other:?}"),
        }
    }
    ensure!(end == Some(0), "ended with {end:?}");
    Ok(steps)
}

/// Lets a process or thread execute one instruction.
fn step(pid: Pid, signal: impl Into<Option<Signal>>) -> Result<()> {
    traced::unless_gone(ptrace::step(pid, signal))
}
