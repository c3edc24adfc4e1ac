//! Shows what a witness sees of a scenario next to what is expected, aligned, with a mark in front of
//! every difference.

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use ioworkload_check::compare::{Row, Verdict, compare};
use ioworkload_check::expected::load;
use ioworkload_tests::witnesses;
use ioworkload_tests::{scenarios, shipped};

/// Of so many calls in a row that are as expected, only the first and the last are shown.
const MANY: usize = 12;

#[derive(clap::Args)]
pub struct Args {
    #[arg(value_parser = PossibleValuesParser::new(scenarios()))]
    scenario: String,
    #[arg(value_parser = PossibleValuesParser::new(witnesses::ALL.map(|(name, _)| name)))]
    tracer: String,
}

pub fn run(Args { scenario, tracer }: &Args) -> Result<bool> {
    let witness = witnesses::ALL.iter().find(|(name, _)| name == tracer);
    let (_, witness) = witness.expect("clap knows them");
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
