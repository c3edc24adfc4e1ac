//! A program under ptrace from its first instruction on, with all that comes from it: what those
//! who follow one share.

use anyhow::{Result, bail};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;

/// Has the process that `command` will be ask to be traced. This comes last, so that nothing else
/// that prepares the process is seen.
pub fn prepare(command: &mut Command) {
    // SAFETY: between fork and exec the closure makes one system call.
    unsafe { command.pre_exec(|| Ok(ptrace::traceme()?)) };
}

/// Does this in a thread of its own: only the thread that has started a process may trace it, and
/// there nobody else's children are in the way of `wait`.
///
/// # Panics
/// If `work` does.
pub fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join()).expect("who follows does not panic")
}

/// Waits until `first`, just started, stands after its execve. From here on its threads and
/// children are traced too, and nobody outlives us. It has not run on yet.
///
/// # Errors
/// It is not where it should be; then it is killed.
pub fn after_execve(first: Pid, more: Options) -> Result<()> {
    let entry = waitpid(first, None)?;
    if entry != WaitStatus::Stopped(first, Signal::SIGTRAP) {
        // The number of one that has ended may be somebody else's by now.
        if matches!(entry, WaitStatus::Stopped(..)) {
            kill(first, Signal::SIGKILL)?;
            waitpid(first, None)?;
        }
        bail!("{entry:?} instead of the stop after execve");
    }
    let offspring =
        Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_TRACEFORK | Options::PTRACE_O_TRACEVFORK;
    Ok(ptrace::setoptions(
        first,
        offspring | Options::PTRACE_O_EXITKILL | more,
    )?)
}

/// What happens next to any of them; `None`: all have ended.
///
/// # Errors
/// The kernel's.
pub fn next() -> Result<Option<WaitStatus>> {
    match waitpid(None, Some(WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD)) {
        Err(Errno::ECHILD) => Ok(None),
        status => Ok(Some(status?)),
    }
}

/// The answer to a request about one that may have been killed meanwhile, by another thread of it or
/// by us: that is fine.
///
/// # Errors
/// Any other.
pub fn unless_gone(answer: nix::Result<()>) -> Result<()> {
    match answer {
        Err(Errno::ESRCH) => Ok(()),
        answer => Ok(answer?),
    }
}
