//! `perf trace`: `     0.012 ( 0.003 ms): aio-setup/123 io_setup(nr_events: 32, ctxp: 0x7ffd) = 0`.
//! It leaves out arguments that are 0, so those that it names are known, and no others.

use super::Parser;
use super::cursor::{Cursor, Parsed};
use super::value::{answer, value};
use crate::event::{Call, Value, What};
use crate::syscalls;

pub struct PerfTrace;

impl Parser for PerfTrace {
    fn line(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        let mut cursor = Cursor::new(line);
        if cursor.eat("LOST ") {
            return Ok(vec![(
                0,
                What::Lost(cursor.decimal("how many events").ok()),
            )]);
        }
        cursor.until("): ")?;
        cursor.blanks();
        let tid = thread(&mut cursor)?;
        if cursor.eat("... [continued]: ") {
            let name = cursor.word("the name of a call")?;
            cursor.until(") = ").or_else(|_| cursor.until(" = "))?;
            let call = Call {
                name: Some(name.into()),
                ret: Some(answer(&mut cursor)?),
                ..Call::default()
            };
            return Ok(vec![(tid, What::Exit(call))]);
        }
        let name = cursor.word("the name of a call")?;
        cursor.expect("(")?;
        let mut call = Call {
            name: Some(name.into()),
            ..Call::default()
        };
        call.args = arguments(&mut cursor, name)?;
        cursor.blanks();
        if cursor.eat("...") || cursor.ends() {
            return Ok(vec![(tid, What::Enter(call))]);
        }
        cursor.expect(")")?;
        cursor.blanks();
        if cursor.sees("...") || cursor.ends() {
            return Ok(vec![(tid, What::Enter(call))]);
        }
        cursor.expect("= ")?;
        call.ret = Some(answer(&mut cursor)?);
        Ok(vec![(tid, What::Whole(call))])
    }
}

/// `aio-setup/123 `, or, of one thread only, nothing.
fn thread(cursor: &mut Cursor<'_>) -> Parsed<i64> {
    let start = *cursor;
    let who = cursor.until(" ").unwrap_or_default();
    if let Some((_, tid)) = who.rsplit_once('/').filter(|_| !who.contains('(')) {
        return tid.parse().map_err(|_| start.wrong("a thread"));
    }
    *cursor = start;
    Ok(0)
}

/// Those that are named, each in its place; `None` if the names are not those of the kernel.
fn arguments(cursor: &mut Cursor<'_>, call: &str) -> Parsed<Option<Vec<Value>>> {
    let known = syscalls::named(call);
    let mut all = known.map(|call| vec![Value::Unknown; call.args.len()]);
    loop {
        cursor.blanks();
        if cursor.ends() || cursor.sees(")") || cursor.sees("...") {
            return Ok(all);
        }
        let name = cursor.word("the name of an argument")?;
        cursor.expect(":")?;
        cursor.blanks();
        let value = value(cursor)?;
        let place = known.and_then(|call| {
            call.args
                .iter()
                .position(|arg| arg.split([' ', '*']).next_back() == Some(name))
        });
        match (place, &mut all) {
            (Some(place), Some(all)) => all[place] = value,
            _ => all = None,
        }
        cursor.eat(",");
    }
}
