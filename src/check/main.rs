//! ioworkload-check: tells a tracer's author whether the tracer is right.

mod cli;
mod fixtures;
mod run;

use anyhow::{Context, Result, bail};
use clap::Parser;
use cli::{Cli, Command, Judging};
use ioworkload_check::expected::{self, Expected, Kernel};
use ioworkload_check::formats::{Format, read};
use ioworkload_check::judge::{Judge, Verdict};
use ioworkload_check::render::{Case, Outcome, report};
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// All is exact, something differs, it can't be read, or all was skipped.
const EXACT: u8 = 0;
const DIFFERS: u8 = 1;
const UNREADABLE: u8 = 2;
const SKIPPED: u8 = 77;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match obey(cli.command) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("ioworkload-check: {error:#}");
            UNREADABLE.into()
        }
    }
}

fn obey(command: Command) -> Result<u8> {
    match command {
        Command::Compare {
            expected,
            events,
            judging,
        } => compare(&expected, events.as_deref(), &judging),
        Command::Run(options) => run::run(&options),
        Command::List => list(),
        Command::Unpack { directory } => {
            fixtures::unpack(&directory)?;
            Ok(EXACT)
        }
    }
}

fn list() -> Result<u8> {
    let mut out = io::stdout().lock();
    for (name, _) in expected::ALL {
        writeln!(out, "{name}: {}", expected::load(name)?.about).context("standard output")?;
    }
    Ok(EXACT)
}

/// Judges events that a tracer has written.
fn compare(what: &str, events: Option<&Path>, judging: &Judging) -> Result<u8> {
    let expected = trace(what)?;
    let verdict = match events.filter(|path| *path != Path::new("-")) {
        Some(path) => judge_file(&expected, path, judging)?,
        None => judge(&expected, io::stdin().lock(), judging)?,
    };
    let case = Case {
        scenario: expected.scenario.clone(),
        outcome: Outcome::Judged(verdict),
        seconds: 0.0,
    };
    let code = if case.status() == "exact" {
        EXACT
    } else {
        DIFFERS
    };
    print(&[case], judging)?;
    Ok(code)
}

/// The expected trace of a scenario, or of a file.
fn trace(what: &str) -> Result<Expected> {
    if expected::text(what).is_some() {
        return expected::load(what);
    }
    let text = std::fs::read_to_string(what)
        .with_context(|| format!("neither a scenario nor a file: {what}"))?;
    expected::parse(&text, Kernel::here()?).with_context(|| what.to_owned())
}

/// Judges the events of a file.
fn judge_file(expected: &Expected, path: &Path, judging: &Judging) -> Result<Verdict> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    if file.metadata()?.is_dir() {
        bail!("{}: a directory", path.display());
    }
    judge(expected, BufReader::new(file), judging).with_context(|| path.display().to_string())
}

fn judge(expected: &Expected, mut text: impl BufRead, judging: &Judging) -> Result<Verdict> {
    let mut head = Vec::new();
    let format = if let Some(format) = judging.format {
        format
    } else {
        text.by_ref().take(65_536).read_to_end(&mut head)?;
        Format::of(&String::from_utf8_lossy(&head))?
    };
    let mut judge = Judge::new(expected, judging.options());
    for event in read(format, head.as_slice().chain(text)) {
        judge.event(event?);
    }
    Ok(judge.finish())
}

/// Writes verdicts to standard output.
fn print(cases: &[Case], judging: &Judging) -> Result<()> {
    let colour = io::stdout().is_terminal();
    let text = report(cases, judging.output.into(), colour);
    io::stdout()
        .write_all(text.as_bytes())
        .context("standard output")
}
