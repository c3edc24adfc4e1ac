//! ioworkload: every scenario in one program, with a command line and a wait for the tracer.
#![no_std]
#![no_main]

use core::ffi::CStr;
use ioworkload::cli::{Command, HELP, Misuse, parse};
use ioworkload::gate::Gate;
use ioworkload::rt::Stack;
use ioworkload::scenario;
use ioworkload::story::Scenario;
use ioworkload::sys::getpid;
use ioworkload::text::{Line, Page};

ioworkload::program!(main);

const STDOUT: u32 = 1;
const STDERR: u32 = 2;
const USAGE: u8 = 2;

/// Room for the help, and for the names of all scenarios.
type Screen = Page<2048>;

fn main(stack: Stack) -> u8 {
    match parse(stack.args().skip(1).map(CStr::to_bytes)) {
        Ok(Command::Help) => print(HELP),
        Ok(Command::List) => list(STDOUT),
        Ok(Command::Version) => print(concat!("ioworkload ", env!("CARGO_PKG_VERSION"))),
        Ok(Command::Run(scenario)) => run(scenario, &["", ": "]),
        Ok(Command::Attach(scenario)) => attach(scenario, stack).unwrap_or_else(misused),
        Err(misuse) => misused(misuse),
    }
}

fn print(text: &str) -> u8 {
    Screen::default().text(text).print(STDOUT);
    0
}

fn list(fd: u32) -> u8 {
    let mut page = Screen::default();
    for (row, scenario) in scenario::ALL.iter().enumerate() {
        page.text(if row == 0 { "" } else { "\n" })
            .text(scenario.name);
    }
    page.print(fd);
    0
}

/// Runs a scenario; a failure's line starts with the name between the two parts of `frame`.
fn run(scenario: &Scenario, frame: &[&str; 2]) -> u8 {
    let Err(failure) = (scenario.run)() else {
        return 0;
    };
    let mut line = Line::default();
    line.text(frame[0]).text(scenario.name).text(frame[1]);
    let code = failure.tell(&mut line, scenario.target);
    line.print(STDERR);
    code
}

/// The original's contract: the PID and a newline, the wait, the scenario, and, if asked for,
/// another wait.
fn attach(scenario: &Scenario, stack: Stack) -> Result<u8, Misuse<'static>> {
    let file = stack.env(b"IOR_WORKLOAD_STARTUP_FILE=");
    let startup = Gate::startup(file, stack.env(b"IOR_WORKLOAD_STARTUP_DELAY_MS="))?;
    let hold = Gate::hold(stack.env(b"IOR_WORKLOAD_HOLD_FILE="));
    let mut pid = Line::default();
    pid.number(getpid() as i64);
    pid.print(STDOUT);
    if let Err(path) = startup.wait() {
        let mut line = Line::default();
        line.text("scenario ")
            .text(scenario.name)
            .text(" failed: no such file after 30 s: ")
            .foreign(path.to_bytes());
        line.print(STDERR);
        return Ok(1);
    }
    let code = run(scenario, &["scenario ", " failed: "]);
    if code == 0 {
        // It stays alive for the tracer's look-ups; that nobody released it is no failure of the
        // scenario.
        let _ = hold.wait();
    }
    Ok(code)
}

fn misused(misuse: Misuse<'_>) -> u8 {
    let mut line = Line::default();
    match misuse {
        Misuse::NoScenario => {
            line.text("usage: ioworkload NAME | --scenario=NAME | --list | --version | --help")
        }
        Misuse::UnknownScenario(name) => line.text("unknown scenario: ").foreign(name),
        Misuse::UnknownOption(option) => line.text("unknown option: ").foreign(option),
        Misuse::TooMany(extra) => line.text("too many arguments: ").foreign(extra),
        Misuse::BadDelay(value) => line
            .text("IOR_WORKLOAD_STARTUP_DELAY_MS: no number of milliseconds: ")
            .foreign(value),
    };
    line.print(STDERR);
    if matches!(misuse, Misuse::UnknownScenario(_)) {
        list(STDERR);
    }
    USAGE
}
