//! The witness perf: the kernel's syscall events by way of perf_event_open. It is `perf record` and
//! not `perf trace`, because the latter shows no raw values: it leaves out arguments that are 0,
//! and translates flags and errors, not all of them in a way that can be translated back.

use crate::held::Held;
use crate::room::rooms;
use crate::tracefs;
use anyhow::{Context, Result, ensure};
use ioworkload_check::events::{Event, family, parse};
use ioworkload_check::trace::Seen;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Pages per CPU: room for 150,000 calls that perf had no time to fetch.
const BUFFER: usize = 8192;
const EVENTS: &str = "raw_syscalls:sys_enter,raw_syscalls:sys_exit,sched:sched_process_fork";

/// The calls of `program`.
///
/// # Errors
/// We are not root, perf is not there, or events were lost.
pub fn witness(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    with_buffer(BUFFER, program, confine)
}

/// The same with so many pages per CPU for the events.
///
/// # Errors
/// As above.
pub fn with_buffer(pages: usize, program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    tracefs::ready("perf")?;
    let held = Held::new(program, confine)?;
    let pid = held.pid();
    let directory = TempDir::new_in(rooms())?;
    let file = directory.path().join("data");
    let mut perf = record(&file, pages, pid)?;
    // perf ends with the last process that it watches; an end of its orders before that is an error.
    let orders = perf.stdin.take();
    let end = held.run()?;
    let output = perf.wait_with_output()?;
    drop(orders);
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "perf record: {} {said}",
        output.status
    );
    family(pid, &script(&file)?, end)
}

/// A perf that has told us, by the means it has for that, that it watches the process.
fn record(file: &Path, pages: usize, pid: i32) -> Result<Child> {
    let mut perf = Command::new("perf");
    perf.args([
        "record",
        "-q",
        "-B",
        "-N",
        "-D",
        "-1",
        "--control",
        "fd:0,1",
    ]);
    perf.args(["-e", EVENTS, "-m", &pages.to_string()]);
    perf.args(["-p", &pid.to_string(), "-o"]).arg(file);
    perf.stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut perf = perf
        .spawn()
        .context("perf does not start (Debian: linux-perf)")?;
    let (stdin, stdout) = (perf.stdin.as_mut(), perf.stdout.as_mut());
    let (stdin, stdout) = stdin.zip(stdout).context("perf has no pipes")?;
    // If that fails, perf has ended, and what it says is told below.
    let _ = stdin.write_all(b"enable\n");
    let mut answer = String::new();
    BufReader::new(stdout).read_line(&mut answer)?;
    if answer != "ack\n" {
        let output = perf.wait_with_output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::bail!("perf record does not start: {answer}{said}");
    }
    Ok(perf)
}

/// ` 123 456.000000789:   raw_syscalls:sys_exit: NR 206 = 0`, in order of time. perf record now and
/// then stores an event twice: of one thread, with one time to the nanosecond. A call has an entry and
/// an exit, so there are never two such.
fn script(file: &Path) -> Result<Vec<Event>> {
    let lost = lost(file)?;
    ensure!(lost == 0, "witness lost events: {lost}");
    let mut perf = Command::new("perf");
    perf.args(["script", "--ns", "-F", "tid,time,event,trace", "-i"]);
    let output = perf.arg(file).output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "perf script: {said}");
    let text = String::from_utf8(output.stdout)?;
    let mut lines: Vec<_> = text.lines().collect();
    lines.dedup();
    lines.into_iter().map(line).collect()
}

/// How many records a recording lacks, by its own account. PERF_RECORD_LOST comes with the next event
/// that finds room, so it misses a loss at the end. PERF_RECORD_LOST_SAMPLES is the whole sum, from
/// Linux 6.0 and perf 6.1 on; only `-D` shows it.
///
/// # Errors
/// perf is not there, or can't read the file.
pub fn lost(file: &Path) -> Result<u64> {
    let mut perf = Command::new("perf");
    perf.args(["script", "-D", "-i"]).arg(file);
    perf.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = perf.spawn()?;
    let (mut records, mut whole) = (0, 0);
    for line in BufReader::new(child.stdout.take().context("no pipe")?).lines() {
        let line = line?;
        if line.contains(": PERF_RECORD_LOST: ") {
            records += last_number(&line)?;
        } else if line.contains(": PERF_RECORD_LOST_SAMPLES: ") {
            whole += last_number(&line)?;
        }
    }
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "perf script -D: {said}");
    Ok(if whole > 0 { whole } else { records })
}

/// `… PERF_RECORD_LOST: id:99: lost:21`, `… PERF_RECORD_LOST_SAMPLES: id:99: lost samples :820`
fn last_number(line: &str) -> Result<u64> {
    let number = line.rsplit(':').next().unwrap_or_default();
    number
        .trim()
        .parse()
        .with_context(|| format!("perf script -D wrote {line:?}"))
}

fn line(line: &str) -> Result<Event> {
    let parts = || -> Option<(i32, &str)> {
        let (tid, rest) = line.trim_start().split_once(' ')?;
        let (_time, rest) = rest.split_once(": ")?;
        let (_, event) = rest.split_once(':')?;
        Some((tid.parse().ok()?, event))
    };
    let (tid, event) = parts().with_context(|| format!("no line of perf script: {line:?}"))?;
    parse(tid, event)
}
