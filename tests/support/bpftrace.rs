//! The witness bpftrace: a program in the kernel, on its syscall tracepoints, which also reads what
//! the pointers lead to (bpftrace.bt).

use crate::cpu;
use crate::held::Held;
use crate::room::rooms;
use crate::tracefs;
use anyhow::{Context, Result, bail, ensure};
use ioworkload_check::events::{Event, What, family};
use ioworkload_check::trace::Seen;
use nix::sched::sched_setaffinity;
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

const PROGRAM: &str = include_str!("bpftrace.bt");
/// Pages per CPU, 32 MiB: room for what bpftrace had no time to fetch.
const BUFFER: usize = 8192;

/// The calls of `program`, with memory.
///
/// # Errors
/// We are not root, bpftrace is not there, or events were lost.
pub fn witness(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    with_buffer(BUFFER, program, confine)
}

/// The same with so many pages per CPU for the events.
///
/// # Errors
/// As above.
pub fn with_buffer(pages: usize, program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    tracefs::ready("bpftrace")?;
    let held = Held::new(program, confine)?;
    let mut all = watch(pages, vec![held])?;
    all.pop().context("bpftrace has seen nobody")?
}

/// The calls of several programs that run one behind the other, as one bpftrace sees them: it takes
/// more than a second to start.
///
/// # Errors
/// As above, for all of them.
pub fn together(held: Vec<Held>) -> Result<Vec<Result<Seen>>> {
    tracefs::ready("bpftrace")?;
    watch(BUFFER, held)
}

fn watch(pages: usize, held: Vec<Held>) -> Result<Vec<Result<Seen>>> {
    let directory = TempDir::new_in(rooms())?;
    let file = directory.path().join("events");
    let pids: Vec<_> = held.iter().map(Held::pid).collect();
    pids.iter().try_for_each(|pid| pin(*pid))?;
    let bpftrace = start(&file, pages, &pids)?;
    let ends = held.into_iter().map(Held::run);
    let ends: Vec<_> = ends.collect::<Result<_>>()?;
    // The end of its input is the end of /bin/cat, and that is the end of bpftrace.
    let output = bpftrace.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "bpftrace: {} {said}",
        output.status
    );
    let events = events(&fs::read_to_string(&file)?)?;
    let families = pids.into_iter().zip(ends);
    Ok(families
        .map(|(pid, end)| family(pid, &events, end))
        .collect())
}

/// Keeps a process on one CPU: bpftrace fetches events CPU by CPU, and says which memory it could
/// not read in events of their own.
fn pin(pid: i32) -> Result<()> {
    Ok(sched_setaffinity(Pid::from_raw(pid), &cpu::first()?)?)
}

/// A bpftrace that watches: the command that it starts when it is ready has told us.
fn start(file: &Path, pages: usize, pids: &[i32]) -> Result<Child> {
    let one = |pid| format!("$pid == {pid} || $parent == {pid}");
    let watched: Vec<_> = pids.iter().map(one).collect();
    let program = PROGRAM.replace("(WATCHED)", &format!("({})", watched.join(" || ")));
    let mut bpftrace = Command::new("bpftrace");
    bpftrace.env("BPFTRACE_STRLEN", "64");
    bpftrace.env("BPFTRACE_PERF_RB_PAGES", pages.to_string());
    bpftrace
        .args(["-kk", "-f", "json", "-c", "/bin/cat", "-o"])
        .arg(file);
    bpftrace.args(["-e", &program]);
    bpftrace
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut bpftrace = bpftrace
        .spawn()
        .context("bpftrace does not start (Debian: bpftrace)")?;
    let (stdin, stdout) = (bpftrace.stdin.as_mut(), bpftrace.stdout.as_mut());
    let (stdin, stdout) = stdin.zip(stdout).context("bpftrace has no pipes")?;
    // If that fails, bpftrace has ended, and what it says is told below.
    let _ = stdin.write_all(b"ready\n");
    let mut lines = BufReader::new(stdout).lines();
    if !lines.any(|line| line.is_ok_and(|line| line == "ready")) {
        let output = bpftrace.wait_with_output()?;
        bail!(
            "bpftrace does not start: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(bpftrace)
}

/// `{"type": "printf", "data": "exit 123 206 0"}`,
/// `{"type": "helper_error", "helper": "probe_read_user", "retcode": -14, "line": 66, "col": 9}`
fn events(text: &str) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    let mut unread = false;
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let value: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let kind = value["type"].as_str().unwrap_or_default();
        let helper = value["helper"].as_str().unwrap_or_default();
        let lost = &value["data"]["events"];
        ensure!(kind != "lost_events", "witness lost events: {lost}");
        let full = helper == "perf_event_output";
        ensure!(!full, "witness lost events: {line}");
        unread |= helper.starts_with("probe_read");
        if kind == "printf" {
            let data = value["data"].as_str().unwrap_or_default();
            let event = parse(data).with_context(|| format!("no line of ours: {data:?}"))?;
            let memory = matches!(event.what, What::Memory(..));
            if !(memory && unread) {
                events.push(event);
            }
            unread = false;
        }
    }
    Ok(events)
}

/// The lines that bpftrace.bt prints.
fn parse(data: &str) -> Option<Event> {
    let (kind, rest) = data.split_once(' ')?;
    let (tid, rest) = rest.split_once(' ')?;
    let words: Vec<_> = rest.split_whitespace().collect();
    let hex = |word: &&str| u64::from_str_radix(word, 16).ok();
    let what = match kind {
        "enter" => {
            let args: Vec<_> = words[1..].iter().map(hex).collect::<Option<_>>()?;
            What::Enter(words[0].parse().ok()?, args.try_into().ok()?)
        }
        "exit" => What::Exit(words[0].parse().ok()?, words.get(1)?.parse().ok()?),
        "fork" => What::Fork(rest.parse().ok()?),
        "bytes" => {
            let bytes = words[1..]
                .iter()
                .map(|word| u8::from_str_radix(word, 16).ok());
            What::Memory(hex(&words[0])?, bytes.collect::<Option<_>>()?)
        }
        "text" => {
            let (address, text) = rest.split_once(' ')?;
            let text = text.bytes().chain([0]).collect();
            What::Memory(hex(&address)?, text)
        }
        _ => return None,
    };
    Some(Event {
        tid: tid.parse().ok()?,
        what,
    })
}
