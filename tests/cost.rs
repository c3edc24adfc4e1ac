//! What does a fixture cost beyond the calls that it is there for? The figures that no machine's mood
//! changes.

use anyhow::{Result, ensure};
use ioworkload_check::compare::compare;
use ioworkload_check::expected::load;
use ioworkload_tests::peers::{self, LIMIT, OURS, SCENARIOS};
use ioworkload_tests::room::Room;
use ioworkload_tests::starter::Starter;
use ioworkload_tests::trials::{self, trial};
use ioworkload_tests::{cpu, memory, root, scenarios, shipped, stepper, strace};
use libtest_mimic::{Arguments, Trial};
use nix::sched::sched_setaffinity;
use nix::unistd::Pid;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The most bytes that a fixture may have and the assembly has not.
const MORE: u64 = 1792;

fn main() -> ExitCode {
    let room = Room::new();
    // Before there is a thread: all that is measured here runs in this /tmp.
    room.enter().expect("a private /tmp");
    peers::build(&[]).expect("the assembly builds");
    let mut trials = controls();
    for name in SCENARIOS {
        trials.push(trial(format!("limit::{name}"), || limit(name)));
        trials.push(trial(format!("faults::{name}"), || faults(name)));
        trials.push(trial(format!("memory::{name}"), || memory(name)));
        trials.push(trial(format!("steps::{name}"), || fewer_steps(name)));
        trials.push(trial(format!("size::{name}"), || size(name)));
    }
    for name in scenarios().into_iter().filter(|name| few(name)) {
        let title = format!("steps-repeat::{name}");
        trials.push(trial(title, move || steps_repeat(&name)));
    }
    let mut args = Arguments::from_args();
    // They share a /tmp, and one scenario's runs would meet there.
    args.test_threads = Some(1);
    trials::run(&args, trials)
}

/// To step through 100,000 rounds takes more than a minute, and tells nothing that one does not.
fn few(name: &str) -> bool {
    load(name).expect("an expected trace").least() < 1000
}

/// The assembly and the fixture.
fn pair(name: &str) -> [PathBuf; 2] {
    [LIMIT, OURS].map(|variant| peers::program(variant, name))
}

