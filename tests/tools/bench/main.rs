//! `make bench`: what a fixture costs, beside every peer. Writes the figures (data.json), and from them the
//! pictures and the tables of tests/bench/README.md.

mod calls;
mod data;
mod draw;
mod measure;
mod table;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use data::Data;
use ioworkload_tests::peers::VARIANTS;
use ioworkload_tests::room::Room;
use ioworkload_tests::root;
use std::env::{args_os, current_exe};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// Measures what a fixture costs, beside the same calls from other languages.
#[derive(Parser)]
struct Options {
    /// A few starts only: to see that the bench works, not for its figures.
    #[arg(long)]
    quick: bool,
    /// Measure nothing: make pictures and tables from the figures that are there.
    #[arg(long, conflicts_with = "quick")]
    draw: bool,
    /// Only this variant and the assembly; may be given several times.
    #[arg(long, value_parser = VARIANTS.map(|variant| variant.name))]
    variant: Vec<String>,
    /// Where the figures, the pictures, and the README with the tables are.
    #[arg(long, default_value_os_t = root().join("tests/bench"))]
    into: PathBuf,
    /// Measure here and now, and print the figures: what this program asks of itself.
    #[arg(long, hide = true)]
    measure: bool,
}

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
        print!("{}", measure::all(&options.variant, options.quick)?);
        return Ok(());
    }
    let file = options.into.join("data.json");
    if !options.draw {
        fs::write(&file, figures()?)?;
    }
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let data: Data = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
    draw::all(&data, &options.into)?;
    replace(&options.into.join("README.md"), &table::all(&data))
}

/// Has a copy of this program measure, in a /tmp of its own: nobody else's target files are there.
fn figures() -> Result<Vec<u8>> {
    let room = Room::new();
    let mut command = Command::new(current_exe()?);
    command.args(args_os().skip(1)).arg("--measure");
    room.as_tmp(command.stdout(Stdio::piped()));
    let output = command.spawn()?.wait_with_output()?;
    ensure!(output.status.success(), "nothing was measured");
    Ok(output.stdout)
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
    Ok(fs::write(file, format!("{head}{START}{text}{END}{tail}"))?)
}
