//! The command line of `ioworkload`: what is asked for, or what is wrong with it.

use crate::scenario;
use crate::story::Scenario;

/// What `--help` prints.
pub const HELP: &str = "\
Usage: ioworkload NAME               run the scenario NAME at once
       ioworkload --scenario=NAME    print the PID, wait for a tracer, run NAME
       ioworkload --list             print the scenarios' names
       ioworkload --version          print the version
       ioworkload --help             print this

Also -scenario=NAME, --scenario NAME and -scenario NAME.

The wait of --scenario is 8 s long. Variables change it:
  IOR_WORKLOAD_STARTUP_DELAY_MS=N    wait N milliseconds instead
  IOR_WORKLOAD_STARTUP_FILE=PATH     wait until PATH exists, at most 30 s (goes before the delay)
  IOR_WORKLOAD_HOLD_FILE=PATH        after the scenario stay until PATH exists, at most 120 s

Exit code: 0 the scenario ran as expected; 1 it did not; 2 usage; 77 this machine
can't run it now (no AIO, a sandbox forbids it, fs.aio-max-nr is used up); 101 a bug.";

/// What is asked for.
pub enum Command {
    /// `--help`.
    Help,
    /// `--list`.
    List,
    /// `--version`.
    Version,
    /// `NAME`: run it at once.
    Run(&'static Scenario),
    /// `--scenario=NAME`: the original's contract, PID line and wait.
    Attach(&'static Scenario),
}

/// What is wrong with the command line or the environment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misuse<'a> {
    /// No scenario is named.
    NoScenario,
    /// No scenario has this name.
    UnknownScenario(&'a [u8]),
    /// No option is called so.
    UnknownOption(&'a [u8]),
    /// More than one thing is asked for; this is the first that is too many.
    TooMany(&'a [u8]),
    /// `IOR_WORKLOAD_STARTUP_DELAY_MS` is not a number of milliseconds.
    BadDelay(&'a [u8]),
}

/// Reads the arguments behind the program's name.
///
/// # Errors
/// What is wrong with them.
pub fn parse<'a>(mut args: impl Iterator<Item = &'a [u8]>) -> Result<Command, Misuse<'a>> {
    let command = match args.next().ok_or(Misuse::NoScenario)? {
        b"--help" | b"-h" => Command::Help,
        b"--list" => Command::List,
        b"--version" => Command::Version,
        b"--scenario" | b"-scenario" => Command::Attach(find(args.next().unwrap_or_default())?),
        arg => match (value_of_scenario(arg), arg) {
            (Some(name), _) => Command::Attach(find(name)?),
            (None, [b'-', ..]) => return Err(Misuse::UnknownOption(arg)),
            (None, name) => Command::Run(find(name)?),
        },
    };
    args.next()
        .map_or(Ok(command), |extra| Err(Misuse::TooMany(extra)))
}

fn value_of_scenario(arg: &[u8]) -> Option<&[u8]> {
    arg.strip_prefix(b"--scenario=")
        .or_else(|| arg.strip_prefix(b"-scenario="))
}

fn find(name: &[u8]) -> Result<&'static Scenario, Misuse<'_>> {
    if name.is_empty() {
        return Err(Misuse::NoScenario);
    }
    scenario::find(name).ok_or(Misuse::UnknownScenario(name))
}
