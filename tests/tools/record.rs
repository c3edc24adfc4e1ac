//! Proposes an expected trace for what a witness that reads memory has seen, and shows in what it
//! differs from the file. It never writes over that: the proposal goes to target/proposed/.

use anyhow::{Context, Result, ensure};
use ioworkload_check::compare::{Verdict, bound, compare};
use ioworkload_check::expected::load;
use ioworkload_check::trace::Seen;
use ioworkload_tests::propose::propose;
use ioworkload_tests::{ptrace, shipped, target, trace_file, writer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

#[derive(clap::Args)]
pub struct Args {
    #[arg(value_parser = program)]
    pub scenario: String,
}

/// The name of a program, also of one whose expected trace is to be made.
fn program(name: &str) -> Result<String, String> {
    let known = !name.is_empty() && target().join("fixtures").join(name).is_file();
    let wrong = "no such program; SCENARIO=aio-submit, for example";
    known.then(|| name.to_owned()).ok_or(wrong.into())
}

pub fn run(scenario: &str) -> Result<bool> {
    let seen = ptrace::witness(&shipped(scenario), &|_| ())?;
    let file = trace_file(scenario);
    let new = !file.exists();
    let proposal = if new {
        propose(scenario, &seen, BTreeMap::new())
    } else {
        let expected = load(scenario)?;
        let verdict = compare(&expected, &seen);
        if verdict.exact() && verdict.unread.is_empty() {
            println!("{} is what ptrace sees", file.display());
            return Ok(true);
        }
        let proposal = propose(scenario, &seen, bound(&expected, &seen));
        keep(
            proposal,
            &serde_json::from_str(&fs::read_to_string(&file)?)?,
            &verdict,
        )
    };
    show(scenario, &proposal, &seen)?;
    Ok(new)
}

/// The lines of the file that are right stay as they are, if none of them is a repetition.
fn keep(mut proposal: Value, file: &Value, verdict: &Verdict) -> Value {
    proposal["about"] = file["about"].clone();
    let lines = file["calls"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    if lines.iter().any(|line| line.get("repeat").is_some()) {
        return proposal;
    }
    let (mut wanted, mut got) = (lines.iter(), 0);
    for row in &verdict.rows {
        let line = row.want.as_ref().and_then(|_| wanted.next());
        if let (Some(line), true) = (line, row.differences.is_empty()) {
            proposal["calls"][got] = line.clone();
        }
        got += usize::from(row.got.is_some());
    }
    proposal
}

fn show(scenario: &str, proposal: &Value, seen: &Seen) -> Result<()> {
    ensure!(seen.end.starts_with("exited"), "{scenario} {}", seen.end);
    let directory = target().join("proposed");
    fs::create_dir_all(&directory)?;
    let proposed = directory.join(scenario).with_extension("json");
    fs::write(&proposed, writer::file(proposal))?;
    let old = Some(trace_file(scenario)).filter(|path| path.exists());
    let mut diff = Command::new("diff");
    diff.arg("-u")
        .arg(old.unwrap_or("/dev/null".into()))
        .arg(&proposed);
    diff.status().context("diff does not start")?;
    println!("proposed: {}", proposed.display());
    Ok(())
}
