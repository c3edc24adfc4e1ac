//! Input: the command line, its options, the gates and the variables, with bytes of all kinds: what
//! is right, what is nearly right, and what is noise.
//!
//! The rule: the parser ends, and never panics; a process says with 2 what the parser finds wrong,
//! with 0 that it did what was asked, with 1 that a gate stayed shut, and nothing else with anything
//! else. Waits that nobody would see the end of are parsed and not run.

use crate::length::{SEED, progress, rounds};
use crate::run::{Ended, run};
use crate::tally::{Cases, trial};
use anyhow::{Result, anyhow, ensure};
use ioworkload::cli::{Command as Asked, Misuse, Options, parse};
use ioworkload::gate::{Gate, Mode};
use ioworkload::text::Line;
use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use libtest_mimic::Trial;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::ffi::{CStr, CString, OsStr};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::panic;
use std::process::Command;

const PARSER: &str = "5 input, parser";
const PROCESS: &str = "5 input, processes";

pub fn trials() -> Vec<Trial> {
    vec![
        trial(PARSER, "ioworkload", |_, cases| {
            parsed(cases);
            Ok(())
        }),
        trial(PROCESS, "ioworkload", |_, cases| {
            processed(cases);
            Ok(())
        }),
        Trial::test("5 input::control", || Ok(control()?)),
    ]
}

/// What a process is started with.
#[derive(Clone, Debug)]
struct Input {
    args: Vec<CString>,
    /// The variables of the original's contract: file, delay, hold file.
    env: [Option<CString>; 3],
}

const VARIABLES: [&str; 3] = [
    "IOR_WORKLOAD_STARTUP_FILE",
    "IOR_WORKLOAD_STARTUP_DELAY_MS",
    "IOR_WORKLOAD_HOLD_FILE",
];

fn inputs() -> impl Strategy<Value = Input> {
    let env = [variable(), variable(), variable()];
    let inputs = (vec(argument(), 0..6), env);
    inputs.prop_map(|(args, env)| Input { args, env })
}

fn variable() -> impl Strategy<Value = Option<CString>> {
    prop_oneof![Just(None), value().prop_map(Some)]
}

fn argument() -> impl Strategy<Value = CString> {
    let fronts = [
        "--hold=",
        "--linger=",
        "--deadline=",
        "--repeat=",
        "--interval=",
    ];
    let option = (select(fronts.to_vec()), value()).prop_map(|(front, value)| join(front, &value));
    let fronts = ["--scenario=", "-scenario=", "--expect=", ""];
    let name = (select(fronts.to_vec()), select(scenarios()));
    let name = name.prop_map(|(front, name)| join(front, &text(&name)));
    let words = [
        "--help",
        "-h",
        "--list",
        "--version",
        "--scenario",
        "-scenario",
        "--expect",
        "--hold",
        "--",
        "-",
        "",
    ];
    let word = select(words.to_vec()).prop_map(text);
    let right = prop_oneof![4 => option, 6 => name, 3 => word].boxed();
    let nearly = (right.clone(), any::<usize>(), 1..=255_u8).prop_map(|(arg, at, byte)| {
        let mut bytes = arg.into_bytes();
        match bytes.len() {
            0 => bytes.push(byte),
            len => bytes[at % len] = byte,
        }
        CString::new(bytes).expect("no NUL")
    });
    prop_oneof![6 => right, 2 => nearly, 1 => noise()]
}

fn value() -> impl Strategy<Value = CString> {
    let words = [
        "none", "stdin", "file:/", "file:", "fd:", "fd:0", "fd:1", "sleep:", "/", "nowhere",
    ];
    let word = select(words.to_vec()).prop_map(text);
    let fronts = ["", "", "sleep:", "fd:", "0", "-", "+", "file:"];
    let number = prop_oneof![3 => 0..20_u64, 1 => any::<u64>(), 1 => Just(1_u64 << 32)];
    let number = (select(fronts.to_vec()), number);
    let number = number.prop_map(|(front, number)| text(&format!("{front}{number}")));
    prop_oneof![3 => word, 4 => number, 1 => noise()]
}

