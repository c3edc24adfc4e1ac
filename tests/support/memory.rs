//! How much memory a program uses at most, to the page: `ru_maxrss` starts from the launcher's figure,
//! and the kernel's counters are not exact; its page tables are.
//!
//! With addresses that are not random: where a stack starts in its page is a matter of chance
//! otherwise, and so is whether it needs another.

use anyhow::{Context, Result, bail, ensure};
use nix::sys::personality::{self, Persona};
use nix::sys::ptrace;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// The most KiB that `program` has resident at the start or the end of one of its system calls.
///
/// # Errors
/// It does not start, or does not exit with 0.
///
/// # Panics
/// Never: nothing in the measuring thread panics.
pub fn peak(program: &Path, args: &[&str]) -> Result<u64> {
    let mut command = Command::new(program);
    command.args(args).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let prepare = || {
        personality::set(Persona::ADDR_NO_RANDOMIZE)?;
        Ok(ptrace::traceme()?)
    };
    // SAFETY: between fork and exec the closure makes two system calls.
    unsafe { command.pre_exec(prepare) };
    // Only the thread that has started a process may trace it.
    thread::scope(|scope| scope.spawn(|| run(&mut command)).join())
        .expect("a measurement does not panic")
        .with_context(|| program.display().to_string())
}

fn run(command: &mut Command) -> Result<u64> {
    let pid = Pid::from_raw(command.spawn()?.id().cast_signed());
    let mut most = 0;
    loop {
        match waitpid(pid, None)? {
            WaitStatus::Stopped(_, signal) => {
                most = most.max(resident(pid)?);
                let passed_on = (signal != Signal::SIGTRAP).then_some(signal);
                ptrace::syscall(pid, passed_on)?;
            }
            WaitStatus::Exited(_, code) => {
                ensure!(code == 0, "ended with {code}");
                return Ok(most);
            }
            other => bail!("ended by {other:?}"),
        }
    }
}

/// The KiB that its page tables have now.
fn resident(pid: Pid) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.context("no Rss in smaps_rollup")?.trim().parse()?)
}
