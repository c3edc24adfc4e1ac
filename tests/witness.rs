//! Do independent witnesses, each on its own path through the kernel, see exactly the calls that
//! are expected, and would each notice if not?

mod programs;

use anyhow::{Context, Result, anyhow, ensure};
use ioworkload_tests::compare::compare;
use ioworkload_tests::expected::load;
use ioworkload_tests::held::Held;
use ioworkload_tests::room::Room;
use ioworkload_tests::trace::{Seen, Witness};
use ioworkload_tests::{bpftrace, ftrace, perf, ptrace, scenarios, seccomp, shipped, strace};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{LazyLock, Mutex};

const WITNESSES: [(&str, Witness); 5] = [
    ("strace", strace::witness),
    ("ptrace", ptrace::witness),
    ("perf", perf::witness),
    ("ftrace", ftrace::witness),
    ("bpftrace", bpftrace::witness),
];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (name, witness) in WITNESSES {
        for scenario in scenarios() {
            let title = format!("{name}::{scenario}");
            trials.push(trial(title, move || exact(name, witness, &scenario)));
        }
        for fault in FAULTS {
            let title = format!("control::{name}::{}", fault.name);
            trials.push(trial(title, move || notices(witness, fault)));
        }
    }
    for scenario in scenarios() {
        let title = format!("seccomp::{scenario}");
        trials.push(trial(title, move || allowed(&scenario)));
    }
    for fault in FAULTS {
        let title = format!("control::seccomp::{}", fault.name);
        trials.push(trial(title, move || forbidden(fault)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(title: String, test: impl FnOnce() -> Result<()> + Send + 'static) -> Trial {
    let test = move || test().map_err(|error| Failed::from(format!("{error:#}")));
    Trial::test(title, test)
}

fn exact(name: &str, witness: Witness, scenario: &str) -> Result<()> {
    let seen = if name == "bpftrace" {
        seen_together(scenario)?
    } else {
        watch(witness, &shipped(scenario))?
    };
    let verdict = compare(&load(scenario)?, &seen);
    ensure!(verdict.exact(), "{verdict}");
    let unread = match name {
        "ptrace" => &[],
        "bpftrace" => out_of_reach(scenario),
        // They see no memory.
        _ => return Ok(()),
    };
    ensure!(verdict.unread == unread, "not read: {:?}", verdict.unread);
    Ok(())
}

/// What a program in the kernel can't read: pages that were never touched.
fn out_of_reach(_scenario: &str) -> &'static [&'static str] {
    &[]
}

/// What a witness sees of a program.
fn watch(witness: Witness, program: &Path) -> Result<Seen> {
    let room = Room::new();
    let seen = witness(program, &|command| room.as_tmp(command))?;
    ensure!(room.names().is_empty(), "left behind: {:?}", room.names());
    Ok(seen)
}

/// What one bpftrace sees of all scenarios: of this one.
fn seen_together(scenario: &str) -> Result<Seen> {
    static ALL: LazyLock<Mutex<Result<Vec<Result<Seen>>>>> =
        LazyLock::new(|| Mutex::new(together()));
    let mut all = ALL.lock().expect("no test panics");
    let all = all.as_mut().map_err(|error| anyhow!("{error:#}"))?;
    let at = scenarios().iter().position(|other| other == scenario);
    let seen = &mut all[at.context("no such scenario")?];
    std::mem::replace(seen, Err(anyhow!("asked for twice")))
}

fn together() -> Result<Vec<Result<Seen>>> {
    let room = Room::new();
    let held = |name: &String| Held::new(&shipped(name), &|command| room.as_tmp(command));
    let held = scenarios().iter().map(held).collect::<Result<_>>()?;
    let all = bpftrace::together(held)?;
    ensure!(room.names().is_empty(), "left behind: {:?}", room.names());
    Ok(all)
}

/// The kernel lets the scenario pass that makes its own calls only.
fn allowed(scenario: &str) -> Result<()> {
    let room = Room::new();
    let confine = |command: &mut Command| room.as_tmp(command);
    let end = seccomp::witness(&load(scenario)?, &shipped(scenario), &confine)?;
    ensure!(end == "exited with 0", "it {end}");
    Ok(())
}

/// A way in which tests/programs/altered.rs is not aio-submit, and the differences that it makes:
/// how each line starts.
struct Fault {
    name: &'static str,
    differences: &'static [&'static str],
    /// How it ends where only the calls of aio-submit are allowed.
    end: &'static str,
}

static FAULTS: &[Fault] = &[
    Fault {
        name: "none",
        differences: &[],
        end: "exited with 0",
    },
    Fault {
        name: "one-more",
        differences: &["not asked for: getpid() = "],
        end: "killed by SIGSYS",
    },
    Fault {
        name: "one-less",
        differences: &["missing: io_destroy"],
        end: "exited with 0",
    },
    Fault {
        name: "order",
        differences: &["missing: io_destroy", "not asked for: io_destroy(0x7"],
        end: "exited with 0",
    },
    Fault {
        name: "nr_events",
        differences: &["io_setup(0x21, "],
        end: "killed by SIGSYS",
    },
    Fault {
        name: "thread",
        differences: &[
            "not asked for: clone(0x210f00, ",
            "not asked for: another thread or process, which did exit(0x210f00) = ?",
        ],
        end: "killed by SIGSYS",
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
    let seen = watch(witness, &altered(fault.name)?)?;
    let found = compare(&load("aio-submit")?, &seen).differences();
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

/// The filter sees which calls are made, so a call that is missing and another order escape it.
fn forbidden(fault: &Fault) -> Result<()> {
    let room = Room::new();
    let confine = |command: &mut Command| room.as_tmp(command);
    let program = altered(fault.name)?;
    let end = seccomp::witness(&load("aio-submit")?, &program, &confine)?;
    ensure!(end == fault.end, "it {end}, not {}", fault.end);
    Ok(())
}
