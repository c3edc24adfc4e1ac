//! Which calls a program makes that its scenario does not need: strace has the answer, whatever a
//! program starts.

use anyhow::{Context, Result, ensure};
use ioworkload_check::expected::load;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::NamedTempFile;

/// What every program does, alone: the floor. It is no scenario.
pub const EXIT: &str = "exit";

/// What some runs have shown.
pub struct Calls {
    /// Calls beyond the scenario's, fewest and most.
    pub noise: (usize, usize),
    /// Threads and processes beside the first, at most.
    pub threads: usize,
    /// Different sequences.
    pub sequences: usize,
}

/// Watches `runs` runs of a program.
pub fn watch(program: &Path, scenario: &str, runs: usize) -> Result<Calls> {
    let (mut noise, mut threads) = (BTreeSet::new(), 0);
    let mut sequences = HashSet::new();
    for _ in 0..runs {
        let (calls, processes) = trace(program)?;
        noise.insert(superfluous(&calls, scenario)?);
        threads = threads.max(processes - 1);
        sequences.insert(calls);
    }
    let (fewest, most) = noise.first().zip(noise.last()).context("no run")?;
    Ok(Calls {
        noise: (*fewest, *most),
        threads,
        sequences: sequences.len(),
    })
}

/// How many calls there are beyond those of the scenario, which must be there.
fn superfluous(calls: &[String], scenario: &str) -> Result<usize> {
    let mut needed = HashMap::from([("exit_group".to_owned(), 1)]);
    if scenario != EXIT {
        needed.clear();
        for call in load(scenario)?.each() {
            *needed.entry(call.name.clone()).or_default() += 1;
        }
    }
    for (name, count) in &needed {
        let made = calls.iter().filter(|call| *call == name).count();
        ensure!(made >= *count, "{made} calls of {name}, {count} expected");
    }
    Ok(calls.len() - needed.values().sum::<usize>())
}

/// The names of the calls of all threads, in the order in which they began, from the return of
/// execve on; and how many threads and processes there were.
fn trace(program: &Path) -> Result<(Vec<String>, usize)> {
    let file = NamedTempFile::new()?;
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o"]).arg(file.path()).arg("--");
    strace.arg(program).env_clear().stdout(Stdio::null());
    let status = strace.status().context("strace does not start")?;
    ensure!(status.success(), "{}: {status}", program.display());
    let text = fs::read_to_string(file.path())?;
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    let (processes, lines): (HashSet<_>, Vec<_>) = lines.unzip();
    let calls = lines.iter().skip(1).filter_map(|line| name(line));
    Ok((calls.collect(), processes.len()))
}

/// The call that a line is the beginning of: not `<... futex resumed>`, not `--- SIGURG …`.
fn name(line: &str) -> Option<String> {
    let (name, _) = line.trim_start().split_once('(')?;
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.chars().all(is_name).then(|| name.into())
}
