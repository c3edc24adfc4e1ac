//! How much memory a program uses at most, to the page: `ru_maxrss` starts from the launcher's figure,
//! and the kernel's counters are not exact; its page tables are.
//!
//! With addresses that are not random: where a stack starts in its page is a matter of chance
//! otherwise, and so is whether it needs another.

use crate::traced;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::personality::{self, Persona};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The most KiB that `program` has resident at the start or the end of one of its system calls.
///
/// # Errors
/// It does not start, or does not exit with 0.
pub fn peak(program: &Path, args: &[&str]) -> Result<u64> {
    measure(program, args, ptrace::syscall)
}

/// The KiB that `program` has resident at its end: the peak of one that gives nothing back, and
/// quickly found however many calls it makes.
///
/// # Errors
/// As above.
pub fn at_end(program: &Path, args: &[&str]) -> Result<u64> {
    measure(program, args, ptrace::cont)
}

/// Lets a stopped process go on, to the next stop.
type Resume = fn(Pid, Option<Signal>) -> nix::Result<()>;

fn measure(program: &Path, args: &[&str], resume: Resume) -> Result<u64> {
    let mut command = Command::new(program);
    command.args(args).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let fixed = || {
        personality::set(Persona::ADDR_NO_RANDOMIZE)?;
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes one system call.
    unsafe { command.pre_exec(fixed) };
    traced::prepare(&mut command);
    traced::alone(|| run(&mut command, resume)).with_context(|| program.display().to_string())
}

fn run(command: &mut Command, resume: Resume) -> Result<u64> {
    let pid = Pid::from_raw(command.spawn()?.id().cast_signed());
    waitpid(pid, None)?;
    ptrace::setoptions(pid, Options::PTRACE_O_TRACEEXIT)?;
    let mut most = resident(pid)?;
    resume(pid, None)?;
    loop {
        match waitpid(pid, None)? {
            WaitStatus::Stopped(_, signal) => {
                most = most.max(resident(pid)?);
                let passed_on = (signal != Signal::SIGTRAP).then_some(signal);
                resume(pid, passed_on)?;
            }
            WaitStatus::PtraceEvent(..) => {
                most = most.max(resident(pid)?);
                ptrace::cont(pid, None)?;
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
