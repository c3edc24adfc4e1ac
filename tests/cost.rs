//! What does a fixture cost beyond the calls that it is there for? The figures that no machine's mood
//! changes.

use anyhow::{Result, ensure};
use ioworkload_tests::expected::load;
use ioworkload_tests::room::Room;
use ioworkload_tests::{root, scenarios, shipped, stepper};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let mut trials = controls();
    for name in scenarios().into_iter().filter(|name| few(name)) {
        let title = format!("steps-repeat::{name}");
        trials.push(trial(title, move || steps_repeat(&name)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(title: impl Into<String>, test: impl FnOnce() -> Result<()> + Send + 'static) -> Trial {
    let test = move || test().map_err(|error| Failed::from(format!("{error:#}")));
    Trial::test(title, test)
}

/// To step through 100,000 rounds takes more than a minute, and tells nothing that one does not.
fn few(name: &str) -> bool {
    load(name).expect("an expected trace").least() < 1000
}

/// A fixture executes the same number of instructions in every run.
fn steps_repeat(name: &str) -> Result<()> {
    let room = Room::new();
    let count = || stepper::count(&shipped(name), &[], &|command| room.as_tmp(command));
    let first = count()?;
    println!("{name}: {first} instructions");
    for _ in 1..20 {
        let again = count()?;
        ensure!(again == first, "{first} instructions, and then {again}");
    }
    Ok(())
}

/// The stepper counts what the source says, in a child too, and the same each time.
fn controls() -> Vec<Trial> {
    let rows: [(&str, &[&str], u64); 4] = [
        ("by-hand", &[], 2108),
        ("one-round-more", &["-DROUNDS=1001"], 2110),
        ("one-byte-more", &["-DBYTES=101"], 2109),
        ("a-child", &["-DFORK"], 2 * 2108 + 2),
    ];
    let row = |(title, flags, want)| {
        trial(format!("control::steps::{title}"), move || {
            steps(title, flags, want)
        })
    };
    let mut trials = Vec::from(rows.map(row));
    trials.push(trial("control::steps::ends-otherwise", ends_otherwise));
    trials
}

/// A count of what fails is no figure.
fn ends_otherwise() -> Result<()> {
    let rows = [("-DCODE=3", "ended with Some(3)"), ("-DTRAP", "SIGILL")];
    for (flag, end) in rows {
        let program = assemble("counted", "otherwise", &[flag])?;
        let error = stepper::count(&program, &[], &|_| ()).expect_err("an error");
        ensure!(format!("{error:#}").contains(end), "{flag}: {error:#}");
    }
    Ok(())
}

fn steps(name: &str, flags: &[&str], want: u64) -> Result<()> {
    let program = assemble("counted", name, flags)?;
    for _ in 0..20 {
        let count = stepper::count(&program, &[], &|_| ())?;
        ensure!(count == want, "{count} instructions instead of {want}");
    }
    Ok(())
}

/// Builds tests/programs/SOURCE.S.
fn assemble(source: &str, name: &str, flags: &[&str]) -> Result<PathBuf> {
    let source = root()
        .join("tests/programs")
        .join(source)
        .with_extension("S");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("counted-{name}"));
    let mut cc = Command::new("cc");
    cc.args(["-nostdlib", "-static", "-no-pie", "-o"])
        .arg(&program)
        .args(flags)
        .arg(source);
    ensure!(cc.status()?.success(), "{cc:?} fails");
    Ok(program)
}
