//! How much memory a program uses at most, to the page: `ru_maxrss` starts from the launcher's figure,
//! and the kernel's counters are not exact; its page tables are.
//!
//! With addresses that are not random: where a stack starts in its page is a matter of chance
//! otherwise, and so is whether it needs another.

use crate::driver::{Act, End, drive};
use anyhow::{Context, Result, ensure};
use nix::sys::personality::{self, Persona};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// The most KiB that `program` has resident at the start or the end of one of its system calls.
///
/// # Errors
/// It does not start, or does not exit with 0.
pub fn peak(program: &Path, args: &[&str]) -> Result<u64> {
    let mut command = Command::new(program);
    command.args(args).env_clear();
    let fixed = || {
        personality::set(Persona::ADDR_NO_RANDOMIZE)?;
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes one system call.
    unsafe { command.pre_exec(fixed) };
    let mut most = 0;
    let run = drive(command, |stop| {
        // A thread may be gone by now: others have seen as much.
        most = most.max(resident(stop.pid).unwrap_or_default());
        Act::Go
    });
    let end = run.with_context(|| program.display().to_string())?.ends[0];
    let fine = end == Some(End::Exited(0)) && most > 0;
    ensure!(fine, "{}: {end:?}, {most} KiB", program.display());
    Ok(most)
}

/// The KiB that its page tables have now.
fn resident(pid: Pid) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Rss:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.context("no Rss in smaps_rollup")?.trim().parse()?)
}
