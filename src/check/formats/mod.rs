//! The formats of tracers: which there are, how one is known, and its reader.

mod audit;
mod bpftrace;
mod cursor;
mod json;
mod kernel;
mod perf;
mod perf_trace;
mod strace;
pub(crate) mod value;

use crate::event::Event;
use anyhow::{Error, Result, bail};
use cursor::Wrong;
use std::fmt;
use std::io::BufRead;
use std::str::FromStr;

/// What a tracer writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// A JSON value per line: `events.schema.json`.
    Json,
    /// The text of strace, decoded or raw.
    Strace,
    /// `perf script` of raw_syscalls events.
    Perf,
    /// `perf trace`.
    PerfTrace,
    /// bpftrace, text or `-f json`, whose printf writes lines of [`Format::Json`].
    Bpftrace,
    /// tracefs, `trace` or `trace_pipe`, of raw_syscalls events.
    Ftrace,
    /// The kernel's audit records, raw.
    Audit,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Json,
        Self::Strace,
        Self::Perf,
        Self::PerfTrace,
        Self::Bpftrace,
        Self::Ftrace,
        Self::Audit,
    ];

    /// `json`, `perf-trace`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Strace => "strace",
            Self::Perf => "perf",
            Self::PerfTrace => "perf-trace",
            Self::Bpftrace => "bpftrace",
            Self::Ftrace => "ftrace",
            Self::Audit => "audit",
        }
    }

    /// The format that a text is in, by its first lines.
    ///
    /// # Errors
    /// It looks like none of them.
    pub fn of(text: &str) -> Result<Self> {
        match text.lines().find_map(guess) {
            Some(format) => Ok(format),
            None if text.trim().is_empty() => bail!("there are no events"),
            None => bail!("the format is not known by its first lines: say --format"),
        }
    }

    fn parser(self) -> Box<dyn Parser> {
        match self {
            Self::Json => Box::new(json::Json),
            Self::Strace => Box::new(strace::Strace::default()),
            Self::Perf => Box::new(perf::Perf::default()),
            Self::Ftrace => Box::new(kernel::Kernel),
            Self::PerfTrace => Box::new(perf_trace::PerfTrace),
            Self::Bpftrace => Box::new(bpftrace::Bpftrace::default()),
            Self::Audit => Box::new(audit::Audit),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name).join(", ");
        let format = Self::ALL.into_iter().find(|format| format.name() == name);
        format.ok_or_else(|| Error::msg(format!("no such format: {name}; there are {names}")))
    }
}

/// What a line gives away; `None`: it could be any.
fn guess(line: &str) -> Option<Format> {
    let start = line.trim_start();
    let first = |text: &str| start.starts_with(text);
    if first("{\"type\"") || bpftrace::is_line(line) {
        Some(Format::Bpftrace)
    } else if first("{\"") || first("[") && json::is_list(start) {
        Some(Format::Json)
    } else if first("type=") {
        Some(Format::Audit)
    } else if first("# tracer:") || line.contains(": sys_enter: NR ") {
        Some(Format::Ftrace)
    } else if line.contains("raw_syscalls:sys_") || line.contains("sched:sched_process_") {
        Some(Format::Perf)
    } else if perf_trace::is_line(line) {
        Some(Format::PerfTrace)
    } else if strace::is_line(line) {
        Some(Format::Strace)
    } else {
        None
    }
}

/// Reads one format, line by line.
trait Parser {
    /// The events of a line.
    fn line(&mut self, line: &str) -> Result<Vec<(i64, crate::event::What)>, Wrong>;
}

/// The events of what a tracer has written; what can't be read ends them with an error that names line
/// and column.
///
/// ```
/// use ioworkload_check::event::{End, What};
/// use ioworkload_check::formats::{Format, read};
///
/// let text = "io_setup(32, [0x7f0000000000]) = 0\n+++ exited with 0 +++\n";
/// let events: Vec<_> = read(Format::of(text).unwrap(), text.as_bytes()).collect();
/// assert_eq!(events[1].as_ref().unwrap().what, What::End(End::Code(0)));
/// ```
pub fn read<R: BufRead>(format: Format, mut text: R) -> impl Iterator<Item = Result<Event>> {
    let mut parser = format.parser();
    let (mut number, mut bytes) = (0, Vec::new());
    let mut failed = false;
    let mut lines = std::iter::from_fn(move || {
        if failed {
            return None;
        }
        number += 1;
        bytes.clear();
        let events = match text.read_until(b'\n', &mut bytes) {
            Ok(0) => return None,
            Ok(_) => events(parser.as_mut(), number, &bytes),
            Err(error) => Err(error.into()),
        };
        failed = events.is_err();
        Some(events)
    });
    let mut ready = Vec::new().into_iter();
    std::iter::from_fn(move || {
        loop {
            if let Some(event) = ready.next() {
                return Some(Ok(event));
            }
            match lines.next()? {
                Ok(events) => ready = events.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    })
}

fn events(parser: &mut dyn Parser, line: usize, bytes: &[u8]) -> Result<Vec<Event>> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let events = parser.line(text).map_err(|wrong| {
        let (column, wanted) = (wrong.at + 1, wrong.wanted);
        Error::msg(format!("line {line}, column {column}: expected {wanted}"))
    })?;
    let event = |(tid, what)| Event { tid, line, what };
    Ok(events.into_iter().map(event).collect())
}
