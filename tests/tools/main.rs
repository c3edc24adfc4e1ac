//! The tools after make's targets: a subcommand for each. Exit code 1: something differs, or it could
//! not be done; 2: an argument is wrong.

mod bare;
mod loss;
mod record;
mod trace;

use anyhow::Result;
use clap::Parser;
use ioworkload_tests::{blocks, coverage, root};
use std::fs;
use std::process::ExitCode;

#[derive(Parser)]
enum Tool {
    /// Show what a witness sees of a scenario next to what is expected.
    Trace(trace::Args),
    /// Propose an expected trace of a scenario, and show in what it differs from the file.
    Record(record::Args),
    /// Count what a tracer loses of a burst of numbered calls.
    Loss(loss::Args),
    /// Write the tables of what the scenarios cover into tests/README.md.
    Coverage,
    /// Print every `unsafe` of the source with its reason.
    Unsafe,
    #[command(flatten)]
    Bare(bare::Command),
}

fn main() -> ExitCode {
    let done = match Tool::parse() {
        Tool::Trace(args) => trace::run(&args),
        Tool::Record(args) => record::run(&args.scenario),
        Tool::Loss(args) => loss::run(&args),
        Tool::Coverage => write_coverage(),
        Tool::Unsafe => list_unsafe(),
        Tool::Bare(command) => bare::run(command),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write_coverage() -> Result<bool> {
    let path = root().join("tests/README.md");
    let text = fs::read_to_string(&path)?;
    fs::write(path, coverage::with_tables(&text)?)?;
    Ok(true)
}

fn list_unsafe() -> Result<bool> {
    let blocks = blocks::all()?;
    for block in &blocks {
        println!("{block}");
    }
    println!("{} in all", blocks.len());
    Ok(true)
}
