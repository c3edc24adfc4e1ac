//! The processors that we may use.

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

/// The first of them, alone.
///
/// # Errors
/// The kernel does not say.
pub fn first() -> Result<CpuSet> {
    let ours = sched_getaffinity(Pid::from_raw(0))?;
    let mut cpus = (0..CpuSet::count()).filter(|cpu| ours.is_set(*cpu) == Ok(true));
    let mut first = CpuSet::new();
    first.set(cpus.next().context("no CPU")?)?;
    Ok(first)
}
