//! Does a tracer that attaches to a held workload, however slow it is, see every call of the scenario?
//!
//! `ATTACH_RUNS` says how often (`make attach RUNS=200`).

use anyhow::{Context, Result, ensure};
use ioworkload_check::compare::compare;
use ioworkload_check::expected::{Entry, Expected, Kernel, parse};
use ioworkload_check::trace::Seen;
use ioworkload_tests::attach::Tool;
use ioworkload_tests::gated::{End, PPOLL, Place};
use ioworkload_tests::random::Random;
use ioworkload_tests::room::Room;
use ioworkload_tests::trials::{self, trial};
use ioworkload_tests::{ORIGINAL, root, shipped, target, tracefs};
use libtest_mimic::Arguments;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::process::{Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::Duration;

const RUNS: usize = 3;
/// A tracer is held up for so long at most, in milliseconds.
const SLOWEST: u64 = 2000;

fn main() -> ExitCode {
    let tools = [
        ("strace-p", Tool::Strace),
        ("perf-trace-p", Tool::PerfTrace),
        ("bpftrace-with-a-filter", Tool::Bpftrace),
    ];
    let mut trials = Vec::new();
    for (title, tool) in tools {
        trials.push(trial(title, move || attached(tool)));
    }
    for (title, tool) in tools {
        let title = format!("control::{title}");
        trials.push(trial(title, move || let_go_too_soon(tool)));
    }
    for example in ["attach.sh", "attach.py"] {
        for (tracer, tool) in [
            ("strace", Tool::Strace),
            ("perf", Tool::PerfTrace),
            ("bpftrace", Tool::Bpftrace),
        ] {
            let title = format!("{example}::{tracer}");
            trials.push(trial(title, move || example_works(example, tracer, tool)));
        }
    }
    trials::run(&Arguments::from_args(), trials)
}

fn attached(tool: Tool) -> Result<()> {
    rights(tool)?;
    let runs = std::env::var("ATTACH_RUNS").ok();
    let runs = runs
        .map_or(Ok(RUNS), |runs| runs.parse())
        .context("ATTACH_RUNS")?;
    ensure!(runs > 0, "ATTACH_RUNS=0: nothing is tried");
    let mut random = Random::seeded();
    for (run, name) in (1..=runs).zip(ORIGINAL.into_iter().cycle()) {
        let differences =
            once(tool, name, &mut random).with_context(|| format!("{run} of {runs}"))?;
        ensure!(differences.is_empty(), "{run} of {runs}: {differences:?}");
        if run % 20 == 0 {
            eprintln!("{tool:?}: {run} of {runs} runs");
        }
    }
    Ok(())
}

fn rights(tool: Tool) -> Result<()> {
    match tool {
        Tool::Strace => Ok(()),
        Tool::PerfTrace => tracefs::ready("perf trace"),
        Tool::Bpftrace => tracefs::ready("bpftrace"),
    }
}

/// The workload waits; the tracer is late, and falls asleep while it attaches; when it says that it
/// is ready, the workload is let go.
fn once(tool: Tool, name: &str, random: &mut Random) -> Result<Vec<String>> {
    let mut run = Place::new().held(&[name, "--hold=stdin"], &[]);
    let late = delay(random);
    sleep(late / 2);
    let mut tracer = tool.start(run.pid, run.place.gates.path())?;
    let pid = Pid::from_raw(tracer.id());
    sleep(Duration::from_micros(random.below(match tool {
        Tool::Strace => 5_000,
        Tool::PerfTrace => 100_000,
        Tool::Bpftrace => 1_000_000,
    })));
    kill(pid, Signal::SIGSTOP)?;
    sleep(late / 2);
    kill(pid, Signal::SIGCONT)?;
    tracer.ready()?;
    run.feed(b"x");
    ensure!(run.end() == End::well());
    differences(tool, name, tracer.seen("exited with 0")?)
}

/// Holds what was seen behind the gate's `ppoll` against the same part of what is expected.
fn differences(tool: Tool, name: &str, mut seen: Seen) -> Result<Vec<String>> {
    let mut expected = expected(name)?;
    if seen.calls.first().is_some_and(|call| call.name == "ppoll") {
        seen.calls.remove(0);
    }
    let gate = |entry: &Entry| matches!(entry, Entry::Call(call) if call.name == "ppoll");
    let gate = expected.calls.iter().position(gate).context("a gate")?;
    expected.calls.drain(..=gate);
    if tool != Tool::PerfTrace {
        return Ok(compare(&expected, &seen).differences());
    }
    let wanted: Vec<_> = expected
        .each()
        .iter()
        .map(|call| call.name.clone())
        .collect();
    let found: Vec<_> = seen.calls.into_iter().map(|call| call.name).collect();
    let differ = wanted != found;
    Ok(differ.then(|| format!("{found:?}")).into_iter().collect())
}

fn expected(name: &str) -> Result<Expected> {
    let mut command = Command::new(shipped("ioworkload"));
    let output = command
        .args([&format!("--expect={name}"), "--hold=stdin"])
        .output()?;
    parse(&String::from_utf8(output.stdout)?, Kernel::here()?)
}

/// What this file is about: a workload that does not wait is gone before its tracer is there, or
/// half of it is. It rests in one call afterwards: of one that keeps calling, a tracer that attaches
/// piece by piece can see a call begin and not end.
fn let_go_too_soon(tool: Tool) -> Result<()> {
    rights(tool)?;
    let mut run = Place::new().held(&["aio-submit", "--linger=stdin"], &[]);
    run.inside(PPOLL);
    let mut tracer = tool.start(run.pid, run.place.gates.path())?;
    tracer.ready()?;
    run.feed(b"x");
    ensure!(run.end() == End::well());
    let found = differences(tool, "aio-submit", tracer.seen("exited with 0")?)?;
    ensure!(!found.is_empty(), "nothing is missed");
    Ok(())
}

/// An example of tests/examples shows the whole scenario, does not sleep, and leaves nothing.
fn example_works(example: &str, tracer: &str, tool: Tool) -> Result<()> {
    rights(tool)?;
    let file = root().join("tests/examples").join(example);
    let code = fs::read_to_string(&file)?;
    let code = code.lines().filter(|line| !line.starts_with('#'));
    ensure!(
        !code.into_iter().any(|line| line.contains("sleep")),
        "it sleeps"
    );
    let room = Room::new();
    let mut command = Command::new(&file);
    let path = std::env::var("PATH").context("PATH")?;
    let fixtures = target().join("fixtures");
    command.env("PATH", format!("{}:{path}", fixtures.display()));
    room.as_tmp(command.args([tracer, "aio-submit"]).stdin(Stdio::null()));
    let output = command
        .output()
        .with_context(|| file.display().to_string())?;
    let text = String::from_utf8(output.stdout)?;
    ensure!(
        output.status.success(),
        "{}: {text}",
        String::from_utf8_lossy(&output.stderr)
    );
    ensure!(room.names().is_empty(), "left behind: {:?}", room.names());
    let wanted = wanted("aio-submit", tool)?;
    let told = |line: &str| match tool {
        Tool::Strace => line.split('(').next().map(str::to_owned),
        Tool::PerfTrace => line
            .split("): ")
            .nth(1)?
            .split('(')
            .next()
            .map(str::to_owned),
        Tool::Bpftrace => Some(line.to_owned()),
    };
    let mut told: Vec<_> = text.lines().filter_map(told).collect();
    if tool == Tool::Strace && told.first().is_some_and(|name| name == "ppoll") {
        // A byte that comes while strace interrupts it ends the call unseen.
        told.remove(0);
    }
    ensure!(told == wanted, "{told:?}, not {wanted:?}");
    Ok(())
}

/// The calls behind the wait as the example's tracer shows them.
fn wanted(name: &str, tool: Tool) -> Result<Vec<String>> {
    let calls = expected(name)?;
    let calls = calls.each();
    let gate = calls.iter().position(|call| call.name == "ppoll");
    let calls = calls[gate.context("a gate")? + 1..].iter();
    let mut wanted: Vec<_> = match tool {
        Tool::Bpftrace => calls.map(|call| call.nr.to_string()).collect(),
        _ => calls.map(|call| call.name.clone()).collect(),
    };
    match tool {
        Tool::Strace => wanted.push("+++ exited with 0 +++".into()),
        Tool::PerfTrace => wanted.insert(0, " ... [continued]: ppoll".into()),
        Tool::Bpftrace => wanted.insert(0, "Attaching 1 probe...".into()),
    }
    Ok(wanted)
}

/// Mostly small: the third power of an even distribution.
fn delay(random: &mut Random) -> Duration {
    let part = random.below(1001);
    Duration::from_micros(part * part * part / 1_000_000 * SLOWEST)
}
