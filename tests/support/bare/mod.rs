//! The programs without anything else: in an archive of their own, as the whole file system of a machine or
//! of a container.

pub mod accelerator;
pub mod apt;
pub mod archive;
pub mod container;
pub mod kernel;
pub mod ktap;
pub mod kunit;
pub mod matrix;
pub mod oops;
pub mod vm;

use crate::{scenarios, shipped};
use anyhow::{Context, Result, bail, ensure};
use archive::{Node, initramfs};
use ioworkload_check::compare::{Verdict, compare};
use ioworkload_check::expected::load_on;
use ktap::Report;
use vm::{Boot, End, Machine};

/// A container's root directory: every program that is shipped, and /tmp.
#[must_use]
pub fn root() -> Vec<Node> {
    let names = scenarios()
        .into_iter()
        .chain(["init", "ioworkload"].map(str::to_owned));
    let programs = names.map(|name| Node::program(&name, shipped(&name)));
    programs.chain([tmp()]).collect()
}

/// A machine's: these, and /dev.
#[must_use]
pub fn ground() -> Vec<Node> {
    root().into_iter().chain(dev()).collect()
}

/// A machine's root directory with one program.
#[must_use]
pub fn ground_of(program: &str) -> Vec<Node> {
    let program = Node::program(program, shipped(program));
    dev().into_iter().chain([tmp(), program]).collect()
}

/// /tmp, for everybody.
#[must_use]
pub fn tmp() -> Node {
    Node::directory("tmp", 0o1777)
}

/// /dev: the console, which the kernel opens for its first process, a serial port for the verdict, and what
/// needs no driver.
#[must_use]
pub fn dev() -> [Node; 5] {
    [
        Node::directory("dev", 0o755),
        Node::device("dev/console", 0o600, 5, 1),
        Node::device("dev/null", 0o666, 1, 3),
        Node::device("dev/ttyS1", 0o600, 4, 65),
        Node::device("dev/zero", 0o666, 1, 5),
    ]
}

/// Boots `init` and reads its report; `words` stand on the kernel's command line.
///
/// # Errors
/// QEMU is missing, or there is no whole report.
pub fn run(
    machine: &Machine,
    log: &str,
    nodes: Vec<Node>,
    words: &str,
    each: &mut dyn FnMut(&str),
) -> Result<(Report, Boot)> {
    let boot = machine.boot(log, &initramfs(nodes)?, words, each)?;
    let report = report(&boot).with_context(|| boot.log.display().to_string())?;
    Ok((report, boot))
}

/// The report of a machine, if all that it has left says the same.
///
/// # Errors
/// It has not come to its end, there is no whole report, or init's verdict is another.
pub fn report(boot: &Boot) -> Result<Report> {
    match &boot.end {
        End::TimedOut(limit) => bail!(
            "still running after {} s, so it was stopped",
            limit.as_secs()
        ),
        End::Qemu(how) => bail!("QEMU ended with {how}"),
        End::Halted => bail!("init has stopped the machine: nobody takes its verdict"),
        End::Well | End::Badly | End::Off => {}
    }
    // The kernel goes on with what it has got out of a broken archive, if it can.
    let broken = boot
        .console
        .iter()
        .find(|line| line.contains("nitramfs unpacking failed"));
    if let Some(line) = broken.map(String::as_str).or(boot.panic()) {
        bail!("{line}")
    }
    let report = ktap::read(boot.console.iter().map(String::as_str))?;
    let verdict = match (&boot.end, boot.verdict.as_str()) {
        (End::Well, _) | (End::Off, "0") => true,
        (End::Badly, _) | (End::Off, "1") => false,
        (_, verdict) => bail!("no verdict: {verdict:?}"),
    };
    ensure!(
        verdict == report.well(),
        "the report says one thing and init's verdict another"
    );
    Ok(report)
}

/// Boots straight into a fixture, the only file of its archive, and compares what the kernel sees
/// with the expected trace.
///
/// # Errors
/// QEMU is missing, or the machine has not come to the fixture's end.
pub fn trace(machine: &Machine, scenario: &str) -> Result<Verdict> {
    let expected = load_on(scenario, machine.kernel.version()?)?;
    let log = format!("{}-{scenario}", machine.kernel.name);
    let seen = oops::witness(machine, &log, ground_of(scenario), scenario, &expected)?;
    Ok(compare(&expected, &seen))
}
