//! `make trace`: what a witness sees of a scenario next to what is expected, aligned, with a mark
//! in front of every difference. Exit code 1 if there is one, 2 for a name that nobody has.

use anyhow::Result;
use ioworkload_check::compare::{Row, Verdict, compare};
use ioworkload_check::expected::load;

use ioworkload_tests::witnesses::{self, Witness};
use ioworkload_tests::{scenarios, shipped};
use std::process::ExitCode;

/// Of so many calls in a row that are as expected, only the first and the last are shown.
const MANY: usize = 12;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (scenario, tracer) = (args.next(), args.next());
    let (scenario, tracer) = (scenario.unwrap_or_default(), tracer.unwrap_or_default());
    if scenario.is_empty() {
        return usage("say which: SCENARIO=aio-submit, say");
    }
    if !scenarios().contains(&scenario) {
        return usage(&format!("no such scenario: {scenario}"));
    }
    let Some((_, witness)) = witnesses::ALL.iter().find(|(name, _)| *name == tracer) else {
        let names = witnesses::ALL.map(|(name, _)| name).join(", ");
        return usage(&format!("no such tracer: {tracer}; there are {names}"));
    };
    match show(&scenario, &tracer, *witness) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("make trace: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage(line: &str) -> ExitCode {
    eprintln!("make trace: {line}");
    ExitCode::from(2)
}

fn show(scenario: &str, tracer: &str, witness: Witness) -> Result<bool> {
    let seen = witness(&shipped(scenario), &|_| ())?;
    let verdict = compare(&load(scenario)?, &seen);
    table(&verdict, tracer);
    for (number, child) in (1..).zip(&verdict.children) {
        println!("\nchild {number}");
        table(child, tracer);
    }
    let differences = verdict.differences();
    println!();
    for difference in &differences {
        println!("! {difference}");
    }
    let unread = verdict.unread.len();
    if unread > 0 {
        println!(
            "{tracer} does not see memory in {unread} places, {} for one",
            verdict.unread[0]
        );
    }
    println!("{} differences", differences.len());
    Ok(differences.is_empty())
}

/// Two columns. What is missing in one is `-` there.
fn table(verdict: &Verdict, tracer: &str) {
    let want = |row: &Row| row.want.clone().unwrap_or("-".into());
    let width = verdict.rows.iter().map(|row| want(row).chars().count());
    let width = width.max().unwrap_or_default().max("expected".len());
    println!("  {:width$}   {tracer}", "expected");
    let alike = |a: &Row, b: &Row| a.differences.is_empty() == b.differences.is_empty();
    for rows in verdict.rows.chunk_by(alike) {
        let hidden = rows.len() > MANY && rows[0].differences.is_empty();
        for (at, row) in rows.iter().enumerate() {
            let shown = !hidden || at < MANY / 2 || rows.len() - at <= MANY / 2;
            if shown {
                let mark = if row.differences.is_empty() { ' ' } else { '!' };
                let got = row.got.as_deref().unwrap_or("-");
                println!("{mark} {:width$}   {got}", want(row));
            } else if at == MANY / 2 {
                println!("  … {} more, all as expected", rows.len() - MANY);
            }
        }
    }
}
