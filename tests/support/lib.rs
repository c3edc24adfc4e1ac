//! What the tests and the tools of this package share: the shipped files, private places to run
//! them in, the expected traces, the witnesses, and the comparison of the two.

pub mod attach;
pub mod bare;
pub mod blocks;
pub mod bpftrace;
pub mod coverage;
pub mod cpu;
pub mod driver;
pub mod ftrace;
pub mod gated;
pub mod held;
pub mod hoard;
pub mod loss;
pub mod memory;
pub mod peers;
pub mod perf;
pub mod pointers;
pub mod propose;
pub mod ptrace;
pub mod random;
pub mod room;
pub mod seccomp;
pub mod starter;
pub mod stepper;
pub mod strace;
pub mod traced;
pub mod tracefs;
pub mod trials;
pub mod witnesses;
pub mod writer;

use anyhow::{Result, ensure};
use std::env;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The top of the source tree.
///
/// # Panics
/// Never: this package is not at the top of a file system.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ has a parent")
}

/// The directory of all that is built: as for cargo, CARGO_TARGET_DIR names another.
#[must_use]
pub fn target() -> PathBuf {
    let name = env::var_os("CARGO_TARGET_DIR");
    root().join(name.unwrap_or_else(|| "target".into()))
}

/// The file of a scenario's expected trace.
#[must_use]
pub fn trace_file(scenario: &str) -> PathBuf {
    let traces = root().join("tests/expected");
    traces.join(scenario).with_extension("json")
}

/// A shipped file, as `make` leaves it.
///
/// # Panics
/// If it isn't there.
#[must_use]
pub fn shipped(name: &str) -> PathBuf {
    let path = target().join("fixtures").join(name);
    assert!(
        path.is_file(),
        "{} is missing: run `make`, or the tests by `make test`",
        path.display()
    );
    path
}

/// Runs a command: its exit code, stdout and stderr.
///
/// # Panics
/// If it does not start, or says what is no text.
pub fn said(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Copies the source tree, without what is built and without its history, into a new directory; what
/// an earlier run has left there goes. The times stay, so that cargo builds only what has changed.
///
/// # Panics
/// If that can't be done.
pub fn copy_of_the_sources(to: &Path) {
    if to.exists() {
        fs::remove_dir_all(to).expect("it is ours");
    }
    fs::create_dir_all(to).expect("target/ can be written");
    let files = root().read_dir().expect("the top can be read");
    let files = files.map(|file| file.expect("a file").path());
    let sources = files.filter(|file| !file.ends_with("target") && !file.ends_with(".git"));
    let copied = Command::new("cp")
        .args(["-R", "--preserve=timestamps"])
        .args(sources)
        .arg(to)
        .status();
    // The sources may be read-only.
    let writable = Command::new("chmod").args(["-R", "u+w"]).arg(to).status();
    for status in [copied, writable] {
        let well = status.is_ok_and(|status| status.success());
        assert!(well, "{}", to.display());
    }
}

/// The user and the group that own nothing.
pub const NOBODY: u32 = 65534;

/// The scenarios that the original workload has too.
pub const ORIGINAL: [&str; 5] = [
    "aio-cancel",
    "aio-getevents",
    "aio-setup",
    "aio-setup-einval",
    "aio-submit",
];

/// The names of all scenarios: those that have an expected trace.
///
/// # Panics
/// If the directory can't be read, is empty, or has something else in it.
#[must_use]
pub fn scenarios() -> Vec<String> {
    let files = root().join("tests/expected").read_dir();
    let files = files.expect("tests/expected is there");
    let files = files.map(|file| file.expect("a file"));
    let mut names: Vec<_> = files
        .filter(|file| file.file_name() != "README.md")
        .map(|file| name_of(&file))
        .collect();
    // Whoever asks has a loop over them that would pass.
    assert!(!names.is_empty(), "tests/expected is empty");
    names.sort();
    names
}

/// The scenario that an expected trace is of.
fn name_of(file: &DirEntry) -> String {
    let name = file.file_name().into_string();
    let name = name
        .ok()
        .and_then(|name| Some(name.strip_suffix(".json")?.to_owned()));
    name.unwrap_or_else(|| panic!("{} is no expected trace", file.path().display()))
}

/// Wants so many lines, each of which starts so, and behind a `…` ends so: the rest differs from run
/// to run, as addresses do.
///
/// # Errors
/// The lines, if not.
pub fn start_so(lines: &[String], starts: &[&str]) -> Result<()> {
    let mut pairs = lines.iter().zip(starts);
    let each = pairs.all(|(line, start)| {
        let (start, end) = start.split_once('…').unwrap_or((start, ""));
        line.starts_with(start) && line.ends_with(end)
    });
    ensure!(
        each && lines.len() == starts.len(),
        "wanted {starts:#?}, found {lines:#?}"
    );
    Ok(())
}
