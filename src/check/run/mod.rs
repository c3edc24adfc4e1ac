//! `run`: the tracer over every scenario.

mod place;
mod tracer;

use crate::cli::{Judging, Output, Run};
use crate::{DIFFERS, EXACT, SKIPPED, UNREADABLE, fixtures, judge_file, print};
use anyhow::{Context, Result, ensure};
use ioworkload_check::expected;
use ioworkload_check::render::{self, Case, Outcome};
use place::Place;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;
use tracer::Tracer;

pub fn run(options: &Run) -> Result<u8> {
    let names = scenarios(&options.scenarios)?;
    let tracer = Tracer::new(options)?;
    tracer::adopt()?;
    if let Some(keep) = &options.keep {
        fs::create_dir_all(keep).with_context(|| keep.display().to_string())?;
    }
    let place = Place::new(options)?;
    fixtures::write(place.path())?;
    let mut cases = Vec::new();
    let mut unreadable = false;
    for (number, name) in (1..).zip(&names) {
        progress(number, names.len(), name);
        let started = Instant::now();
        let outcome = scenario(name, &tracer, &place, options).unwrap_or_else(|error| {
            unreadable = true;
            Outcome::Error(format!("{error:#}"))
        });
        tracer::reap();
        let case = Case {
            scenario: (*name).to_owned(),
            outcome,
            seconds: started.elapsed().as_secs_f64(),
        };
        progress_end();
        keep(&case, options)?;
        show(&case, &options.judging)?;
        cases.push(case);
        if tracer::interrupted() {
            anyhow::bail!("interrupted");
        }
    }
    finish(&cases, &options.judging)?;
    Ok(if unreadable { UNREADABLE } else { code(&cases) })
}

fn scenarios(asked: &[String]) -> Result<Vec<&str>> {
    for name in asked {
        ensure!(expected::text(name).is_some(), "unknown scenario: {name}");
    }
    let all = expected::ALL.iter().map(|(name, _)| *name);
    let asked = asked.iter().map(String::as_str);
    Ok(if asked.len() == 0 {
        all.collect()
    } else {
        asked.collect()
    })
}

/// One scenario: whether it can be run here at all, then under the tracer.
fn scenario(name: &str, tracer: &Tracer, place: &Place, options: &Run) -> Result<Outcome> {
    let fixture = place.path().join(name);
    if let Some(outcome) = alone(&fixture)? {
        return Ok(outcome);
    }
    let events = place.path().join("events");
    let _ = fs::remove_file(&events);
    if let Err(trouble) = tracer.watch(name, place.path(), &events)? {
        keep_events(name, &events, options)?;
        return Ok(Outcome::Error(trouble));
    }
    keep_events(name, &events, options)?;
    if fs::metadata(&events).map_or(0, |file| file.len()) == 0 {
        return Ok(Outcome::Error("the tracer has written nothing".into()));
    }
    let expected = expected::load(name)?;
    let judging = Judging {
        attached: tracer.attaches(),
        ..options.judging.clone()
    };
    judge_file(&expected, &events, &judging).map(Outcome::Judged)
}

/// Runs the fixture without the tracer: with 77 it is a skip, and what else is not 0 is no tracer's
/// fault.
fn alone(fixture: &Path) -> Result<Option<Outcome>> {
    let mut command = Command::new(fixture);
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| fixture.display().to_string())?;
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().next().unwrap_or("it says nothing").to_owned();
    Ok(match output.status.code() {
        Some(0) => None,
        Some(77) => Some(Outcome::Skip(line)),
        _ => Some(Outcome::Error(format!(
            "it fails without the tracer too, {}: {line}",
            output.status
        ))),
    })
}

fn keep_events(name: &str, events: &Path, options: &Run) -> Result<()> {
    if let (Some(keep), true) = (&options.keep, events.exists()) {
        let to = keep.join(name).with_extension("events");
        fs::copy(events, &to).with_context(|| to.display().to_string())?;
    }
    Ok(())
}

fn keep(case: &Case, options: &Run) -> Result<()> {
    if let Some(keep) = &options.keep {
        let to = keep.join(&case.scenario).with_extension("verdict");
        let text = render::report(std::slice::from_ref(case), render::Output::Text, false);
        fs::write(&to, text).with_context(|| to.display().to_string())?;
    }
    Ok(())
}

/// On a terminal, what is running.
fn progress(number: usize, of: usize, name: &str) {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K{number} of {of}: {name}");
    }
}

fn progress_end() {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}

/// A verdict as text is shown as soon as it is known.
fn show(case: &Case, judging: &Judging) -> Result<()> {
    if judging.output != Output::Text {
        return Ok(());
    }
    let colour = io::stdout().is_terminal();
    let text = format!(
        "{}\n{}",
        render::line(case, colour),
        render::details(case, colour)
    );
    io::stdout()
        .write_all(text.as_bytes())
        .context("standard output")
}

fn finish(cases: &[Case], judging: &Judging) -> Result<()> {
    if judging.output != Output::Text {
        return print(cases, judging);
    }
    let text = render::summary(cases, io::stdout().is_terminal());
    writeln!(io::stdout(), "{text}").context("standard output")
}

fn code(cases: &[Case]) -> u8 {
    let all = |status: &str| cases.iter().all(|case| case.status() == status);
    let none = |status: &str| cases.iter().all(|case| case.status() != status);
    if all("skipped") {
        SKIPPED
    } else if none("differs") && none("error") {
        EXACT
    } else {
        DIFFERS
    }
}