fn noise() -> impl Strategy<Value = CString> {
    let bytes = prop_oneof![9 => vec(1..=255_u8, 0..40), 1 => vec(1..=255_u8, 0..6000)];
    bytes.prop_map(|bytes| CString::new(bytes).expect("no NUL"))
}

fn text(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

fn join(front: &str, value: &CStr) -> CString {
    let bytes = [front.as_bytes(), value.to_bytes()].concat();
    CString::new(bytes).expect("no NUL")
}

/// What is asked for, and how the run has to wait, or what is wrong.
type Verdict<'a> = Result<(Asked, Options<'a>, [Gate<'a>; 2]), Misuse<'a>>;

fn verdict(input: &Input) -> Verdict<'_> {
    let (asked, options) = parse(input.args.iter().map(CString::as_c_str))?;
    let variable = |name: &[u8]| {
        let name = name.strip_suffix(b"=")?;
        let at = VARIABLES
            .iter()
            .position(|known| known.as_bytes() == name)?;
        input.env[at].as_deref()
    };
    let gates = match asked {
        Asked::Attach(_) => options.original_gates(variable)?,
        _ => options.gates(),
    };
    Ok((asked, options, gates))
}

/// Which one it is of those that a seed makes: what is said of a long one is cut.
struct Numbered(usize, Input);

impl fmt::Debug for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SEED={}, number {}: {:?}", *SEED, self.0, self.1)
    }
}

/// What makes the same inputs of the same seed.
fn seeded() -> TestRunner {
    let seed = [SEED.to_le_bytes(); 4];
    let chance = TestRng::from_seed(RngAlgorithm::ChaCha, seed.as_flattened());
    TestRunner::new_with_rng(Config::default(), chance)
}

fn parsed(cases: &mut Cases) {
    let (mut runner, inputs) = (seeded(), inputs());
    for number in rounds(20_000, |count| count * 100) {
        let tree = inputs.new_tree(&mut runner).expect("an input");
        let input = tree.current();
        let outcome = panic::catch_unwind(|| told(&input)).map_err(|_| anyhow!("it panics"));
        match outcome.and_then(|outcome| outcome) {
            Ok(()) => cases.add("", Ok(())),
            lost => cases.add(&format!("{:?}", Numbered(number, input)), lost),
        }
        progress(PARSER, "inputs", number);
    }
}

/// Parses, and says what it has found: a command once, a misuse of some argument or variable that
/// is there.
fn told(input: &Input) -> Result<()> {
    let there = |bytes: &[u8]| {
        let mut all = input.args.iter().chain(input.env.iter().flatten());
        bytes.is_empty() || all.any(|one| one.to_bytes().ends_with(bytes))
    };
    let mut line = Line::default();
    match verdict(input) {
        Ok(_) | Err(Misuse::NoScenario | Misuse::Closed(..)) => {}
        Err(Misuse::NoValue(form)) => {
            let name = form.split('=').next().unwrap_or_default();
            ensure!(there(name.as_bytes()), "{name} is not there");
        }
        Err(
            Misuse::UnknownScenario(bytes)
            | Misuse::UnknownOption(bytes)
            | Misuse::TooMany(bytes)
            | Misuse::BadValue(_, _, bytes),
        ) => {
            ensure!(there(bytes), "{bytes:?} is not there");
            line.foreign(bytes);
        }
    }
    Ok(())
}

fn processed(cases: &mut Cases) {
    let (mut runner, inputs) = (seeded(), inputs());
    let mut numbers = rounds(1_200, |count| count).peekable();
    while numbers.peek().is_some() {
        let mut next = || inputs.new_tree(&mut runner).expect("an input").current();
        let some = numbers.by_ref().take(240).map(|number| {
            loop {
                let input = next();
                if ends_soon(&input) {
                    break Numbered(number, input);
                }
            }
        });
        let some: Vec<_> = some.collect();
        cases.each(&some, |Numbered(_, input)| started(input));
    }
}

