//! `make run`: every scenario on this machine, under strace, held against its expected trace. With
//! a name: that scenario's calls, decoded, and then the verdict.

use anyhow::{Result, ensure};
use ioworkload_tests::compare::compare;
use ioworkload_tests::expected::load;
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
    ensure!(!all.is_empty(), "tests/expected is empty");
    if let Some(name) = &only {
        ensure!(
            all.contains(name),
            "unknown scenario: {name} (there are: {})",
            all.join(", ")
        );
        strace::decoded(&shipped(name), &|_| ())?
            .iter()
            .for_each(|line| println!("{line}"));
    }
    let names: Vec<_> = only.map_or(all, |name| vec![name]);
    let mut exact = true;
    for name in names {
        exact &= verdict(&name)?;
    }
    Ok(exact)
}

/// Prints a scenario's line, and whatever differs.
fn verdict(name: &str) -> Result<bool> {
    let expected = load(name)?;
    let verdict = compare(&expected, &strace::witness(&shipped(name), &|_| ())?);
    let word = if verdict.exact() { "ok" } else { "DIFFERS" };
    println!(
        "{name:18} {word:7} {} calls, {} noise",
        expected.calls.len(),
        verdict.noise
    );
    for difference in &verdict.differences {
        println!("    {difference}");
    }
    Ok(verdict.exact())
}
