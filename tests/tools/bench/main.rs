//! `make bench`: what a fixture costs, beside every peer. Writes the figures (data.json), the pictures
//! made from them, and the table in the README.
#![allow(clippy::cast_precision_loss, reason = "no figure here has 53 bits")]

mod calls;
mod charts;
mod data;
mod machine;
mod progress;
mod race;
mod stages;
mod table;
mod tracers;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use data::Data;
use ioworkload_tests::peers::{self, LIMIT, SCENARIOS, VARIANTS};
use ioworkload_tests::room::Room;
use ioworkload_tests::root;
use stages::Effort;
use std::env::{args_os, current_exe};
use std::fs;
use std::io::stdout;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Measures what a fixture costs, beside the same calls from other languages.
#[derive(Parser)]
struct Options {
    /// A few starts only: to see that the bench works, not for its figures.
    #[arg(long)]
    quick: bool,
    /// Measure nothing: make pictures and table from the figures that are there.
    #[arg(long, conflicts_with = "quick")]
    draw: bool,
    /// Only this variant and the assembly; may be given several times.
    #[arg(long, value_parser = VARIANTS.map(|variant| variant.name))]
    variant: Vec<String>,
    /// Where the figures and the pictures are.
    #[arg(long, default_value_os_t = root().join("tests/bench"))]
    into: PathBuf,
    /// Measure here and now, and print the figures: what this program asks of itself.
    #[arg(long, hide = true)]
    measure: bool,
    /// The file with the table.
    #[arg(long, default_value_os_t = root().join("tests/bench/README.md"))]
    readme: PathBuf,
}

const FULL: Effort = Effort {
    quick: 1000,
    slow: 200,
    traced: 50,
    bursts: 15,
    tracers: 3,
    points: 15,
    rounds: 1_000_000,
    copies: 64,
};

const QUICK: Effort = Effort {
    quick: 5,
    slow: 2,
    traced: 2,
    bursts: 1,
    tracers: 1,
    points: 1,
    rounds: 100,
    copies: 4,
};

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("make bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    if options.measure {
        return Ok(serde_json::to_writer_pretty(stdout(), &measure(options)?)?);
    }
    let file = options.into.join("data.json");
    if !options.draw {
        let figures = figures()?;
        fs::create_dir_all(&options.into)?;
        fs::write(&file, figures)?;
    }
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let data: Data = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    charts::draw(&data, &options.into)?;
    replace(&options.readme, &table::tables(&data))
}

/// Has a copy of this program measure, in a /tmp of its own: nobody else's target files are there.
fn figures() -> Result<Vec<u8>> {
    let room = Room::new();
    let mut command = Command::new(current_exe()?);
    command.args(args_os().skip(1)).arg("--measure");
    room.as_tmp(command.stdout(Stdio::piped()));
    let mut output = command.spawn()?.wait_with_output()?;
    ensure!(output.status.success(), "nothing was measured");
    output.stdout.push(b'\n');
    Ok(output.stdout)
}

fn measure(options: &Options) -> Result<Data> {
    let named =
        |name: &&str| options.variant.is_empty() || options.variant.iter().any(|v| v == name);
    let names = VARIANTS.iter().map(|variant| variant.name);
    let variants: Vec<_> = names.filter(|name| *name == LIMIT || named(name)).collect();
    let effort = if options.quick { &QUICK } else { &FULL };
    peers::build(&variants)?;
    let mut rows = Vec::new();
    for scenario in SCENARIOS {
        rows.extend(stages::rows(&variants, scenario, effort)?);
    }
    Ok(Data {
        machine: machine::describe(&variants)?,
        rows,
        burst: stages::burst(variants.contains(&"go"), effort)?,
        tracers: stages::tracers(effort)?,
        repeat: stages::repeat(effort)?,
        copies: stages::copies(effort)?,
    })
}

const START: &str = "<!-- Written by make bench, from here -->\n";
const END: &str = "<!-- to here. -->\n";

/// Puts the text between the two marks of a file.
fn replace(file: &Path, text: &str) -> Result<()> {
    let old = fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let parts = old.split_once(START);
    let parts = parts.and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) =
        parts.with_context(|| format!("{}: no place for the table", file.display()))?;
    ensure!(!tail.contains(START), "{}: two places", file.display());
    fs::write(file, format!("{head}{START}{text}{END}{tail}"))?;
    Ok(())
}
