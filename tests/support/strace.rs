//! The witness strace: it stops the process at each call, by ptrace.

use crate::gated::one_blank;
use crate::room::rooms;
use anyhow::{Context, Result, ensure};
use ioworkload_check::strace::{Texts, family, read};
use ioworkload_check::trace::Seen;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The calls of `program` with raw arguments.
///
/// # Errors
/// strace failed, or a line is not understood.
pub fn witness(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    let (first, texts) = texts(program, &["-n", "-e", "raw=all"], confine)?;
    family(first, &texts)
}

/// The calls of `program` as strace decodes them, the end last; one blank on either side of each
/// `=`. Behind an empty line, those of each child.
///
/// # Errors
/// strace failed.
pub fn decoded(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Vec<String>> {
    let (first, mut texts) = texts(program, &[], confine)?;
    let mut all = texts.remove(&first).unwrap_or_default();
    for child in texts.into_values() {
        all.push(String::new());
        all.extend(child);
    }
    Ok(all.iter().map(|line| one_blank(line)).collect())
}

/// What strace writes of each process, from the return of execve on. What the program itself says
/// on stderr goes to ours.
fn texts(program: &Path, options: &[&str], confine: &dyn Fn(&mut Command)) -> Result<(i64, Texts)> {
    let directory = TempDir::new_in(rooms())?;
    let mut strace = Command::new("strace");
    strace
        .args(["-ff", "-s", "4096", "-o"])
        .arg(directory.path().join("of"))
        .args(options);
    strace.arg("--").arg(program).stdout(Stdio::null());
    confine(&mut strace);
    strace.status().context("strace does not start")?;
    let mut texts = read(directory.path())?;
    let execve = |lines: &Vec<String>| lines.first().is_some_and(|line| line.contains("execve("));
    let first = texts.iter().find(|(_, lines)| execve(lines));
    let first = *first.context("strace has seen no execve")?.0;
    let line = texts.entry(first).or_default().remove(0);
    ensure!(line.ends_with("= 0"), "{line}");
    Ok((first, texts))
}
