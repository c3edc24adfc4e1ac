//! An expected trace as steps, one for each call, repetitions written out.

use crate::expected::{Call, Child, Count, Entry, Expected, Kernel, Repeat, Ret, Word, parse};
use anyhow::{Result, bail};

/// One call.
#[derive(Clone)]
pub struct Step<'a> {
    /// As it is stated.
    pub call: &'a Call,
    /// The number of the round, from 1.
    pub round: u64,
    /// Whether wrong answers are followed: not in the middle of a repetition.
    pub explore: bool,
    /// Whether it is the first of a round.
    pub first: bool,
    /// Whether it is the last of a round.
    pub last: bool,
    /// What kernels of other versions may answer.
    pub also: Vec<i64>,
}

/// Kernels before and after each change that a trace knows of.
const KERNELS: [Kernel; 2] = [Kernel(5, 10), Kernel(6, 18)];

/// How often a repetition is made whose number can differ.
const ROUNDS: [u64; 3] = [1, 2, 1000];

/// The traces that a text stands for on the kernels there are.
///
/// # Errors
/// The text is no trace.
pub fn traces(text: &str) -> Result<Vec<Expected>> {
    let mut all = KERNELS
        .iter()
        .map(|kernel| parse(text, *kernel))
        .collect::<Result<Vec<_>>>()?;
    all.dedup_by_key(|trace| format!("{trace:?}"));
    Ok(all)
}

/// Each way in which the rounds of a trace can be counted: the process's steps.
///
/// # Errors
/// Repetitions in repetitions.
pub fn ways(trace: &Expected) -> Result<Vec<Vec<Step<'_>>>> {
    let open = trace.calls.iter().any(|entry| {
        matches!(
            entry,
            Entry::Repeat(Repeat {
                repeat: Count::Range(_),
                ..
            })
        )
    });
    let counts = if open { &ROUNDS[..] } else { &ROUNDS[..1] };
    counts
        .iter()
        .map(|count| steps(&trace.calls, *count))
        .collect()
}

/// The steps of each child.
///
/// # Errors
/// Repetitions in repetitions, or of children.
pub fn children(trace: &Expected) -> Result<Vec<Vec<Step<'_>>>> {
    let calls = trace.children.iter().map(|child| match child {
        Child::Calls(calls) => steps(calls, 1),
        Child::Repeat(_) => bail!("children that are repeated"),
    });
    calls.collect()
}

fn steps(entries: &[Entry], open: u64) -> Result<Vec<Step<'_>>> {
    let mut all = Vec::new();
    for entry in entries {
        match entry {
            Entry::Call(call) => all.push(Step {
                call,
                round: 0,
                explore: true,
                first: false,
                last: false,
                also: Vec::new(),
            }),
            Entry::Repeat(repeat) => rounds(repeat, open, &mut all)?,
        }
    }
    Ok(all)
}

fn rounds<'a>(repeat: &'a Repeat, open: u64, all: &mut Vec<Step<'a>>) -> Result<()> {
    let count = match repeat.repeat {
        Count::Exact(count) => count,
        Count::Range(_) => open,
    };
    for round in 1..=count {
        for (at, entry) in repeat.calls.iter().enumerate() {
            let Entry::Call(call) = entry else {
                bail!("a repetition in a repetition")
            };
            let (first, last) = (at == 0, at + 1 == repeat.calls.len());
            let explore = round <= 2 || round == count;
            all.push(Step {
                call,
                round,
                explore,
                first,
                last,
                also: Vec::new(),
            });
        }
    }
    Ok(())
}

/// How many arguments a trace states as numbers.
#[must_use]
pub fn stated(call: &Call) -> usize {
    call.args
        .iter()
        .filter(|word| !matches!(word, Word::Name(_)))
        .count()
}

/// Notes where a repetition of an open number can end earlier or later: the call after it is the same.
pub fn open_ends(steps: &mut [Step]) {
    let mut end = None;
    for at in (0..steps.len()).rev() {
        if steps[at].round == 0 {
            end = Some(at);
        } else if let Some(end) = end {
            let (one, two) = (steps[at].call, steps[end].call);
            if one.nr == two.nr && one.args == two.args {
                numbers(one, &mut steps[end].also);
                numbers(two, &mut steps[at].also);
            }
        }
    }
}

fn numbers(call: &Call, all: &mut Vec<i64>) {
    match &call.ret {
        Some(Ret::Number(number)) => all.push(*number),
        Some(Ret::Any(numbers)) => all.extend(numbers),
        _ => {}
    }
}

/// Notes at each step what the same step may answer in another way to read the trace.
pub fn join(steps: &mut [Step], other: &[Step]) {
    for (step, other) in steps.iter_mut().zip(other) {
        numbers(other.call, &mut step.also);
    }
}
