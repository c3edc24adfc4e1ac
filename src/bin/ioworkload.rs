//! ioworkload: every scenario in one program, with a command line and gates that wait for a tracer.
#![no_std]
#![no_main]

use ioworkload::cli::{Command, Form, HELP, Misuse, Options, VERSION, parse};
use ioworkload::expect::{self, Run};
use ioworkload::gate::{Desk, Gate};
use ioworkload::report::raw;
use ioworkload::rounds::Rounds;
use ioworkload::rt::Stack;
use ioworkload::scenario;
use ioworkload::story::Scenario;
use ioworkload::sys::{STDERR, STDOUT, getpid};
use ioworkload::text::{Line, Stream};

ioworkload::program!(main);

const USAGE: &str =
    "usage: ioworkload NAME | --scenario=NAME | --expect=NAME | --list | --version | --help";

fn main(stack: Stack) -> u8 {
    obey(stack).unwrap_or_else(misused)
}

fn obey(stack: Stack) -> Result<u8, Misuse<'static>> {
    let (command, options) = parse(stack.args().skip(1))?;
    match command {
        Command::Help => print(HELP),
        Command::List(Form::Names) => list(STDOUT),
        Command::List(Form::Long) => drop(Stream::new(STDOUT).packed(scenario::LONG)),
        Command::List(Form::Json) => drop(Stream::new(STDOUT).packed(scenario::JSON)),
        Command::Version => print(VERSION),
        Command::Expect(scenario) => {
            let run = run_of(scenario, &options, options.gates());
            expect::write(&mut Stream::new(STDOUT), &run);
        }
        Command::Run(scenario) => {
            let run = run_of(scenario, &options, options.gates());
            return perform(&run, &["", ": "]);
        }
        Command::Attach(scenario) => {
            let gates = options.original_gates(|name| stack.env(name))?;
            let run = run_of(scenario, &options, gates);
            return perform(&run, &["scenario ", " failed: "]);
        }
    }
    Ok(0)
}

fn print(text: &str) {
    Stream::new(STDOUT).text(text).text("\n");
}

fn list(fd: u32) {
    let mut out = Stream::new(fd);
    for scenario in scenario::ALL {
        out.text(scenario.name).text("\n");
    }
}

fn run_of(
    scenario: &'static Scenario,
    options: &Options<'static>,
    gates: [Gate<'static>; 2],
) -> Run<'static> {
    Run {
        scenario,
        count: options.repeat.or(scenario.rounds).unwrap_or(1),
        pause_us: options.interval_us.unwrap_or(0),
        gates,
    }
}

/// A run: the PID and a newline if there is a gate, the wait, the scenario, the other wait. A
/// failure's line has the scenario's name between the two parts of `frame`.
fn perform(run: &Run<'static>, frame: &[&str; 2]) -> Result<u8, Misuse<'static>> {
    let [hold, linger] = &run.gates;
    for (gate, option) in [(hold, "--hold"), (linger, "--linger")] {
        gate.check().map_err(|fd| Misuse::Closed(option, fd))?;
    }
    // What the calls of the gates point to lives until the end: see `Desk`.
    let (mut desk, mut line) = (Desk::default(), Line::default());
    if hold.waits() || linger.waits() {
        line.number(raw(getpid()));
        line.print(STDOUT);
    }
    let code = wait(hold, &mut desk, run, frame);
    if code != 0 {
        return Ok(code);
    }
    let mut rounds = Rounds::new(run.count, run.pause_us);
    if let Err(failure) = (run.scenario.run)(&mut rounds) {
        let mut line = fails(run, frame);
        let code = failure.write_to(&mut line, run.scenario.target);
        line.print(STDERR);
        return Ok(code);
    }
    Ok(wait(linger, &mut desk, run, frame))
}

/// Waits at a gate; says what did not happen, and returns the exit code.
fn wait(gate: &Gate<'_>, desk: &mut Desk, run: &Run<'_>, frame: &[&str; 2]) -> u8 {
    let Err(shut) = gate.wait(desk) else {
        return 0;
    };
    let mut line = fails(run, frame);
    gate.tell(&shut, &mut line);
    line.print(STDERR);
    1
}

/// The start of a failure's line.
fn fails(run: &Run<'_>, frame: &[&str; 2]) -> Line {
    let mut line = Line::default();
    line.text(frame[0]).text(run.scenario.name).text(frame[1]);
    line
}

fn misused(misuse: Misuse<'_>) -> u8 {
    let mut line = Line::default();
    match misuse {
        Misuse::NoScenario => line.text(USAGE),
        Misuse::UnknownScenario(name) => line.text("unknown scenario: ").foreign(name),
        Misuse::UnknownOption(option) => line.text("unknown option: ").foreign(option),
        Misuse::NoValue(form) => line.text("no value: write ").text(form),
        Misuse::TooMany(extra) => line.text("too many arguments: ").foreign(extra),
        Misuse::BadValue(option, why, value) => line
            .text(option)
            .text(": ")
            .text(why)
            .text(": ")
            .foreign(value),
        Misuse::Closed(option, fd) => {
            line.text(option).text(": not open: fd ").number(fd.into());
            &mut line
        }
    };
    line.print(STDERR);
    if matches!(misuse, Misuse::UnknownScenario(_)) {
        list(STDERR);
    }
    2
}
