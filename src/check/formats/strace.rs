//! The text of strace, decoded or raw, of one process or of several.

use super::Parser;
use super::cursor::{Cursor, Parsed};
use super::value::{answer, arguments};
use crate::event::{Call, End, What};
use std::collections::HashMap;

/// The calls that have not ended yet, by thread.
#[derive(Default)]
pub struct Strace {
    unfinished: HashMap<i64, Call>,
}

/// Whether a line is one of strace's.
pub fn is_line(line: &str) -> bool {
    let mut cursor = Cursor::new(line);
    let read = Strace::default().read(&mut cursor);
    read.is_ok()
}

impl Parser for Strace {
    fn line(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        let mut cursor = Cursor::new(line);
        // Its own words about what it does.
        if cursor.sees("strace: ") || cursor.sees("[ Process PID=") {
            return Ok(Vec::new());
        }
        let (tid, what) = self.read(&mut cursor)?;
        Ok(what.into_iter().map(|what| (tid, what)).collect())
    }
}

impl Strace {
    fn read(&mut self, cursor: &mut Cursor<'_>) -> Parsed<(i64, Option<What>)> {
        let tid = thread(cursor)?;
        time(cursor);
        let nr = number(cursor)?;
        if cursor.eat("+++ ") {
            return Ok((tid, end(cursor)?.map(What::End)));
        }
        if cursor.eat("--- ") {
            let stop = cursor.eat("stopped by ");
            let signal = cursor.signal()?;
            cursor.until(" ---").or_else(|_| cursor.until("---"))?;
            return Ok((tid, (!stop).then_some(What::Signal(signal))));
        }
        if cursor.eat("<... ") {
            let name = cursor.word("the name of a call")?;
            cursor.expect(" resumed>")?;
            let call = self
                .unfinished
                .remove(&tid)
                .unwrap_or_else(|| begun(None, name));
            let what = match self.rest(cursor, tid, call)? {
                What::Whole(call) => What::Exit(call),
                other => other,
            };
            return Ok((tid, Some(what)));
        }
        let name = cursor.word("the name of a call")?;
        cursor.expect("(")?;
        let call = begun(nr, name);
        Ok((tid, Some(self.rest(cursor, tid, call)?)))
    }

    /// The arguments, or those that are left, and the result.
    fn rest(&mut self, cursor: &mut Cursor<'_>, tid: i64, mut call: Call) -> Parsed<What> {
        let args = arguments(cursor)?;
        call.args.get_or_insert_default().extend(args);
        cursor.blanks();
        // With a parenthesis the call is over, because its process is.
        if cursor.eat("<unfinished ...>") && !cursor.sees(")") {
            let begun = What::Enter(call.clone());
            self.unfinished.insert(tid, call);
            return Ok(begun);
        }
        cursor.expect(")")?;
        // It has none: what is shown is what it puts back.
        if call.name.as_deref() == Some("rt_sigreturn") {
            call.args = Some(Vec::new());
        }
        cursor.blanks();
        cursor.expect("= ")?;
        call.ret = Some(answer(cursor)?);
        call.ns = took(cursor);
        Ok(What::Whole(call))
    }
}

/// A call of which the arguments are still to come.
fn begun(nr: Option<u64>, name: &str) -> Call {
    Call {
        nr,
        name: Some(name.into()),
        args: Some(Vec::new()),
        ..Call::default()
    }
}

/// `123 `, `[pid   123] `, or nothing: then there is one.
fn thread(cursor: &mut Cursor<'_>) -> Parsed<i64> {
    if cursor.eat("[pid ") {
        cursor.blanks();
        let tid = cursor.decimal("a thread")?;
        cursor.expect("] ")?;
        return Ok(tid);
    }
    let start = *cursor;
    let digits = cursor.while_(|c| c.is_ascii_digit());
    if digits.is_empty() || !cursor.eat(" ") {
        *cursor = start;
        return Ok(0);
    }
    cursor.blanks();
    digits.parse().map_err(|_| start.wrong("a thread"))
}

/// Skips `12:34:56`, `12:34:56.123456`, `1795848300.123456`, `(+     0.000012)`, `     0.000012`.
fn time(cursor: &mut Cursor<'_>) {
    let start = *cursor;
    cursor.blanks();
    cursor.eat("(+");
    cursor.blanks();
    let digits = cursor.while_(|c| c.is_ascii_digit() || ":.".contains(c));
    cursor.eat(")");
    if !digits.contains(['.', ':']) || !cursor.eat(" ") {
        *cursor = start;
    }
    cursor.blanks();
}

/// `[ 206] `, by `-n`.
fn number(cursor: &mut Cursor<'_>) -> Parsed<Option<u64>> {
    if !cursor.eat("[") {
        return Ok(None);
    }
    cursor.blanks();
    let number: i64 = cursor.decimal("the number of a call")?;
    cursor.expect("] ")?;
    Ok(u64::try_from(number).ok())
}

/// `exited with 0 +++`, `killed by SIGKILL (core dumped) +++`, `superseded by execve in pid 12 +++`.
fn end(cursor: &mut Cursor<'_>) -> Parsed<Option<End>> {
    let end = if cursor.eat("exited with ") {
        Some(End::Code(cursor.decimal("an exit code")?))
    } else if cursor.eat("killed by ") {
        Some(End::Signal(cursor.signal()?))
    } else {
        cursor.expect("superseded by execve")?;
        None
    };
    cursor.until("+++")?;
    Ok(end)
}

/// ` <0.000123>`, by `-T`, in nanoseconds; what else stands there explains the result.
fn took(cursor: &mut Cursor<'_>) -> Option<u64> {
    let rest = cursor.rest().trim_end();
    let (_, time) = rest.strip_suffix('>')?.rsplit_once('<')?;
    let (seconds, parts) = time.split_once('.')?;
    let parts = format!("{parts:0<9}");
    Some(seconds.parse::<u64>().ok()? * 1_000_000_000 + parts.parse::<u64>().ok()?)
}
