//! The witness ftrace, inside a machine: the kernel's boot-time tracer notes the calls of its first
//! process, which is the fixture, and of that one's children; when the first process ends, the
//! kernel panics and writes the notes to the console (`ftrace_dump_on_oops`,
//! `Documentation/admin-guide/kernel-parameters.txt`). Nothing else runs there.

use super::archive::{Node, initramfs};
use super::vm::{Boot, End, Machine};
use anyhow::{Context, Result, ensure};
use ioworkload_check::events::{Event, family_with, parse};
use ioworkload_check::expected::{Count, Entry, Expected, Range};
use ioworkload_check::trace::{Call, Seen};
use nix::sys::signal::Signal;

/// The first process.
const FIRST: i32 = 1;

const TRACER: &str = "trace_event=raw_syscalls:sys_enter,raw_syscalls:sys_exit,\
                      sched:sched_process_fork ftrace_dump_on_oops";

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
/// has seen it do. `expected` tells how long that may get, and knows the calls.
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
    let status = panic.strip_prefix(DEATH);
    let status = status.with_context(|| panic.to_owned())?;
    let end = end(u32::from_str_radix(status, 16)?);
    let mut events = Vec::new();
    for line in &boot.console {
        ensure!(!line.contains(" EVENTS]"), "witness lost events: {line}");
        events.extend(event(line)?);
    }
    family_with(FIRST, &events, end, &|nr, args| {
        Ok(call(nr, args, expected))
    })
}

/// What the kernel says when its first process has ended; after it comes the wait status.
const DEATH: &str = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x";

/// The end that a wait status tells of.
fn end(status: u32) -> String {
    let signal = (status & 0x7f) as i32;
    match Signal::try_from(signal) {
        Ok(signal) => format!("killed by {signal}"),
        Err(_) if signal == 0 => format!("exited with {}", status >> 8 & 0xff),
        Err(_) => format!("killed by signal {signal}"),
    }
}

/// `aio-gete-1         0..... 1460071us : sys_enter: NR 209 (7fb66af2e000, 1, ...)`, if the line is
/// of that kind.
fn event(line: &str) -> Result<Option<Event>> {
    let is = |name: &str| line.split_once(&format!(": {name}: ")).is_some();
    if !["sys_enter", "sys_exit", "sched_process_fork"]
        .iter()
        .any(|name| is(name))
    {
        return Ok(None);
    }
    let parts = || {
        let (process, text) = line.split_once(" : ")?;
        // The name of a process can have blanks and dashes; what follows has no dash.
        let (_, rest) = process.rsplit_once('-')?;
        Some((rest.split(' ').next()?.parse().ok()?, text))
    };
    let (pid, text) = parts().with_context(|| format!("no event: {line:?}"))?;
    parse(pid, text).map(Some)
}

/// A call with its name and as many registers as it has, if it is one of the expected; otherwise
/// with its number and all of them. Only root could ask the machine's own kernel.
fn call(nr: u64, registers: &[u64; 6], expected: &Expected) -> Call {
    let known = expected.each().into_iter().find(|call| call.nr == nr);
    let (name, count) = match known {
        Some(call) => (call.name.clone(), call.args.len()),
        None => (format!("syscall {nr}"), registers.len()),
    };
    Call {
        name,
        nr,
        args: registers[..count].into(),
        ..Call::default()
    }
}
