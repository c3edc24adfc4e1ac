//! The kernel's own text of its events, as `perf script` and tracefs print them:
//! `  aio-setup 123 [000] 45.678: raw_syscalls:sys_exit: NR 206 = 0`.

use super::Parser;
use super::cursor::{Cursor, Parsed};
use crate::event::{Call, Ret, Value, What};

pub struct Kernel;

/// The events that are read, as they are called in a line.
const EVENTS: [&str; 5] = [
    "sys_enter: ",
    "sys_exit: ",
    "sched_process_fork: ",
    "sched_process_exec: ",
    "sched_process_exit: ",
];

impl Parser for Kernel {
    fn line(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        let mut cursor = Cursor::new(line);
        if cursor.sees("#") {
            return Ok(Vec::new());
        }
        if let Some(lost) = lost(line) {
            return Ok(vec![(0, lost)]);
        }
        let Some((at, event)) = find(line) else {
            return Err(cursor.wrong("an event of raw_syscalls or sched"));
        };
        let tid = tid(&line[..at]).ok_or_else(|| cursor.wrong("a thread"))?;
        cursor.skip(at + event.len());
        let what = match event {
            "sys_enter: " => enter(&mut cursor)?,
            "sys_exit: " => exit(&mut cursor)?,
            "sched_process_fork: " => fork(&mut cursor)?,
            "sched_process_exec: " => return Ok(vec![(tid, What::Exec(None))]),
            _ => return Ok(Vec::new()),
        };
        cursor.blanks();
        let end = cursor.ends();
        end.then_some(vec![(tid, what)])
            .ok_or_else(|| cursor.wrong("the end of the line"))
    }
}

/// Where the event's name starts, and the name: the first there is, so that no comm can be taken for it.
fn find(line: &str) -> Option<(usize, &'static str)> {
    let found = EVENTS.iter().filter_map(|event| {
        let start = line.match_indices(event).map(|(at, _)| at);
        let mut named = start.filter(|at| line[..*at].ends_with([' ', ':']));
        Some((named.next()?, *event))
    });
    found.min()
}

/// perf: `  aio-setup   123 [000] 45.678:   raw_syscalls:`, or ` 123 45.678: …`; tracefs:
/// `  aio-setup-123     [000] .....    45.678: `. A comm may have any characters in it.
fn tid(head: &str) -> Option<i64> {
    let cpu = head.rfind(" [").filter(|at| head[*at..].contains(']'));
    let words = |text: &'_ str| {
        text.split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let who = words(&head[..cpu.unwrap_or(head.len())]);
    let number = |text: &str| text.rsplit(['-', '/']).next()?.parse().ok();
    match cpu {
        Some(_) => number(who.last()?),
        None => who
            .iter()
            .rev()
            .skip_while(|word| word.ends_with(':'))
            .find_map(|word| number(word)),
    }
}

/// `comm=a pid=1 child_comm=a child_pid=2`: a comm may have any characters in it.
fn fork(cursor: &mut Cursor<'_>) -> Parsed<What> {
    const CHILD: &str = "child_pid=";
    let last = cursor.rest().rfind(CHILD);
    cursor.skip(last.ok_or_else(|| cursor.wrong(&format!("{CHILD:?}")))? + CHILD.len());
    Ok(What::Fork(cursor.decimal("a thread")?))
}

/// `NR 206 (20, 7ffd3c, 0, 0, 0, 0)`
fn enter(cursor: &mut Cursor<'_>) -> Parsed<What> {
    let nr = number(cursor)?;
    cursor.expect(" (")?;
    let start = *cursor;
    let args = cursor.until(")")?.split(", ");
    let args = args.map(|arg| i128::from_str_radix(arg, 16).map(Value::Number));
    let args = args.collect::<Result<_, _>>();
    Ok(What::Enter(Call {
        nr,
        args: Some(args.map_err(|_| start.wrong("hexadecimal numbers"))?),
        ..Call::default()
    }))
}

/// `NR 206 = 0`; the number is -1 after rt_sigreturn, which has put other registers back.
fn exit(cursor: &mut Cursor<'_>) -> Parsed<What> {
    let nr = number(cursor)?;
    cursor.expect(" = ")?;
    let ret = Some(Ret::Number(cursor.decimal("a result")?));
    Ok(What::Exit(Call {
        nr,
        ret,
        ..Call::default()
    }))
}

fn number(cursor: &mut Cursor<'_>) -> Parsed<Option<u64>> {
    cursor.expect("NR ")?;
    let number: i64 = cursor.decimal("the number of a call")?;
    Ok(u64::try_from(number).ok())
}

/// `CPU:0 [LOST 12 EVENTS]`, `PERF_RECORD_LOST lost 12`, `… PERF_RECORD_LOST_SAMPLES …`.
fn lost(line: &str) -> Option<What> {
    let tracefs = line.split_once("[LOST ").map(|(_, rest)| rest);
    let perf = line.split_once("PERF_RECORD_LOST").map(|(_, rest)| rest);
    let rest = tracefs.or(perf)?;
    let digits = rest
        .split(|c: char| !c.is_ascii_digit())
        .find(|word| !word.is_empty());
    Some(What::Lost(digits.and_then(|digits| digits.parse().ok())))
}
