//! The kernel's tracing files, which only root can use.

use anyhow::{Context, Result, ensure};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::unistd::Uid;
use std::path::{Path, PathBuf};

/// Sees to it that a witness can use them, whoever's turn it is first on this machine: bpftrace does
/// not mount what nobody has mounted. Where it can't be done, the error says what would help.
///
/// # Errors
/// We are not root, or they can't be mounted.
pub fn ready(witness: &str) -> Result<()> {
    let advice = "run as root, or take strace, which anyone can have";
    ensure!(Uid::effective().is_root(), "{witness} needs root: {advice}");
    root().map(drop).with_context(|| witness.to_owned())
}

/// The directory; mounted, as perf does it too, where it is not yet.
///
/// # Errors
/// It can't be mounted.
pub fn root() -> Result<PathBuf> {
    let root = Path::new("/sys/kernel/tracing");
    if !root.join("events").is_dir() {
        let (source, kind) = (Some("tracefs"), Some("tracefs"));
        match mount(source, root, kind, MsFlags::empty(), None::<&str>) {
            Ok(()) | Err(Errno::EBUSY) => {}
            Err(error) => return Err(error).context("tracefs can't be mounted"),
        }
    }
    Ok(root.into())
}
