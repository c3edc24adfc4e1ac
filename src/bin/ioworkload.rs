//! ioworkload: every scenario in one program, with a command line and gates that wait for a tracer.
#![no_std]
#![no_main]

use ioworkload::cli::{Command, HELP, Misuse, Options, VERSION, parse};
use ioworkload::expect::{self, Run};
use ioworkload::gate::{Gate, Memory, Shut};
use ioworkload::output::Output;
use ioworkload::rounds::Rounds;
use ioworkload::rt::Stack;
use ioworkload::scenario;
use ioworkload::story::Scenario;
use ioworkload::sys::{STDERR, STDOUT};
use ioworkload::text::Line;

ioworkload::program!(main);

const USAGE: &str =
    "usage: ioworkload NAME | --scenario=NAME | --expect=NAME | --list | --version | --help";

fn main(stack: Stack) -> u8 {
    obey(stack).unwrap_or_else(misused)
}

fn obey(stack: Stack) -> Result<u8, Misuse<'static>> {
    let (command, options) = parse(stack.args().skip(1))?;
    match command {
        Command::Run(scenario) => {
            let run = run_of(scenario, &options, options.gates());
            perform(&run, &["", ": "])
        }
        Command::Attach(scenario) => {
            let gates = options.original_gates(|name| stack.env(name))?;
            let run = run_of(scenario, &options, gates);
            perform(&run, &["scenario ", " failed: "])
        }
        Command::Expect(scenario) => {
            let run = run_of(scenario, &options, options.gates());
            Ok(print(&options, |out| expect::write(out, &run)))
        }
        Command::List { long } => Ok(print(&options, |out| list(out, long))),
        Command::Help => Ok(print(&options, |out| {
            out.text(HELP).text("\n");
        })),
        Command::Version => Ok(print(&options, |out| {
            out.text(VERSION).text("\n");
        })),
    }
}

/// Prints what was asked for; returns the exit code.
fn print(options: &Options<'_>, text: impl FnOnce(&mut Output)) -> u8 {
    let mut out = Output::new(STDOUT, options.patience_ms());
    text(&mut out);
    let Err(errno) = out.finish() else {
        return 0;
    };
    let mut line = Line::default();
    line.text("ioworkload: write: ").errno(errno);
    line.print(STDERR);
    1
}

fn list(out: &mut Output, long: bool) {
    for scenario in scenario::ALL {
        out.text(scenario.name);
        if long {
            out.text(": ").text(expect::about(scenario));
        }
        out.text("\n");
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
    // What the calls of the gates point to lives until the end: see `Memory`.
    let mut memory = Memory::default();
    if hold.waits() || linger.waits() {
        let code = code_of(memory.print_pid(hold.deadline_ms), hold, run, frame);
        if code != 0 {
            return Ok(code);
        }
    }
    let code = code_of(hold.wait(&mut memory), hold, run, frame);
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
    Ok(code_of(linger.wait(&mut memory), linger, run, frame))
}

/// The exit code after a gate; says what did not happen.
fn code_of(opened: Result<(), Shut>, gate: &Gate<'_>, run: &Run<'_>, frame: &[&str; 2]) -> u8 {
    let Err(shut) = opened else {
        return 0;
    };
    let mut line = fails(run, frame);
    gate.describe(&shut, &mut line);
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
        let mut out = Output::new(STDERR, 0);
        list(&mut out, false);
        // As for the line: a broken stderr changes nothing but the text.
        let _ = out.finish();
    }
    2
}
