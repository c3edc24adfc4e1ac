//! The comparison of what a witness has seen with what is expected: whole, in order, to the last
//! argument, and to the bytes that pointers lead to where the witness could read them.

mod align;
mod names;

use crate::expected::{self, Count, Entry, Expected, Ret, Word};
use crate::trace::{Call, Seen};
use align::align;
use names::Names;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// How the two relate.
#[derive(Default, Debug)]
pub struct Verdict {
    /// The calls, expected and seen, side by side.
    pub rows: Vec<Row>,
    /// The end that differs.
    pub end: Option<String>,
    /// What `in` and `out` say and the witness has not read: `io_submit: in &iocb`.
    pub unread: Vec<String>,
    /// The children that both have.
    pub children: Vec<Verdict>,
    /// Children that one of the two does not have.
    pub strangers: Vec<String>,
}

/// A call that is expected, one that was seen, or both, and how they differ.
#[derive(Default, Debug)]
pub struct Row {
    /// As the expected trace has it.
    pub want: Option<String>,
    /// As the witness has it.
    pub got: Option<String>,
    /// Every difference, a line each.
    pub differences: Vec<String>,
}

impl Verdict {
    /// No difference.
    #[must_use]
    pub fn exact(&self) -> bool {
        self.differences().is_empty()
    }

    /// Calls that were made and that nobody asked for.
    #[must_use]
    pub fn noise(&self) -> usize {
        let noise = self.rows.iter().filter(|row| row.want.is_none()).count();
        noise + self.children.iter().map(Self::noise).sum::<usize>()
    }

    /// Calls that were asked for and not made.
    #[must_use]
    pub fn missing(&self) -> usize {
        let missing = self.rows.iter().filter(|row| row.got.is_none()).count();
        missing + self.children.iter().map(Self::missing).sum::<usize>()
    }

    /// Every difference, a line each; none if there is none.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let rows = self.rows.iter().flat_map(|row| &row.differences);
        let mut lines: Vec<_> = rows
            .chain(&self.end)
            .chain(&self.strangers)
            .cloned()
            .collect();
        for (number, child) in (1..).zip(&self.children) {
            let differences = child.differences().into_iter();
            lines.extend(differences.map(|line| format!("child {number}: {line}")));
        }
        lines
    }
}

/// Holds what was seen against what is expected.
#[must_use]
pub fn compare(expected: &Expected, seen: &Seen) -> Verdict {
    let mut names = Names::default();
    let mut verdict = process(&expected.calls, seen, &mut names);
    let mut children = expected.children();
    // A child starts with its parent's memory, and so with its parent's names.
    verdict.children = seen
        .children
        .iter()
        .zip(&mut children)
        .map(|(got, want)| process(want, got, &mut names.clone()))
        .collect();
    for want in children {
        let first = first(want).map_or("nothing", |call| call.name.as_str());
        let line = format!("missing: a child that starts with {first}");
        verdict.strangers.push(line);
    }
    for got in seen.children.iter().skip(verdict.children.len()) {
        let first = got.calls.first().map_or("nothing".into(), Call::to_string);
        let line = format!("not asked for: another thread or process, which did {first}");
        verdict.strangers.push(line);
    }
    verdict
}

/// The values that the names of the trace stand for in what was seen.
#[must_use]
pub fn bound(expected: &Expected, seen: &Seen) -> BTreeMap<String, u64> {
    let mut names = Names::default();
    process(&expected.calls, seen, &mut names);
    names.values()
}

fn first(entries: &[Entry]) -> Option<&expected::Call> {
    match entries.first()? {
        Entry::Call(call) => Some(call),
        Entry::Repeat(repeat) => first(&repeat.calls),
    }
}

fn process(want: &[Entry], seen: &Seen, names: &mut Names) -> Verdict {
    let mut unroll = Unroll {
        seen: &seen.calls,
        steps: Vec::new(),
        counts: HashMap::new(),
    };
    unroll.entries(want, Place::default());
    let steps = unroll.steps;
    let mut verdict = Verdict::default();
    for (want, got) in align(&steps, &seen.calls) {
        let mut row = Row {
            want: want.map(|step| step.call.to_string()),
            got: got.map(Call::to_string),
            differences: Vec::new(),
        };
        match (want, got) {
            (Some(want), Some(got)) => {
                row.differences = names.differences(want, got, &mut verdict.unread);
            }
            (Some(want), None) => row.differences.push(format!("missing: {}", want.call.name)),
            (None, Some(got)) => row.differences.push(format!("not asked for: {got}")),
            (None, None) => {}
        }
        verdict.rows.push(row);
    }
    let end = end(&steps);
    if seen.end != end {
        verdict.end = Some(format!("it {}; expected: {end}", seen.end));
    }
    verdict
}

