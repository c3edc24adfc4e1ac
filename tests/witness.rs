//! Do independent witnesses, each on its own path through the kernel, see exactly the calls that
//! are expected, and would each notice if not?

mod programs;

use anyhow::{Context, Result, ensure};
use ioworkload_tests::compare::{Verdict, compare};
use ioworkload_tests::expected::load;
use ioworkload_tests::room::Room;
use ioworkload_tests::trace::Witness;
use ioworkload_tests::{ftrace, perf, scenarios, shipped, strace};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::LazyLock;

const WITNESSES: [(&str, Witness); 3] = [
    ("strace", strace::witness),
    ("perf", perf::witness),
    ("ftrace", ftrace::witness),
];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (name, witness) in WITNESSES {
        for scenario in scenarios() {
            let title = format!("{name}::{scenario}");
            trials.push(trial(title, move || exact(witness, &scenario)));
        }
        for fault in FAULTS {
            let title = format!("control::{name}::{}", fault.name);
            trials.push(trial(title, move || notices(witness, fault)));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(title: String, test: impl FnOnce() -> Result<()> + Send + 'static) -> Trial {
    let test = move || test().map_err(|error| Failed::from(format!("{error:#}")));
    Trial::test(title, test)
}

fn exact(witness: Witness, scenario: &str) -> Result<()> {
    let verdict = verdict(witness, &shipped(scenario), scenario)?;
    ensure!(verdict.exact(), "{verdict}");
    Ok(())
}

/// What a witness sees of a program, held against a scenario.
fn verdict(witness: Witness, program: &Path, scenario: &str) -> Result<Verdict> {
    let room = Room::new();
    let seen = witness(program, &|command: &mut Command| room.as_tmp(command))?;
    Ok(compare(&load(scenario)?, &seen))
}

/// A way in which tests/programs/altered.rs is not aio-submit, and the differences that it makes:
/// how each line starts.
struct Fault {
    name: &'static str,
    differences: &'static [&'static str],
}

static FAULTS: &[Fault] = &[
    Fault {
        name: "none",
        differences: &[],
    },
    Fault {
        name: "one-more",
        differences: &["not asked for: getpid() = "],
    },
    Fault {
        name: "one-less",
        differences: &["missing: io_destroy"],
    },
    Fault {
        name: "order",
        differences: &["missing: io_destroy", "not asked for: io_destroy(0x7"],
    },
    Fault {
        name: "nr_events",
        differences: &["io_setup(0x21, "],
    },
    Fault {
        name: "thread",
        differences: &[
            "not asked for: clone(0x210f00, ",
            "not asked for: another thread or process, which did exit(0x210f00) = ?",
        ],
    },
];

/// The program with a fault. All are built together, once, before the first of them runs.
fn altered(fault: &str) -> Result<PathBuf> {
    static ALL: LazyLock<Vec<Result<PathBuf, String>>> =
        LazyLock::new(|| FAULTS.iter().map(|fault| build(fault.name)).collect());
    let at = FAULTS.iter().position(|other| other.name == fault);
    let program = &ALL[at.context("no such fault")?];
    program.clone().map_err(anyhow::Error::msg)
}

fn build(fault: &str) -> Result<PathBuf, String> {
    let flags = [
        "--check-cfg=cfg(fault,values(any()))".into(),
        format!("--cfg=fault=\"{fault}\""),
    ];
    programs::compile_as(&format!("altered-{fault}"), "altered", &flags)
}

fn notices(witness: Witness, fault: &Fault) -> Result<()> {
    let found = verdict(witness, &altered(fault.name)?, "aio-submit")?.differences();
    let pairs = found.iter().zip(fault.differences);
    let named = pairs.fold(true, |named, (line, start)| {
        named && line.starts_with(start)
    });
    let wanted = fault.differences;
    ensure!(
        named && found.len() == wanted.len(),
        "wanted {wanted:?}, found {found:?}"
    );
    Ok(())
}
