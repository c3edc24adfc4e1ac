//! The command line of `ioworkload`: what is asked for, or what is wrong with it.

use crate::gate::{Gate, Mode, NO_MS, number};
use crate::rt::tail;
use crate::scenario;
use crate::story::Scenario;
use core::ffi::CStr;

/// How long `--scenario` sleeps when nothing says how to wait, in milliseconds.
const DELAY_MS: u32 = 8_000;
/// How long gates are waited at, and how long for the startup file of the original, in milliseconds.
const DEADLINE_MS: u32 = 120_000;
const STARTUP_DEADLINE_MS: u32 = 30_000;

/// The variables of the original.
const STARTUP_FILE: &str = "IOR_WORKLOAD_STARTUP_FILE=";
const STARTUP_DELAY: &str = "IOR_WORKLOAD_STARTUP_DELAY_MS=";
const HOLD_FILE: &str = "IOR_WORKLOAD_HOLD_FILE=";

/// The options, each of which is one argument with its value.
const FORMS: [&str; 5] = [
    "--hold=MODE",
    "--linger=MODE",
    "--deadline=MS",
    "--repeat=N",
    "--interval=US",
];

/// What `--help` prints.
pub const HELP: &str = "\
Usage: ioworkload NAME [OPTION]...              run the scenario NAME at once
       ioworkload --scenario=NAME [OPTION]...   print the PID, wait for a tracer, run NAME
       ioworkload --expect=NAME [OPTION]...     print the calls that the same run makes, as JSON
       ioworkload --list [--long]               print the scenarios' names; --long: what each does
       ioworkload --version                     print its version and that of the traces' format
       ioworkload --help                        print this

Also -scenario=NAME, --scenario NAME, -scenario NAME and --expect NAME, and -h for --help.

Options, each at most once, before or after the name:
  --hold=MODE      wait before the scenario
  --linger=MODE    stay after it; not after one that has failed
  --deadline=MS    how long stdin, fd and file are waited for (120000); then exit 1
  --repeat=N       run the body of the scenario N times, 1 to 4294967295
  --interval=US    sleep so many microseconds between two rounds

MODE is what opens the gate. With any but none the PID is printed first, on a line of its own.
  none        nothing: do not wait
  stdin       a byte or end-of-file on standard input
  fd:N        the same on descriptor N, which must be open
  sleep:MS    the time, in milliseconds
  file:PATH   that PATH exists; looked for every 10 ms

Without --hold, --scenario waits 8 s, unless a variable says otherwise. An option wins over its
variable; without --scenario variables mean nothing.
  IOR_WORKLOAD_STARTUP_FILE=PATH     as --hold=file:PATH, at most 30 s (goes before the delay)
  IOR_WORKLOAD_STARTUP_DELAY_MS=MS   as --hold=sleep:MS
  IOR_WORKLOAD_HOLD_FILE=PATH        as --linger=file:PATH, at most 120 s, after which exit 0

Exit code: 0 the scenario ran as expected; 1 it did not, a gate stayed shut, or what is
to be printed can't be written; 2 usage;
77 this machine can't run it now (no AIO, a sandbox forbids it, fs.aio-max-nr is used up);
101 a bug.";

/// What `--version` prints: the program's version, and that of the format of the expected traces.
pub const VERSION: &str = concat!(
    "ioworkload ",
    env!("CARGO_PKG_VERSION"),
    ", expected traces in format 1"
);

