//! `perf trace`: `     0.012 ( 0.003 ms): aio-setup/123 io_setup(nr_events: 32, ctxp: 0x7ffd) = 0`.
//! It leaves out arguments that are 0, and a few others, so those that it names are known, and no
//! others.

use super::Parser;
use super::cursor::{Cursor, Parsed};
use super::value::{answer, number, value};
use crate::event::{Call, Value, What};
use crate::syscalls;

pub struct PerfTrace;

impl Parser for PerfTrace {
    fn line(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        let mut cursor = Cursor::new(line);
        if cursor.eat("LOST ") {
            let count = cursor.decimal("how many events").ok();
            return Ok(vec![(0, What::Lost(count))]);
        }
        let ns = took(&mut cursor)?;
        let tid = thread(&mut cursor)?;
        cursor.blanks();
        let what = if cursor.eat("... [continued]: ") {
            end(&mut cursor, ns)?
        } else {
            call(&mut cursor, ns)?
        };
        Ok(vec![(tid, what)])
    }
}

/// Whether a line starts as one of these.
pub fn is_line(line: &str) -> bool {
    took(&mut Cursor::new(line)).is_ok()
}

/// `     0.012 ( 0.003 ms): `, with `?` for a beginning that was not seen, and blanks for a duration that
/// is not known: the duration in nanoseconds.
fn took(cursor: &mut Cursor<'_>) -> Parsed<Option<u64>> {
    cursor.blanks();
    if !cursor.eat("?") {
        milliseconds(cursor)?;
    }
    cursor.expect(" (")?;
    cursor.blanks();
    if cursor.eat("): ") {
        return Ok(None);
    }
    let ns = milliseconds(cursor)?;
    cursor.expect(" ms): ")?;
    Ok(Some(ns))
}

/// `0.003`, in nanoseconds.
fn milliseconds(cursor: &mut Cursor<'_>) -> Parsed<u64> {
    let start = *cursor;
    let text = cursor.while_(|c| c.is_ascii_digit() || c == '.');
    let parts = text.split_once('.').filter(|(_, parts)| parts.len() == 3);
    let ns = parts.and_then(|(whole, parts)| format!("{whole}{parts}000").parse().ok());
    ns.ok_or_else(|| start.wrong("milliseconds"))
}

/// `aio-setup/123 `, or, of one thread only, nothing. A name may have `/` and blanks in it.
fn thread(cursor: &mut Cursor<'_>) -> Parsed<i64> {
    let rest = cursor.rest();
    let who = |(at, _)| {
        let digits = rest[at + 1..].split(' ').next()?;
        let tid: i64 = digits.parse().ok()?;
        Some((at + digits.len() + 2, tid))
    };
    let first = rest.find('(').unwrap_or(rest.len());
    let found = rest[..first].rmatch_indices('/').find_map(who);
    let Some((len, tid)) = found else {
        return Ok(0);
    };
    if len > rest.len() {
        return Err(cursor.wrong("a call after the thread"));
    }
    cursor.skip(len);
    Ok(tid)
}

/// `wait4())        = 17773 (aio-fork)`
fn end(cursor: &mut Cursor<'_>, ns: Option<u64>) -> Parsed<What> {
    let name = cursor.word("the name of a call")?;
    cursor.expect("())")?;
    cursor.blanks();
    cursor.expect("= ")?;
    Ok(What::Exit(Call {
        name: Some(name.into()),
        ret: Some(answer(cursor)?),
        ns,
        ..Call::default()
    }))
}

/// `io_setup(nr_events: 32)   = 0`, `vfork()   ...`
fn call(cursor: &mut Cursor<'_>, ns: Option<u64>) -> Parsed<What> {
    let name = cursor.word("the name of a call")?;
    cursor.expect("(")?;
    let mut call = Call {
        name: Some(name.into()),
        args: arguments(cursor, name)?,
        ..Call::default()
    };
    cursor.expect(")")?;
    cursor.blanks();
    if cursor.eat("...") {
        return Ok(What::Enter(call));
    }
    cursor.expect("= ")?;
    call.ret = Some(answer(cursor)?);
    call.ns = ns;
    Ok(What::Whole(call))
}

/// Those that are named, each in its place; `None` if the names are not those of the kernel.
fn arguments(cursor: &mut Cursor<'_>, call: &str) -> Parsed<Option<Vec<Value>>> {
    let known = syscalls::named(call).map(|call| call.args.as_slice());
    let mut all = known.map(|args| vec![Value::Unknown; args.len()]);
    while !cursor.sees(")") {
        let name = cursor.word("the name of an argument, or \")\"")?;
        cursor.expect(": ")?;
        let value = argument(cursor, prefix(call, name))?;
        let named = |arg: &String| arg.split([' ', '*']).next_back() == Some(name);
        let place = known.and_then(|args| args.iter().position(named));
        match (place, &mut all) {
            (Some(place), Some(all)) => all[place] = value,
            _ => all = None,
        }
        if !cursor.sees(")") {
            cursor.expect(", ")?;
        }
    }
    Ok(all)
}

/// `32`, `RDWR|CREAT`, `4</memfd:aio (deleted)>`, `17773 (aio-fork)`
fn argument(cursor: &mut Cursor<'_>, prefix: &str) -> Parsed<Value> {
    if ["\"", "[", "{"].iter().any(|start| cursor.sees(start)) {
        return value(cursor);
    }
    let start = *cursor;
    let text = cursor.while_(|c| !" ,()<".contains(c));
    if text.is_empty() {
        return Err(start.wrong("a value"));
    }
    for (open, close) in [("<", '>'), (" (", ')')] {
        if cursor.eat(open) {
            remark(cursor, close)?;
        }
    }
    let known = number(text).map(Value::Number);
    Ok(known.unwrap_or_else(|| Value::Symbol(constants(text, prefix))))
}

/// What a descriptor leads to, or how a process is called, up to its end: that of the argument.
fn remark(cursor: &mut Cursor<'_>, close: char) -> Parsed<()> {
    let rest = cursor.rest();
    let ends = |(at, _): &(usize, &str)| rest[at + 1..].starts_with([',', ')']);
    let end = rest.match_indices(close).find(ends);
    let (at, _) = end.ok_or_else(|| cursor.wrong(&format!("\"{close}\"")))?;
    cursor.skip(at + 1);
    Ok(())
}

/// `RDWR|CREAT` is O_RDWR|O_CREAT.
fn constants(text: &str, prefix: &str) -> String {
    let parts = text.split('|').map(|part| {
        let whole = number(part).is_some() || part.starts_with(prefix);
        format!("{}{part}", if whole { "" } else { prefix })
    });
    parts.collect::<Vec<_>>().join("|")
}

/// What perf trace cuts from the front of a constant's name.
fn prefix(call: &str, arg: &str) -> &'static str {
    match (call, arg) {
        ("mmap", "flags") => "MAP_",
        ("mremap", "flags") => "MREMAP_",
        ("eventfd2", "flags") => "EFD_",
        ("memfd_create", "flags") => "MFD_",
        ("open" | "openat" | "pipe2", "flags") => "O_",
        (_, "prot") => "PROT_",
        (_, "dfd") => "AT_FD",
        (_, "flag") => "AT_",
        (_, "mode") => "S_",
        (_, "sig") => "SIG",
        (_, "how") => "SIG_",
        (_, "which") => "ITIMER_",
        (_, "whence") => "SEEK_",
        _ => "",
    }
}