/// The end that the last call brings about.
fn end(steps: &[Step<'_>]) -> String {
    match steps.last().map(|step| step.call.args.as_slice()) {
        // A parent gets the low eight bits.
        Some([Word::Number(code)]) => format!("exited with {}", code & 0xff),
        _ => "no end: the last call is not exit_group".into(),
    }
}

/// Where in the repetitions a call stands.
#[derive(Clone, Copy, Default, Debug)]
struct Place {
    /// How many repetitions are around it.
    depth: usize,
    /// The round of the innermost, from 1.
    round: u64,
    /// It is the first of its round.
    fresh: bool,
}

/// An expected call, each round of a repetition written out.
#[derive(Clone, Copy, Debug)]
struct Step<'a> {
    call: &'a expected::Call,
    place: Place,
}

/// Writes the repetitions out.
struct Unroll<'a, 's> {
    seen: &'s [Call],
    steps: Vec<Step<'a>>,
    /// How many rounds there were, of repetitions that have a name for it.
    counts: HashMap<&'a str, u64>,
}

impl<'a> Unroll<'a, '_> {
    fn entries(&mut self, entries: &'a [Entry], mut place: Place) {
        for entry in entries {
            match entry {
                Entry::Call(call) => self.steps.push(Step { call, place }),
                Entry::Repeat(repeat) => self.repeat(repeat, place),
            }
            place.fresh = false;
        }
    }

    /// Where the number of rounds can differ, as many are taken as were seen from this place on, or
    /// as another repetition of the same name had.
    fn repeat(&mut self, repeat: &'a expected::Repeat, place: Place) {
        let (min, max) = match &repeat.repeat {
            Count::Exact(count) => (*count, *count),
            Count::Range(range) => (range.min, range.max),
        };
        let name = repeat.name.as_deref();
        let known = name.and_then(|name| self.counts.get(name).copied());
        let (min, max) = known.map_or((min, max), |count| (count, count));
        let mut count = 0;
        while count < max && self.round(repeat, place, count + 1, count < min) {
            count += 1;
        }
        self.counts.extend(name.map(|name| (name, count)));
    }

    /// Writes one round out; one that need not be only if it was seen.
    fn round(
        &mut self,
        repeat: &'a expected::Repeat,
        place: Place,
        round: u64,
        must: bool,
    ) -> bool {
        let start = self.steps.len();
        let place = Place {
            depth: place.depth + 1,
            round,
            fresh: true,
        };
        let outer = self.counts.clone();
        self.entries(&repeat.calls, place);
        self.counts = outer;
        let made = &self.steps[start..];
        let seen = self.seen.iter().skip(start);
        let made = must || made.iter().zip(seen).filter(|(s, c)| s.like(c)).count() == made.len();
        if !made {
            self.steps.truncate(start);
        }
        made
    }
}

impl Step<'_> {
    /// Whether all that is the same in every run is as expected.
    fn like(&self, got: &Call) -> bool {
        let args = self.call.args.iter().zip(&got.args);
        let ret = match (&self.call.ret, self.call.sys_exit, got.ret) {
            (_, Some(want), got) => got == Some(want),
            (Some(Ret::Number(want)), None, Some(got)) => *want == got,
            (want, None, got) => want.is_some() == got.is_some(),
        };
        self.call.nr == got.nr
            && ret
            && args.into_iter().all(|(want, got)| match want {
                Word::Number(number) => number == got,
                Word::Round => self.place.round == *got,
                Word::Name(_) => true,
            })
    }

    /// How well a call fits: not at all, by its number, or by all that is the same in every run.
    /// That is worth more than two of the former, so that calls in another order show as such.
    fn fits(&self, got: &Call) -> usize {
        usize::from(self.call.nr == got.nr) * (1 + 2 * usize::from(self.like(got)))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.differences().join("\n"))
    }
}
