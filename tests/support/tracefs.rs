//! The kernel's tracing files, which only root can use.

use anyhow::{Context, Result, ensure};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::unistd::Uid;
use std::path::{Path, PathBuf};

/// Fails with advice where a witness is asked for that this user can't have.
///
/// # Errors
/// We are not root.
pub fn rights(witness: &str) -> Result<()> {
    let advice = "run as root, or take strace, which anyone can have";
    ensure!(Uid::effective().is_root(), "{witness} needs root: {advice}");
    Ok(())
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
