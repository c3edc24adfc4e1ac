//! What is measured. Times are taken in rounds: in each, every program starts once, in an order of its
//! own, and is compared with the first of them. So what changes on the machine meets all alike.

use crate::calls::{self, EXIT};
use crate::data::{Burst, Data, Row};
use anyhow::{Context, Result};
use ioworkload_tests::peers::{self, LIMIT, OURS, SCENARIOS, VARIANTS, program};
use ioworkload_tests::random::Random;
use ioworkload_tests::starter::Starter;
use ioworkload_tests::{memory, shipped, stepper};
use nix::sys::utsname::uname;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{available_parallelism, sleep};
use std::time::Duration;

/// How often each thing is done.
struct Effort {
    /// Starts of a program that makes no context.
    quick: usize,
    /// Starts of one that does, and so waits for the kernel.
    slow: usize,
    /// Runs under strace.
    traced: usize,
    /// Starts whose page faults are counted.
    faults: usize,
    /// Starts of the burst.
    bursts: usize,
}

#[rustfmt::skip]
const FULL: Effort = Effort { quick: 1000, slow: 200, traced: 50, faults: 9, bursts: 15 };
#[rustfmt::skip]
const FEW: Effort = Effort { quick: 5, slow: 2, traced: 2, faults: 1, bursts: 1 };

/// The scenario that makes no context, and so does not wait for the kernel.
const QUICK: &str = "aio-setup-einval";

/// Everything, of these variants and the assembly; of all, if none is named.
pub fn all(named: &[String], few: bool) -> Result<Data> {
    let names = VARIANTS.iter().map(|variant| variant.name);
    let wanted =
        |name: &&str| *name == LIMIT || named.is_empty() || named.iter().any(|one| one == name);
    let variants: Vec<_> = names.filter(wanted).collect();
    let effort = if few { &FEW } else { &FULL };
    peers::build(&variants)?;
    let rows = SCENARIOS.map(|scenario| rows(&variants, scenario, effort));
    let rows: Vec<_> = rows.into_iter().collect::<Result<_>>()?;
    Ok(Data {
        machine: machine(&variants)?,
        rows: rows.into_iter().flatten().collect(),
        burst: burst(variants.contains(&"go"), effort)?,
    })
}

/// For each variant, its program for one scenario; with the quick one, `exit` alone too.
fn rows(variants: &[&str], scenario: &str, effort: &Effort) -> Result<Vec<Row>> {
    eprintln!("{scenario}");
    let mut programs: Vec<_> = variants.iter().map(|name| (*name, scenario)).collect();
    programs.extend((scenario == QUICK).then_some((LIMIT, EXIT)));
    let starts = if scenario == QUICK {
        effort.quick
    } else {
        effort.slow
    };
    let paths = programs
        .iter()
        .map(|(variant, scenario)| program(variant, scenario));
    let starters = paths.map(|path| Starter::new(&path, &[]));
    let lanes = race(starters.collect::<Result<_>>()?, starts)?;
    let row = |((variant, scenario), lane): (&(&str, &str), &Lane)| {
        let row = patiently(|| row(variant, scenario, effort))?;
        let (micros, ratio) = (median(lane.iter().copied()), ratio(lane, &lanes[0]));
        Ok(Row {
            starts,
            micros,
            ratio,
            ..row
        })
    };
    programs.iter().zip(&lanes).map(row).collect()
}

/// A row, but for what takes many starts.
fn row(variant: &str, scenario: &str, effort: &Effort) -> Result<Row> {
    let program = program(variant, scenario);
    let calls = calls::watch(&program, scenario, effort.traced)?;
    Ok(Row {
        variant: variant.into(),
        scenario: scenario.into(),
        traced: effort.traced,
        noise: calls.noise,
        threads: calls.threads,
        sequences: calls.sequences,
        bytes: fs::metadata(&program)?.len(),
        faults: faults(&program, effort.faults)?,
        peak_kib: memory::peak(&program, &[])?,
        instructions: stepper::count(&program, &[], &|command| {
            command.env_clear();
        })?,
        starts: 0,
        micros: 0.0,
        ratio: 0.0,
    })
}

/// The minor page faults of a start, median.
fn faults(program: &Path, starts: usize) -> Result<u64> {
    let mut starter = Starter::new(program, &[])?.fixed();
    let faults: Result<Vec<_>> = (0..starts).map(|_| Ok(starter.start()?.faults)).collect();
    let mut faults = faults?;
    faults.sort_unstable();
    Ok(faults[starts / 2])
}