/// What is asked for.
#[derive(Clone, Copy)]
pub enum Command {
    /// `--help`.
    Help,
    /// `--list`; with `--long`, what each does too.
    List {
        /// `--long`.
        long: bool,
    },
    /// `--version`.
    Version,
    /// `NAME`: run it.
    Run(&'static Scenario),
    /// `--scenario=NAME`: run it by the original's contract.
    Attach(&'static Scenario),
    /// `--expect=NAME`: say which calls a run makes.
    Expect(&'static Scenario),
}

/// How it is to be run.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// `--hold`.
    pub hold: Option<Mode<'a>>,
    /// `--linger`.
    pub linger: Option<Mode<'a>>,
    /// `--deadline`, in milliseconds.
    pub deadline_ms: Option<u32>,
    /// `--repeat`, at least 1.
    pub repeat: Option<u32>,
    /// `--interval`, in microseconds.
    pub interval_us: Option<u32>,
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
    /// An option without its value; this is how it is written.
    NoValue(&'static str),
    /// More than one thing is asked for, or one thing twice; this is the first that is too many.
    TooMany(&'a [u8]),
    /// An option or a variable, what its value is not, and the value.
    BadValue(&'static str, &'static str, &'a [u8]),
    /// The option that asks for a descriptor, and the descriptor, which is not open.
    Closed(&'static str, u32),
}

/// Reads the arguments that follow the program's name.
///
/// # Errors
/// What is wrong with them.
pub fn parse<'a>(
    mut args: impl Iterator<Item = &'a CStr>,
) -> Result<(Command, Options<'a>), Misuse<'a>> {
    let mut options = Options::default();
    let (mut command, mut option) = (None, None);
    while let Some(arg) = args.next() {
        if options.take(arg)? {
            option = option.or(Some(arg.to_bytes()));
        } else if let (Some(Command::List { long: false }), b"--long") = (command, arg.to_bytes()) {
            command = Some(Command::List { long: true });
        } else if command.is_some() {
            return Err(Misuse::TooMany(arg.to_bytes()));
        } else {
            command = Some(word(arg.to_bytes(), &mut args)?);
        }
    }
    match (command.ok_or(Misuse::NoScenario)?, option) {
        (Command::Help | Command::List { .. } | Command::Version, Some(option)) => {
            Err(Misuse::TooMany(option))
        }
        (command, _) => Ok((command, options)),
    }
}

/// What one argument that is no option asks for, and where its value is another, both.
fn word<'a>(
    arg: &'a [u8],
    args: &mut impl Iterator<Item = &'a CStr>,
) -> Result<Command, Misuse<'a>> {
    let value = |name: &[u8]| arg.strip_prefix(name);
    let mut next = || args.next().unwrap_or_default().to_bytes();
    match arg {
        b"--help" | b"-h" => return Ok(Command::Help),
        b"--list" => return Ok(Command::List { long: false }),
        b"--version" => return Ok(Command::Version),
        b"--scenario" | b"-scenario" => return find(next()).map(Command::Attach),
        b"--expect" => return find(next()).map(Command::Expect),
        _ => {}
    }
    if let Some(name) = value(b"--scenario=").or_else(|| value(b"-scenario=")) {
        find(name).map(Command::Attach)
    } else if let Some(name) = value(b"--expect=") {
        find(name).map(Command::Expect)
    } else if arg.starts_with(b"-") {
        Err(Misuse::UnknownOption(arg))
    } else {
        find(arg).map(Command::Run)
    }
}

fn find(name: &[u8]) -> Result<&'static Scenario, Misuse<'_>> {
    if name.is_empty() {
        return Err(Misuse::NoScenario);
    }
    scenario::find(name).ok_or(Misuse::UnknownScenario(name))
}

impl<'a> Options<'a> {
    /// Takes an argument, if it is one of these.
    fn take(&mut self, arg: &'a CStr) -> Result<bool, Misuse<'a>> {
        let bytes = arg.to_bytes();
        let Some(equals) = bytes.iter().position(|byte| *byte == b'=') else {
            let form = form(bytes).map(Misuse::NoValue);
            return form.map_or(Ok(false), Err);
        };
        let (name, value) = (bytes.split_at(equals).0, tail(arg, equals + 1));
        let value = value.unwrap_or_default();
        let done = match name {
            b"--hold" => set(&mut self.hold, mode("--hold", value)?),
            b"--linger" => set(&mut self.linger, mode("--linger", value)?),
            b"--deadline" => set(&mut self.deadline_ms, count("--deadline", NO_MS, value, 0)?),
            b"--repeat" => set(&mut self.repeat, count("--repeat", NO_COUNT, value, 1)?),
            b"--interval" => set(&mut self.interval_us, count("--interval", NO_US, value, 0)?),
            _ => return Ok(false),
        };
        done.then_some(true).ok_or(Misuse::TooMany(bytes))
    }

    /// The gates, before and after the scenario.
    #[must_use]
    pub fn gates(&self) -> [Gate<'a>; 2] {
        [self.hold, self.linger].map(|mode| self.gate(mode.unwrap_or(Mode::None)))
    }

    /// The gates of the original's contract, where variables speak if no option does; `env` gives
    /// the value of one, by its name and `=`. An empty variable counts as none.
    ///
    /// # Errors
    /// A delay that is no number, or that 32 bits don't hold; a path that no file can have.
    pub fn original_gates(
        &self,
        env: impl Fn(&[u8]) -> Option<&'a CStr>,
    ) -> Result<[Gate<'a>; 2], Misuse<'a>> {
        let env = |name: &str| env(name.as_bytes()).filter(|value| !value.is_empty());
        let [mut hold, mut linger] = self.gates();
        if self.hold.is_none() {
            hold = self.original_hold(env(STARTUP_FILE), env(STARTUP_DELAY))?;
        }
        if let (None, Some(path)) = (self.linger, env(HOLD_FILE)) {
            linger = self.gate(path_of(HOLD_FILE, path)?);
            linger.must_open = self.deadline_ms.is_some();
        }
        Ok([hold, linger])
    }

    fn original_hold(
        &self,
        file: Option<&'a CStr>,
        delay: Option<&'a CStr>,
    ) -> Result<Gate<'a>, Misuse<'a>> {
        let gate = match (file, delay) {
            (Some(path), _) => Gate {
                deadline_ms: self.deadline_ms.unwrap_or(STARTUP_DEADLINE_MS),
                ..self.gate(path_of(STARTUP_FILE, path)?)
            },
            (_, Some(ms)) => {
                let ms = number(ms.to_bytes()).ok_or(bad(STARTUP_DELAY, NO_MS, ms))?;
                self.gate(Mode::Sleep(ms))
            }
            _ => self.gate(Mode::Sleep(DELAY_MS)),
        };
        Ok(gate)
    }

    /// How long gates are waited at, and for room where what is printed finds none.
    #[must_use]
    pub fn patience_ms(&self) -> u32 {
        self.deadline_ms.unwrap_or(DEADLINE_MS)
    }

    fn gate(&self, mode: Mode<'a>) -> Gate<'a> {
        Gate {
            mode,
            deadline_ms: self.patience_ms(),
            must_open: true,
        }
    }
}

const NO_US: &str = "no number of microseconds up to 4294967295";
const NO_COUNT: &str = "no number from 1 to 4294967295";

/// How the option of this name is written.
fn form(name: &[u8]) -> Option<&'static str> {
    let of_name = |form: &&&str| form.split('=').next().map(str::as_bytes) == Some(name);
    FORMS.iter().find(of_name).copied()
}

/// A variable's value that is wrong.
fn bad<'a>(variable: &'static str, why: &'static str, value: &'a CStr) -> Misuse<'a> {
    let name = variable.strip_suffix('=').unwrap_or(variable);
    Misuse::BadValue(name, why, value.to_bytes())
}

fn path_of<'a>(variable: &'static str, path: &'a CStr) -> Result<Mode<'a>, Misuse<'a>> {
    Mode::file(path).map_err(|why| bad(variable, why, path))
}

/// Whether the option is given for the first time.
fn set<T>(place: &mut Option<T>, value: T) -> bool {
    place.replace(value).is_none()
}

fn mode<'a>(option: &'static str, value: &'a CStr) -> Result<Mode<'a>, Misuse<'a>> {
    Mode::parse(value).map_err(|why| Misuse::BadValue(option, why, value.to_bytes()))
}

fn count<'a>(
    option: &'static str,
    why: &'static str,
    value: &'a CStr,
    least: u32,
) -> Result<u32, Misuse<'a>> {
    let value = value.to_bytes();
    number(value)
        .filter(|number| *number >= least)
        .ok_or(Misuse::BadValue(option, why, value))
}