/// Nobody waits for more than a moment, and nothing is done more than three times.
fn ends_soon(input: &Input) -> bool {
    let short = |gate: &Gate| match gate.mode {
        Mode::None => true,
        Mode::Sleep(ms) => ms <= 50,
        Mode::Fd(_) | Mode::File(_) => gate.deadline_ms <= 50,
    };
    verdict(input).map_or(true, |(_, options, gates)| {
        let few = options.repeat.unwrap_or(1) <= 3 && options.interval_us.unwrap_or(0) <= 1_000;
        few && gates.iter().all(short)
    })
}

fn started(input: &Input) -> Result<()> {
    let room = Room::new();
    let mut command = Command::new(shipped("ioworkload"));
    room.as_tmp(&mut command);
    command.args(
        input
            .args
            .iter()
            .map(|arg| OsStr::from_bytes(arg.to_bytes())),
    );
    for (name, value) in VARIABLES.iter().zip(&input.env) {
        command.env_remove(name);
        if let Some(value) = value {
            command.env(name, OsStr::from_bytes(value.to_bytes()));
        }
    }
    let ended = run(&mut command)?;
    ensure!(room.names().is_empty(), "left {:?}", room.names());
    judge(input, &ended)
}

fn judge(input: &Input, ended: &Ended) -> Result<()> {
    let codes: &[i32] = match verdict(input) {
        Err(_) => &[2],
        Ok((Asked::Run(_) | Asked::Attach(_), _, [hold, linger])) => {
            let gates = [hold.mode, linger.mode];
            let file = gates.iter().any(|mode| matches!(mode, Mode::File(_)));
            let descriptor = gates.iter().any(|mode| matches!(mode, Mode::Fd(_)));
            match (file, descriptor) {
                (false, false) => &[0, 77],
                (true, false) => &[0, 1, 77],
                // One that is not open, or can't be read.
                (_, true) => &[0, 1, 2, 77],
            }
        }
        Ok(_) => &[0],
    };
    let code = ended.code.unwrap_or(-1);
    let silent = ended.stderr.is_empty();
    ensure!(
        codes.contains(&code) && silent == (code == 0),
        "expected {codes:?}: {ended:?}"
    );
    Ok(())
}

/// The generator reaches what it must reach, and a wrong end is noticed.
fn control() -> Result<()> {
    let (mut runner, inputs) = (TestRunner::deterministic(), inputs());
    let mut seen = [0; 13];
    for _ in 0..20_000 {
        let input = inputs.new_tree(&mut runner).expect("an input").current();
        seen[kind(&verdict(&input))] += 1;
    }
    ensure!(
        seen.iter().all(|count| *count > 10),
        "too few of some kind: {seen:?}"
    );
    let args = vec![text("aio-setup")];
    let input = Input {
        args,
        env: [const { None }; 3],
    };
    let ends = |code, line| judge(&input, &Ended::with(code, line)).is_ok();
    ensure!(ends(0, "") && !ends(2, "usage") && !ends(101, "panic") && !ends(0, "text"));
    Ok(())
}

fn kind(verdict: &Verdict) -> usize {
    match verdict {
        Ok((Asked::Help, ..)) => 0,
        Ok((Asked::List { .. }, ..)) => 1,
        Ok((Asked::Version, ..)) => 2,
        Ok((Asked::Expect(_), ..)) => 3,
        Ok((Asked::Run(_), ..)) => 4,
        Ok((Asked::Attach(_), ..)) => 5,
        Err(Misuse::NoScenario) => 6,
        Err(Misuse::UnknownScenario(_)) => 7,
        Err(Misuse::UnknownOption(_)) => 8,
        Err(Misuse::TooMany(_)) => 9,
        Err(Misuse::BadValue("IOR_WORKLOAD_STARTUP_DELAY_MS", ..)) => 10,
        Err(Misuse::BadValue(..) | Misuse::Closed(..)) => 11,
        Err(Misuse::NoValue(_)) => 12,
    }
}