/// The number of calls in the burst of the peers; tests/peers/Makefile builds it into the assembly.
const BURST: u32 = 4_000_000;

/// The burst: the assembly, ours, and, where it is built, Go.
fn burst(with_go: bool, effort: &Effort) -> Result<Vec<Burst>> {
    eprintln!("aio-burst");
    let (number, option) = (BURST.to_string(), format!("--repeat={BURST}"));
    let programs: &[(&str, PathBuf, &[&str])] = &[
        (LIMIT, program(LIMIT, "aio-burst"), &[]),
        (OURS, shipped("ioworkload"), &["aio-burst", &option]),
        ("go", program("go", "aio-burst"), &[&number]),
    ];
    let programs = &programs[..if with_go { 3 } else { 2 }];
    let starters = programs
        .iter()
        .map(|(_, path, args)| Starter::new(path, args));
    let lanes = race(starters.collect::<Result<_>>()?, effort.bursts)?;
    let burst = |((variant, ..), lane): (&(&str, _, _), &Lane)| Burst {
        variant: (*variant).into(),
        millions: f64::from(BURST) / median(lane.iter().copied()),
        ratio: 1.0 / ratio(lane, &lanes[0]),
    };
    Ok(programs.iter().zip(&lanes).map(burst).collect())
}

/// The microseconds of a program's starts, one for each round.
type Lane = Vec<f64>;

/// Runs so many rounds, after one that does not count: what is read for the first time is read then.
fn race(mut starters: Vec<Starter>, rounds: usize) -> Result<Vec<Lane>> {
    let mut chance = Random::from(0x9e37_79b9_7f4a_7c15);
    let mut order: Vec<_> = (0..starters.len()).collect();
    let mut lanes = vec![Lane::new(); starters.len()];
    for round in 0..=rounds {
        order.sort_by_cached_key(|_| chance.below(u64::MAX));
        for &one in &order {
            let time = patiently(|| starters[one].start())?.time;
            if round > 0 {
                lanes[one].push(time.as_secs_f64() * 1e6);
            }
        }
    }
    Ok(lanes)
}

/// The times of one compared with those of another, round by round; the median.
fn ratio(one: &Lane, other: &Lane) -> f64 {
    median(one.iter().zip(other).map(|(one, other)| one / other))
}

/// The one in the middle; of an even number the upper one.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Does it; where that fails, again after a second, ten times at most, and says so. Others can use up
/// `fs.aio-max-nr` for a moment, which must not be the end of a run of minutes. What the peers have
/// left is removed, because their next start would fail of it.
fn patiently<T>(mut what: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..10 {
        match what() {
            Ok(done) => return Ok(done),
            Err(error) => eprintln!("make bench: {error:#}: again in a second"),
        }
        for scenario in SCENARIOS {
            // Most often it is not there.
            let _ = fs::remove_file(format!("/tmp/ioworkload-{scenario}"));
        }
        sleep(Duration::from_secs(1));
    }
    what()
}

/// Where the figures come from: this machine, and the compilers of these variants.
fn machine(variants: &[&str]) -> Result<String> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let mut cpu = info
        .lines()
        .filter_map(|line| line.strip_prefix("model name"));
    let cpu = cpu
        .next()
        .unwrap_or("unknown")
        .trim_start_matches([' ', '\t', ':']);
    let (cpus, kernel) = (available_parallelism()?, uname()?);
    let (kernel, date) = (kernel.release().display(), first_line("date +%Y-%m-%d")?);
    let compilers = [
        ("c-", "cc --version"),
        ("rust-std", "rustc --version"),
        ("go", "go version"),
        ("c-musl", "dpkg-query -f musl-${Version} -W musl-dev"),
    ];
    let used = |prefix: &str| variants.iter().any(|variant| variant.starts_with(prefix));
    let used = compilers.iter().filter(|(prefix, _)| used(prefix));
    let used: Result<Vec<_>> = used.map(|(_, command)| first_line(command)).collect();
    let used = used?.join("; ");
    Ok(format!(
        "{cpu}, {cpus} CPUs, Linux {kernel}, {date}; {used}."
    ))
}

fn first_line(command: &str) -> Result<String> {
    let mut words = command.split(' ');
    let mut program = Command::new(words.next().unwrap_or_default());
    let output = program
        .args(words)
        .output()
        .with_context(|| command.to_owned())?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
