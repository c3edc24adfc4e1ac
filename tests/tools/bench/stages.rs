//! What is measured, stage by stage.

use crate::calls::{self, EXIT};
use crate::data::{Burst, Copies, Repeat, Row, Tracer};
use crate::progress::{Stage, patiently};
use crate::race::{Lane, median, race};
use crate::tracers::{TRACERS, Under};
use anyhow::Result;
use ioworkload_tests::peers::{LIMIT, OURS, program};
use ioworkload_tests::starter::Starter;
use ioworkload_tests::{memory, shipped, stepper};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How often each thing is done.
pub struct Effort {
    /// Starts of a program that makes no context.
    pub quick: usize,
    /// Starts of one that does, and so waits for the kernel.
    pub slow: usize,
    /// Runs under strace.
    pub traced: usize,
    /// Starts of the burst.
    pub bursts: usize,
    /// Starts under a tracer.
    pub tracers: usize,
    /// Starts for each point of a curve, and how far the curves go.
    pub points: usize,
    pub rounds: u64,
    pub copies: usize,
}

/// The scenario that makes no context, and so does not wait for the kernel.
pub const QUICK: &str = "aio-setup-einval";

/// For each variant, its program for one scenario; with the quick one, `exit` alone too.
pub fn rows(variants: &[&str], scenario: &str, effort: &Effort) -> Result<Vec<Row>> {
    let mut programs: Vec<_> = variants.iter().map(|name| (*name, scenario)).collect();
    programs.extend((scenario == QUICK).then_some((LIMIT, EXIT)));
    let stage = Stage::new(
        &format!("{scenario}: calls, size, memory, instructions"),
        programs.len(),
    );
    let mut rows = Vec::new();
    for (variant, scenario) in programs {
        rows.push(patiently(|| row(variant, scenario, effort))?);
        stage.step();
    }
    times(&mut rows, scenario, effort)?;
    Ok(rows)
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
        faults: faults(&program)?,
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
fn faults(program: &Path) -> Result<u64> {
    let mut starter = Starter::new(program, &[])?.fixed();
    let lives = (0..9).map(|_| Ok(starter.start()?.faults as f64));
    let lives: Vec<_> = lives.collect::<Result<_>>()?;
    Ok(median(lives.into_iter()) as u64)
}

fn times(rows: &mut [Row], scenario: &str, effort: &Effort) -> Result<()> {
    let starts = if scenario == QUICK {
        effort.quick
    } else {
        effort.slow
    };
    let lane = |row: &Row| {
        Ok(Lane::new(Starter::new(
            &program(&row.variant, scenario),
            &[],
        )?))
    };
    let mut lanes: Vec<_> = rows.iter().map(lane).collect::<Result<_>>()?;
    let stage = Stage::new(
        &format!("{scenario}: {starts} starts each"),
        lanes.len() * (starts + 1),
    );
    race(&mut lanes, starts, &|| stage.step())?;
    for (row, lane) in rows.iter_mut().zip(&lanes) {
        row.starts = starts;
        row.micros = lane.micros();
        row.ratio = lane.ratio(&lanes[0]);
    }
    Ok(())
}

/// The number of calls in the burst of the peers; tests/peers/Makefile builds it into the assembly.
pub const BURST: u64 = 4_000_000;

/// The burst: the assembly, ours, and, where it is built, Go.
pub fn burst(with_go: bool, effort: &Effort) -> Result<Vec<Burst>> {
    let (number, option) = (BURST.to_string(), format!("--repeat={BURST}"));
    let ours = [OURS, "aio-burst", &option];
    let go = ["go", &number];
    let lanes: &[(PathBuf, &[&str])] = &[
        (program(LIMIT, "aio-burst"), &[LIMIT]),
        (shipped("ioworkload"), &ours),
        (program("go", "aio-burst"), &go),
    ];
    let lanes = &lanes[..if with_go { 3 } else { 2 }];
    let starter = |(program, args): &(PathBuf, &[&str])| Starter::new(program, &args[1..]);
    let starters = lanes.iter().map(|lane| Ok(Lane::new(starter(lane)?)));
    let mut raced: Vec<_> = starters.collect::<Result<_>>()?;
    let title = format!("aio-burst: {BURST} calls, {} starts each", effort.bursts);
    let stage = Stage::new(&title, raced.len() * (effort.bursts + 1));
    race(&mut raced, effort.bursts, &|| stage.step())?;
    let result = |(lane, (_, args)): (&Lane, &(PathBuf, &[&str]))| Burst {
        variant: args[0].into(),
        calls: BURST,
        starts: effort.bursts,
        millions: BURST as f64 / lane.micros(),
        ratio: 1.0 / lane.ratio(&raced[0]),
    };
    Ok(raced.iter().zip(lanes).map(result).collect())
}

/// What a call of the burst takes under each tracer: the time of many calls less that of one, so
/// that the tracer's own start does not count.
pub fn tracers(effort: &Effort) -> Result<Vec<Tracer>> {
    let stage = Stage::new("aio-burst under each tracer", TRACERS.len());
    let mut results: Vec<Tracer> = Vec::new();
    for tracer in TRACERS {
        let per_call = |_| -> Result<f64> {
            let (one, many) = (under(tracer, 1)?, under(tracer, tracer.calls)?);
            Ok((many - one) / (tracer.calls - 1) as f64)
        };
        let nanos: Vec<_> = (0..effort.tracers).map(per_call).collect::<Result<_>>()?;
        let nanos = median(nanos.into_iter());
        let ratio = nanos / results.first().map_or(nanos, |untraced| untraced.nanos);
        results.push(Tracer {
            under: tracer.name.into(),
            calls: tracer.calls,
            nanos,
            ratio,
        });
        stage.step();
    }
    Ok(results)
}

/// The nanoseconds of a burst under a tracer.
fn under(tracer: &Under, calls: u64) -> Result<f64> {
    let mut command = tracer.command(&shipped("ioworkload"), &format!("--repeat={calls}"));
    let started = Instant::now();
    tracer.run(&mut command)?;
    Ok(started.elapsed().as_secs_f64() * 1e9)
}

/// Time and memory against the number of rounds.
pub fn repeat(effort: &Effort) -> Result<Vec<Repeat>> {
    let program = shipped("ioworkload");
    let rounds = std::iter::successors(Some(1), |rounds| Some(rounds * 10));
    let rounds: Vec<u64> = rounds
        .take_while(|rounds| *rounds <= effort.rounds)
        .collect();
    let stage = Stage::new("aio-setup-einval --repeat=N", rounds.len());
    let point = |rounds| {
        let option = format!("--repeat={rounds}");
        let args = ["aio-setup-einval", option.as_str()];
        let mut lanes = [Lane::new(Starter::new(&program, &args)?)];
        race(&mut lanes, effort.points, &|| ())?;
        stage.step();
        Ok(Repeat {
            rounds,
            micros: lanes[0].micros(),
            peak_kib: memory::at_end(&program, &args)?,
        })
    };
    rounds.into_iter().map(point).collect()
}

/// Time and page faults against the number of copies.
pub fn copies(effort: &Effort) -> Result<Vec<Copies>> {
    let copies = std::iter::successors(Some(1), |copies| Some(copies * 2));
    let copies: Vec<usize> = copies
        .take_while(|copies| *copies <= effort.copies)
        .collect();
    let stage = Stage::new("N copies of aio-setup-einval", copies.len());
    let point = |copies| {
        let mut starter = Starter::new(&shipped("aio-setup-einval"), &[])?.fixed();
        let lives = (0..effort.points).map(|_| starter.crowd(copies));
        let lives: Vec<_> = lives.collect::<Result<_>>()?;
        stage.step();
        Ok(Copies {
            side_by_side: copies,
            micros: median(lives.iter().map(|life| life.time.as_secs_f64() * 1e6)),
            faults: lives
                .iter()
                .map(|life| life.faults)
                .max()
                .unwrap_or_default(),
        })
    };
    copies.into_iter().map(point).collect()
}
