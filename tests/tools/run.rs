//! `make run`: every scenario on this machine, under strace, held against its expected trace. With
//! a name: that scenario's calls, decoded, and then the verdict.

use anyhow::{Result, ensure};
use ioworkload_check::compare::{Verdict, compare};
use ioworkload_check::expected::load;
use ioworkload_tests::{scenarios, shipped, strace};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(std::env::args().nth(1).filter(|name| !name.is_empty())) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("make run: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(only: Option<String>) -> Result<bool> {
    let all = scenarios();
    if let Some(name) = &only {
        ensure!(all.contains(name), "unknown scenario: {name}");
        println!("{}", strace::decoded(&shipped(name), &|_| ())?.join("\n"));
    }
    let names: Vec<_> = only.map_or(all, |name| vec![name]);
    let exact = names.iter().filter(|name| verdict(name)).count();
    Ok(exact == names.len())
}

/// Prints a scenario's line, and whatever differs.
fn verdict(name: &str) -> bool {
    let (line, differences) = match watch(name) {
        Ok((calls, verdict)) => (
            format!("{calls} calls, {} noise", verdict.noise()),
            verdict.differences(),
        ),
        Err(error) => ("not compared".into(), vec![format!("{error:#}")]),
    };
    let word = if differences.is_empty() {
        "ok"
    } else {
        "DIFFERS"
    };
    println!("{name:24} {word:7} {line}");
    for difference in &differences {
        println!("    {difference}");
    }
    differences.is_empty()
}

/// How many calls strace sees, and how they relate to what is expected.
fn watch(name: &str) -> Result<(usize, Verdict)> {
    let expected = load(name)?;
    let seen = strace::witness(&shipped(name), &|_| ())?;
    Ok((seen.calls.len(), compare(&expected, &seen)))
}
