//! Where scenarios run: a directory that goes in the end, in a /tmp of our own where that is allowed.

use crate::cli::Run;
use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid};
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::{env, io};
use tempfile::TempDir;

const TMP: &str = "/tmp";

/// The directory of the fixtures and of what the tracer writes. Dropped, it is gone.
pub struct Place(TempDir);

impl Place {
    /// Makes it. No other thread may run yet.
    pub fn new(options: &Run) -> Result<Self> {
        if !options.shared_tmp {
            // Where it is not allowed, scenarios use the machine's.
            let _ = private_tmp(&ways(options));
        }
        let place = tempfile::Builder::new()
            .prefix("ioworkload-check-")
            .tempdir();
        let place = place.context("no place for the fixtures (TMPDIR names one)")?;
        Ok(Self(place))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// What of /tmp has to stay in sight: where we are, the directory for temporary files, and what the
/// command names, as far as it is there.
fn ways(options: &Run) -> BTreeSet<PathBuf> {
    let here = env::current_dir().unwrap_or_default();
    let named = options
        .tracer
        .iter()
        .map(PathBuf::from)
        .chain(options.keep.clone());
    let ours = [env::temp_dir()].into_iter().chain(env::current_exe().ok());
    let all = named.chain([here.clone()]).chain(ours);
    let all = all.map(|path| here.join(path)).filter(|path| path.exists());
    all.filter_map(|path| {
        let first = path.strip_prefix(TMP).ok()?.components().next()?;
        Some(Path::new(TMP).join(first))
    })
    .collect()
}

/// A new /tmp for this process and all that it starts, with those entries of the old one.
fn private_tmp(kept: &BTreeSet<PathBuf>) -> io::Result<()> {
    own_namespace()?;
    let none = None::<&Path>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let open = kept
        .iter()
        .map(File::open)
        .collect::<io::Result<Vec<_>>>()?;
    mount(
        Some("ioworkload-check"),
        TMP,
        Some("tmpfs"),
        MsFlags::empty(),
        Some("mode=1777"),
    )?;
    for (path, old) in kept.iter().zip(open) {
        if old.metadata()?.is_dir() {
            fs::create_dir(path)?;
        } else {
            OpenOptions::new().create_new(true).write(true).open(path)?;
        }
        let old = format!("/proc/self/fd/{}", old.as_raw_fd());
        mount(
            Some(old.as_str()),
            path,
            none,
            MsFlags::MS_BIND | MsFlags::MS_REC,
            none,
        )?;
    }
    // What is open there is of the old one.
    env::set_current_dir(env::current_dir()?)
}

/// A mount namespace of our own; without root by way of a user namespace, in which we stay who we are.
fn own_namespace() -> io::Result<()> {
    let (uid, gid) = (Uid::effective(), Gid::effective());
    if uid.is_root() {
        return Ok(unshare(CloneFlags::CLONE_NEWNS)?);
    }
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))
}
