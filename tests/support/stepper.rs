//! The witness that counts: it stops the process behind every instruction, by ptrace.

use anyhow::{Context, Result, ensure};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// How many instructions `program` executes in user mode, from its entry point to its end, all
/// threads and children together; a repeated string instruction counts once per round.
///
/// # Errors
/// It does not start, or does not exit with 0.
///
/// # Panics
/// Never: nothing in the counting thread panics.
pub fn count(program: &Path, args: &[&str], confine: &dyn Fn(&mut Command)) -> Result<u64> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    confine(&mut command);
    // SAFETY: between fork and exec the closure makes one system call. It comes last, so that
    // nothing that `confine` does is counted.
    unsafe { command.pre_exec(|| Ok(ptrace::traceme()?)) };
    // Only the thread that has started a process may trace it, and in a thread of its own nobody
    // else's children are in the way of `wait`.
    thread::scope(|scope| scope.spawn(|| run(&mut command)).join())
        .expect("a count does not panic")
        .with_context(|| program.display().to_string())
}

fn run(command: &mut Command) -> Result<u64> {
    let first = Pid::from_raw(command.spawn()?.id().cast_signed());
    let entry = waitpid(first, None)?;
    ensure!(
        entry == WaitStatus::Stopped(first, Signal::SIGTRAP),
        "{entry:?} instead of the stop behind execve"
    );
    let offspring =
        Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK;
    ptrace::setoptions(first, offspring | Options::PTRACE_O_EXITKILL)?;
    step(first, None)?;
    follow(first)
}

/// Counts the steps of `first` and of all that comes from it, until all have ended.
fn follow(first: Pid) -> Result<u64> {
    let (mut steps, mut end) = (0, None);
    loop {
        match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD)) {
            Ok(WaitStatus::Stopped(pid, Signal::SIGTRAP)) => {
                steps += 1;
                step(pid, None)?;
            }
            // With SIGSTOP a new thread or child begins.
            Ok(WaitStatus::PtraceEvent(pid, ..) | WaitStatus::Stopped(pid, Signal::SIGSTOP)) => {
                step(pid, None)?;
            }
            Ok(WaitStatus::Stopped(pid, signal)) => step(pid, signal)?,
            // Nobody returns from the instruction that ends a thread or a process.
            Ok(WaitStatus::Exited(pid, code)) => {
                steps += 1;
                end = end.or((pid == first).then_some(code));
            }
            Err(Errno::ECHILD) => break,
            other => ensure!(false, "ended by {other:?}"),
        }
    }
    ensure!(end == Some(0), "ended with {end:?}");
    Ok(steps)
}

/// Lets a process or thread execute one instruction. One that another thread has just ended is fine.
fn step(pid: Pid, signal: impl Into<Option<Signal>>) -> Result<()> {
    match ptrace::step(pid, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
