//! What Debian has and a test needs, fetched once into target/kernels, and never installed.

use anyhow::{Context, Result, ensure};
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory of target/kernels. The first time, `keep` moves into it what it wants out of a directory with
/// the unpacked package, the newest that `meta` depends on whose name begins with `start`. Until all is
/// there, nothing has its name.
///
/// # Errors
/// It can't be fetched.
pub(super) fn fetched(
    name: &str,
    suite: &str,
    [meta, start]: [&str; 2],
    keep: impl FnOnce(&Path, &Path) -> Result<()>,
) -> Result<PathBuf> {
    let kernels = crate::target().join("kernels");
    fs::create_dir_all(&kernels)?;
    let lock = File::create(kernels.join("lock"))?;
    // Two that want the same one take it one after the other.
    let _lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
    let place = kernels.join(name);
    if place.exists() {
        return Ok(place);
    }
    eprintln!("fetching {name} of Debian {suite}");
    let room = tempfile::TempDir::new_in(&kernels)?;
    let whole = room.path().join("whole");
    fs::create_dir(&whole)?;
    let script = crate::root().join("tests/support/bare/fetch.sh");
    let mut fetch = Command::new("sh");
    fetch.arg(script).arg(suite).arg(room.path());
    printed(fetch.args([meta, start]))
        .and_then(|_| keep(&room.path().join("root"), &whole))
        .with_context(|| format!("no {name} of Debian {suite}"))?;
    fs::rename(whole, &place)?;
    Ok(place)
}

/// The file below a directory whose name begins so.
pub(super) fn find_file(directory: &Path, start: &str) -> Result<PathBuf> {
    let mut find = Command::new("find");
    find.arg(directory).args(["-type", "f", "-name"]);
    let found = printed(find.arg(format!("{start}*")).args(["-print", "-quit"]))?;
    let file = found.strip_suffix('\n');
    Ok(file
        .with_context(|| format!("no {start} in {}", directory.display()))?
        .into())
}

/// What a command prints, if it succeeds.
pub(super) fn printed(command: &mut Command) -> Result<String> {
    let output = command.output();
    let output =
        output.with_context(|| format!("{} does not start", command.get_program().display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed:\n{errors}");
    Ok(String::from_utf8(output.stdout)?)
}