/// What the fixtures are compared with makes the same calls, with the same arguments.
fn limit(name: &str) -> Result<()> {
    let seen = strace::witness(&pair(name)[0], &|_| ())?;
    let differences = compare(&load(name)?, &seen).differences();
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

/// Not a page fault more than the assembly has.
fn faults(name: &str) -> Result<()> {
    let [limit, ours] = pair(name).map(|program| faults_of(&program));
    let (limit, ours) = (limit?, ours?);
    println!("{name}: {ours} minor page faults, assembly {limit}");
    ensure!(ours == limit, "{ours} page faults, assembly {limit}");
    Ok(())
}

/// The same in each of 20 runs.
fn faults_of(program: &Path) -> Result<u64> {
    let mut starter = Starter::new(program, &[])?.fixed();
    let first = starter.start()?.faults;
    for _ in 1..20 {
        let again = starter.start()?.faults;
        ensure!(again == first, "{first} page faults, and then {again}");
    }
    Ok(first)
}

/// Not a page more than the assembly has.
fn memory(name: &str) -> Result<()> {
    let [limit, ours] = pair(name).map(|program| memory::peak(&program, &[]));
    let (limit, ours) = (limit?, ours?);
    println!("{name}: {ours} KiB, assembly {limit}");
    ensure!(ours == limit, "{ours} KiB, assembly {limit}");
    Ok(())
}

/// At most twice the instructions: half of them for holding each answer against what it must be.
fn fewer_steps(name: &str) -> Result<()> {
    let [limit, ours] = pair(name).map(|program| stepper::count(&program, &[], &|_| ()));
    let (limit, ours) = (limit?, ours?);
    println!("{name}: {ours} instructions, assembly {limit}");
    ensure!(ours <= 2 * limit, "{ours} instructions, assembly {limit}");
    Ok(())
}

/// What a fixture has and the assembly has not: the line that a failure prints, and what leads to
/// it. The README says what that is, byte by byte.
fn size(name: &str) -> Result<()> {
    let [limit, ours] = pair(name).map(|program| fs::metadata(program).map(|file| file.len()));
    let (limit, ours) = (limit?, ours?);
    println!("{name}: {ours} bytes, assembly {limit}");
    ensure!(ours <= limit + MORE, "{ours} bytes, assembly {limit}");
    Ok(())
}

/// A fixture executes the same number of instructions in every run on one CPU: how much of a full
/// ring each CPU keeps for itself decides how often aio-submit-full submits.
fn steps_repeat(name: &str) -> Result<()> {
    let count = || stepper::count(&shipped(name), &[], &on_one_cpu);
    let first = count()?;
    println!("{name}: {first} instructions");
    for _ in 1..if SCENARIOS.contains(&name) { 20 } else { 3 } {
        let again = count()?;
        ensure!(again == first, "{first} instructions, and then {again}");
    }
    Ok(())
}

/// Keeps what `command` starts on the first CPU that we may use.
fn on_one_cpu(command: &mut Command) {
    let first = cpu::first().expect("a CPU");
    let pin = move || Ok(sched_setaffinity(Pid::from_raw(0), &first)?);
    // SAFETY: between fork and exec `pin` makes one system call, on data made before the fork.
    unsafe { command.pre_exec(pin) };
}

/// The stepper counts what the source says, in a child too, and the same each time.
fn controls() -> Vec<Trial> {
    let rows: [(&str, &[&str], u64); 4] = [
        ("by-hand", &[], 2108),
        ("one-round-more", &["-DROUNDS=1001"], 2110),
        ("one-byte-more", &["-DBYTES=101"], 2109),
        ("a-child", &["-DFORK"], 2 * 2108 + 2),
    ];
    let row = |(title, flags, want)| {
        trial(format!("control::steps::{title}"), move || {
            steps(title, flags, want)
        })
    };
    let mut trials = Vec::from(rows.map(row));
    trials.push(trial("control::steps::ends-otherwise", ends_otherwise));
    trials.push(trial("control::a-page-more", a_page_more));
    trials
}

/// A count of what fails is no figure.
fn ends_otherwise() -> Result<()> {
    let rows = [("-DCODE=3", "ended with Some(3)"), ("-DTRAP", "SIGILL")];
    for (flag, end) in rows {
        let program = assemble("counted", "otherwise", &[flag])?;
        let error = stepper::count(&program, &[], &|_| ()).expect_err("an error");
        ensure!(format!("{error:#}").contains(end), "{flag}: {error:#}");
    }
    Ok(())
}

/// A page more is a fault more and a page more at the peak.
fn a_page_more() -> Result<()> {
    let programs = [("plain", "-DPLAIN"), ("page", "-DPAGE")];
    let [plain, page] = programs.map(|(name, flag)| -> Result<_> {
        let program = assemble("counted", name, &[flag])?;
        Ok((faults_of(&program)?, memory::peak(&program, &[])?))
    });
    let (plain, page) = (plain?, page?);
    ensure!(page == (plain.0 + 1, plain.1 + 4), "{plain:?}, {page:?}");
    Ok(())
}

fn steps(name: &str, flags: &[&str], want: u64) -> Result<()> {
    let program = assemble("counted", name, flags)?;
    for _ in 0..20 {
        let count = stepper::count(&program, &[], &|_| ())?;
        ensure!(count == want, "{count} instructions instead of {want}");
    }
    Ok(())
}

/// Builds tests/programs/SOURCE.S.
fn assemble(source: &str, name: &str, flags: &[&str]) -> Result<PathBuf> {
    let source = root()
        .join("tests/programs")
        .join(source)
        .with_extension("S");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("counted-{name}"));
    let mut cc = Command::new("cc");
    cc.args(["-nostdlib", "-static", "-no-pie", "-o"])
        .arg(&program)
        .args(flags)
        .arg(source);
    ensure!(cc.status()?.success(), "{cc:?} fails");
    Ok(program)
}
