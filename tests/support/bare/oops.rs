//! The witness ftrace, inside a machine: the kernel's boot-time tracer notes the calls of its first
//! process, which is the fixture, and of that one's children; when the first process ends, the
//! kernel panics and writes the notes to the console (`ftrace_dump_on_oops`,
//! `Documentation/admin-guide/kernel-parameters.txt`). Nothing else runs there.

use super::archive::{Node, initramfs};
use super::vm::{Boot, End, Machine};
use crate::expected::{Count, Entry, Expected, Range};
use crate::trace::{Call, Seen};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;

/// The first process.
const FIRST: i64 = 1;
const EXECVE: i64 = 59;
const EXIT_GROUP: u64 = 231;
/// clone, fork, vfork, clone3.
const STARTERS: [u64; 4] = [56, 57, 58, 435];

const TRACER: &str =
    "trace_event=raw_syscalls:sys_enter,raw_syscalls:sys_exit ftrace_dump_on_oops printk.time=0";

/// From so many calls on the tracer gets more room than it has by default, which takes the kernel
/// seconds to prepare: its own buffer must hold all of them, and the log, too. Where the log starts
/// anew in the middle of a panic, Linux 7.2 stops.
const LONG: u64 = 1000;
const ROOM: &str = " trace_buf_size=32M log_buf_len=32M";
/// What these take, in MiB, and the kernel.
const ROOMY: u32 = 512;

/// How many calls there are at most, each round of a repetition counted.
fn longest(entries: &[Entry]) -> u64 {
    let count = |entry: &Entry| match entry {
        Entry::Call(_) => 1,
        Entry::Repeat(repeat) => {
            let (Count::Exact(rounds) | Count::Range(Range { max: rounds, .. })) = repeat.repeat;
            rounds * longest(&repeat.calls)
        }
    };
    entries.iter().map(count).sum()
}

/// Boots a machine straight into the program `name` of an archive, and gives back what the kernel
/// has seen it do. `expected` knows the names of the calls, and how many registers each has.
///
/// # Errors
/// QEMU is missing, the machine has not come to the program's end, or the tracer has lost something.
pub fn witness(
    machine: &Machine,
    log: &str,
    nodes: Vec<Node>,
    name: &str,
    expected: &Expected,
) -> Result<Seen> {
    let mut machine = machine.clone();
    let mut words = format!("rdinit=/{name} {TRACER}");
    if longest(&expected.calls) > LONG {
        words += ROOM;
        machine.memory = machine.memory.max(ROOMY);
    }
    let boot = machine.boot(log, &initramfs(nodes)?, &words, &mut |_| ())?;
    read(&boot, expected).with_context(|| boot.log.display().to_string())
}

fn read(boot: &Boot, expected: &Expected) -> Result<Seen> {
    ensure!(
        boot.end == End::Off,
        "the machine has not panicked: {:?}",
        boot.end
    );
    let panic = boot
        .panic()
        .context("no panic, so no end of the first process")?;
    let status =
        panic.strip_prefix("Kernel panic - not syncing: Attempted to kill init! exitcode=0x");
    let status = status.with_context(|| panic.to_owned())?;
    let mut steps = steps(&boot.console)?;
    let first = steps
        .get_mut(&FIRST)
        .context("the first process has done nothing")?;
    let execve = first
        .iter()
        .position(|step| matches!(step, Step::Exit(EXECVE, 0)));
    // What came before was the start of the process itself.
    first.drain(..=execve.context("the tracer has not seen the start")?);
    let mut seen = family(FIRST, &steps, expected)?;
    seen.end = end(u32::from_str_radix(status, 16)?);
    Ok(seen)
}

/// The end that a wait status tells of.
fn end(status: u32) -> String {
    match (status & 0x7f, status >> 8 & 0xff) {
        (0, code) => format!("exited with {code}"),
        (signal, _) => {
            let name = nix::sys::signal::Signal::try_from(signal as i32);
            name.map_or(format!("killed by signal {signal}"), |name| {
                format!("killed by {name}")
            })
        }
    }
}

/// One line of the tracer's.
enum Step {
    /// sys_enter: the number, and the six registers.
    Enter(i64, Vec<u64>),
    /// sys_exit: the number, and the result.
    Exit(i64, i64),
}

/// The tracer's lines, by process.
fn steps(console: &[String]) -> Result<BTreeMap<i64, Vec<Step>>> {
    let mut steps: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for line in console {
        ensure!(
            !line.contains(" EVENTS]"),
            "the tracer has lost something: {line}"
        );
        if line.contains(": sys_enter: ") || line.contains(": sys_exit: ") {
            let (pid, step) = step(line).with_context(|| format!("the tracer wrote {line:?}"))?;
            steps.entry(pid).or_default().push(step);
        }
    }
    Ok(steps)
}

/// `aio-gete-1         0..... 1460071us : sys_enter: NR 209 (7fb66af2e000, 1, …)`,
/// `aio-gete-1         0..... 1461390us : sys_exit: NR 209 = 1`.
fn step(line: &str) -> Option<(i64, Step)> {
    let (process, event) = line.split_once(": sys_")?;
    let process = process.split_whitespace().find(|word| word.contains('-'))?;
    let (_, pid) = process.rsplit_once('-')?;
    let (kind, event) = event.split_once(": NR ")?;
    let (nr, event) = event.split_once(' ')?;
    let nr = nr.parse().ok()?;
    let step = if kind == "enter" {
        let args = event.strip_prefix('(')?.strip_suffix(')')?.split(", ");
        let args = args.map(|arg| u64::from_str_radix(arg, 16).ok());
        Step::Enter(nr, args.collect::<Option<_>>()?)
    } else {
        Step::Exit(nr, event.strip_prefix("= ")?.parse().ok()?)
    };
    Some((pid.parse().ok()?, step))
}

/// The calls of a process, and of those that it has started.
fn family(pid: i64, steps: &BTreeMap<i64, Vec<Step>>, expected: &Expected) -> Result<Seen> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open = false;
    for step in steps.get(&pid).map(Vec::as_slice).unwrap_or_default() {
        match step {
            Step::Enter(nr, registers) => {
                calls.push(call(*nr as u64, registers, expected));
                open = true;
            }
            // A child's first line is the return of the call that made it.
            Step::Exit(_, 0) if calls.is_empty() && pid != FIRST => {}
            Step::Exit(nr, ret) => {
                let call = calls
                    .last_mut()
                    .filter(|call| open && call.nr == *nr as u64);
                let Some(call) = call else {
                    bail!("process {pid}: sys_exit of {nr} without sys_enter")
                };
                call.ret = Some(*ret);
                open = false;
            }
        }
    }
    let started = calls.iter().filter(|call| STARTERS.contains(&call.nr));
    let started = started.filter_map(|call| call.ret.filter(|ret| *ret > 0));
    let children = started
        .map(|child| family(child, steps, expected))
        .collect::<Result<_>>()?;
    let end = match calls.last() {
        Some(Call {
            nr: EXIT_GROUP,
            ret: None,
            args,
            ..
        }) => end((args[0] as u32 & 0xff) << 8),
        _ => "did not exit by itself".into(),
    };
    Ok(Seen {
        calls,
        end,
        children,
    })
}

fn call(nr: u64, registers: &[u64], expected: &Expected) -> Call {
    let known = expected.each().into_iter().find(|call| call.nr == nr);
    let (name, args) = match known {
        Some(call) => (call.name.clone(), call.args.len()),
        None => (format!("syscall {nr}"), registers.len()),
    };
    Call {
        name,
        nr,
        args: registers.iter().take(args).copied().collect(),
        ..Call::default()
    }
}
