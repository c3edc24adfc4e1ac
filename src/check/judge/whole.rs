//! The comparison of a process that was seen whole, as strict as can be: registers of 64 bits, the
//! kernel's own results.

use super::got::{Got, Half};
use super::names::Names;
use super::process::Process;
use super::{Options, Shown, extra, missing};
use crate::event::{self, Ret, Value};
use crate::expected::{Entry, Expected};
use crate::trace::{Call, Seen};
use crate::verdict::Verdict;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Compares what was seen with what is expected. All calls are in the verdict.
#[must_use]
pub fn whole(expected: &Expected, seen: &Seen) -> Verdict {
    let (mut verdict, names) = process(&expected.calls, seen, Names::default());
    let mut children = expected.children();
    // A child starts with its parent's memory, and so with its parent's names.
    let both = seen.children.iter().zip(&mut children);
    verdict.children = both
        .map(|(got, want)| process(want, got, names.clone()).0)
        .collect();
    verdict.strangers.extend(children.map(missing));
    for got in seen.children.iter().skip(verdict.children.len()) {
        let first = got.calls.first().map(Call::to_string);
        verdict.strangers.push(extra(first));
    }
    verdict
}

/// The values that the names of the trace stand for in what was seen.
#[must_use]
pub fn bound(expected: &Expected, seen: &Seen) -> BTreeMap<String, u64> {
    let (_, names) = process(&expected.calls, seen, Names::default());
    names.values()
}

fn process(want: &[Entry], seen: &Seen, names: Names) -> (Verdict, Names) {
    let options = Options {
        registers: true,
        ret: Shown::SysExit,
        context: usize::MAX,
        rows: usize::MAX,
        ..Options::default()
    };
    let mut process = Process::new(want, names, &Rc::new(options));
    for call in &seen.calls {
        process.call(Got::new(0, reported(call), Half::Both));
    }
    process.end = Some(seen.end.clone());
    process.finish(true)
}

fn reported(call: &Call) -> event::Call {
    let args = call.args.iter().map(|arg| Value::Number((*arg).into()));
    event::Call {
        nr: Some(call.nr),
        name: Some(call.name.clone()),
        args: Some(args.collect()),
        ret: Some(call.ret.map_or(Ret::Never, Ret::Number)),
        before: call.before.clone(),
        after: call.after.clone(),
        ns: None,
    }
}
