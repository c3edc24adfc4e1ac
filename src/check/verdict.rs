//! The verdict as data: what differs, call by call, and what could not be compared.

use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// How what a tracer reports of a process relates to what is expected of it.
#[derive(Clone, Default, PartialEq, Serialize, Debug)]
pub struct Verdict {
    /// How many calls the tracer has reported.
    pub seen: u64,
    /// How much was compared.
    pub compared: Compared,
    /// How many calls are expected that were not seen, were seen and are not expected, or are on both
    /// sides and differ.
    pub counts: Counts,
    /// The calls that differ, expected and seen, side by side, and a few around them.
    pub rows: Vec<Row>,
    /// The end that differs.
    pub end: Option<String>,
    /// The children that both have, in the order of their creation.
    pub children: Vec<Verdict>,
    /// Children that one of the two does not have.
    pub strangers: Vec<Stranger>,
    /// The tracer's own word that it has lost events.
    pub lost: Option<Lost>,
    /// What was not compared, because the tracer does not report it: how often each.
    pub not_compared: BTreeMap<Gap, u64>,
    /// What `in` and `out` say and the tracer has not reported, the first of it: `io_submit: in &iocb`.
    pub unread: Vec<String>,
}

/// How much was compared: a verdict that compared nothing is not exact.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Debug)]
pub struct Compared {
    /// Calls that are on both sides.
    pub calls: u64,
    /// Their arguments.
    pub args: u64,
    /// Their results.
    pub results: u64,
    /// Pointers of which the memory was compared.
    pub memory: u64,
}

/// How many calls differ, and how.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Debug)]
pub struct Counts {
    /// Expected, and not seen.
    pub missing: u64,
    /// Seen, and not expected.
    pub extra: u64,
    /// On both sides, with another argument, result or memory.
    pub wrong: u64,
    /// Names that differ.
    pub names: u64,
    /// Arguments that differ.
    pub args: u64,
    /// Results that differ.
    pub results: u64,
    /// Pieces of memory that differ.
    pub memory: u64,
}

/// A call that is expected, one that was seen, or both, and how they differ.
#[derive(Clone, Default, PartialEq, Serialize, Debug)]
pub struct Row {
    /// Its place among the rows of the process, from 1: where numbers are left out, calls were as expected.
    pub number: u64,
    /// Where the call stands in what the tracer wrote.
    pub line: Option<usize>,
    /// As the expected trace has it.
    pub want: Option<String>,
    /// As the tracer has it.
    pub got: Option<String>,
    /// Every difference.
    pub differences: Vec<Difference>,
}

/// One difference.
#[derive(Clone, PartialEq, Serialize, Debug)]
pub struct Difference {
    /// Where.
    pub place: Place,
    /// What is expected there.
    pub want: String,
    /// What is there.
    pub got: String,
    /// The kind of fault, where the pattern is clear.
    pub fault: Option<Fault>,
}

/// Where a call differs.
#[derive(Clone, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The call is not there.
    Missing,
    /// The call is not expected.
    Extra,
    /// Its name.
    Name,
    /// How many arguments it has.
    Count,
    /// An argument, from 0.
    Arg(usize),
    /// A part of what an argument leads to, where the tracer prints that.
    Part(usize),
    /// The result.
    Result,
    /// What a pointer leads to, `in &iocb`.
    Memory(String),
}

/// The kinds of fault that are named.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Only the low 32 bits of a value are left.
    Cut,
    /// A negative value has become a positive one.
    Sign,
    /// A call is missing after one that a signal interrupted.
    AfterSignal,
    /// The call before it is reported twice.
    Doubled,
    /// A call began, and its end is not reported.
    NoExit,
    /// A call ended, and its beginning is not reported.
    NoEntry,
    /// Two calls have changed places.
    Swapped,
    /// The kernel's restart code is not what is shown, but what is made of it.
    Restart,
    /// Only the beginning of a text is reported, as if it were all.
    Text,
}

/// A child that is on one side only.
#[derive(Clone, PartialEq, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Stranger {
    /// It is expected: its first call.
    Missing(String),
    /// It was seen: its first call.
    Extra(String),
}

/// Events that the tracer says it has lost.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Debug)]
pub struct Lost {
    /// How often it says so.
    pub times: u64,
    /// How many it has counted, if it has.
    pub events: Option<u64>,
}

/// What a tracer may not report.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Gap {
    /// All arguments of a call.
    Args,
    /// The arguments from this one on.
    ArgsFrom(usize),
    /// An argument that is not shown.
    Hidden,
    /// Results.
    Results,
    /// The value of a pointer, because the tracer shows what it leads to.
    Pointers,
    /// What a pointer leads to.
    Memory,
    /// Fields of structures, texts: parts of what pointers lead to.
    Parts,
    /// The name of a constant that is not known here.
    Symbol(String),
    /// How a process ends.
    End,
    /// Calls that were left out on purpose.
    Others,
}

impl Counts {
    /// How many calls differ in any way.
    #[must_use]
    pub fn differ(&self) -> u64 {
        self.missing + self.extra + self.wrong
    }
}

impl Verdict {
    /// There is no difference, and something was compared.
    #[must_use]
    pub fn exact(&self) -> bool {
        self.calls_compared() > 0 && self.lost.is_none() && self.same()
    }

    fn same(&self) -> bool {
        self.counts.differ() == 0
            && self.end.is_none()
            && self.strangers.is_empty()
            && self.children.iter().all(Self::same)
    }

    /// It is exact, and everything that the expected trace states was compared.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.exact() && self.gaps().is_empty()
    }

    /// How many calls are on both sides, those of children too.
    #[must_use]
    pub fn calls_compared(&self) -> u64 {
        let children = self.children.iter().map(Self::calls_compared);
        self.compared.calls + children.sum::<u64>()
    }

    /// What was not compared, of children too.
    #[must_use]
    pub fn gaps(&self) -> BTreeMap<Gap, u64> {
        let mut all = self.not_compared.clone();
        for child in &self.children {
            for (gap, count) in child.gaps() {
                *all.entry(gap).or_default() += count;
            }
        }
        all
    }

    /// Calls that were made and are not expected, those of children too.
    #[must_use]
    pub fn noise(&self) -> usize {
        self.total().extra as usize
    }

    /// Calls that are expected and were not made, those of children too.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.total().missing as usize
    }

    /// The counts of the process and its children.
    #[must_use]
    pub fn total(&self) -> Counts {
        let each = self.children.iter().map(Self::total);
        each.fold(self.counts, |a, b| Counts {
            missing: a.missing + b.missing,
            extra: a.extra + b.extra,
            wrong: a.wrong + b.wrong,
            names: a.names + b.names,
            args: a.args + b.args,
            results: a.results + b.results,
            memory: a.memory + b.memory,
        })
    }

    /// How many calls were seen, those of children too.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.seen + self.children.iter().map(Self::calls).sum::<u64>()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.differences().join("\n"))
    }
}

impl Verdict {
    /// Every difference that was kept, a line each; none if there is none.
    #[must_use]
    pub fn differences(&self) -> Vec<String> {
        let rows = self.rows.iter().flat_map(Row::lines);
        let strangers = self.strangers.iter().map(ToString::to_string);
        let mut lines: Vec<_> = rows.chain(self.end.clone()).chain(strangers).collect();
        for (number, child) in (1..).zip(&self.children) {
            let differences = child.differences().into_iter();
            lines.extend(differences.map(|line| format!("child {number}: {line}")));
        }
        lines
    }
}

impl Row {
    /// Every difference, a line each.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.differences.iter().map(|each| each.line(self))
    }
}

impl Difference {
    fn line(&self, row: &Row) -> String {
        let got = row.got.as_deref().unwrap_or_default();
        let Self {
            want, got: seen, ..
        } = self;
        match &self.place {
            Place::Missing => format!("missing: {want}"),
            Place::Extra => format!("not asked for: {seen}"),
            Place::Name => format!("{want} is called {seen}"),
            Place::Count => format!("{got}: expected {want} arguments"),
            Place::Arg(at) => format!("{got}: argument {at} should be {want}"),
            Place::Part(at) => format!("{got}: argument {at}: {seen}, not {want}"),
            Place::Result if self.fault == Some(Fault::NoExit) => format!("{got}: it has no end"),
            Place::Result if self.fault == Some(Fault::NoEntry) => {
                format!("{got}: it has no beginning")
            }
            Place::Result => format!("{got}: should return {want}"),
            Place::Memory(place) => {
                let call = got.split('(').next().unwrap_or_default();
                let not = if want.is_empty() {
                    String::new()
                } else {
                    format!(", not {want}")
                };
                format!("{call}: {place}: {seen}{not}")
            }
        }
    }
}

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(first) => write!(f, "missing: a child that starts with {first}"),
            Self::Extra(first) => {
                write!(
                    f,
                    "not asked for: another thread or process, which did {first}"
                )
            }
        }
    }
}

impl Serialize for Gap {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Args => f.write_str("arguments"),
            Self::ArgsFrom(from) => write!(f, "arguments from number {from} on"),
            Self::Hidden => f.write_str("some arguments"),
            Self::Results => f.write_str("results"),
            Self::Pointers => f.write_str("values of pointers"),
            Self::Memory => f.write_str("memory"),
            Self::Parts => f.write_str("parts of memory"),
            Self::Symbol(name) => f.write_str(name),
            Self::End => f.write_str("the end"),
            Self::Others => f.write_str("other calls"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "cut to 32 bits",
            Self::Sign => "the sign is lost",
            Self::AfterSignal => "lost after a signal",
            Self::Doubled => "reported twice",
            Self::NoExit => "entry without exit",
            Self::NoEntry => "exit without entry",
            Self::Swapped => "in another order",
            Self::Restart => "not the result that should be shown of a restart",
            Self::Text => "the text is cut",
        })
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.events {
            Some(1) => f.write_str("1 event lost"),
            Some(events) => write!(f, "{events} events lost"),
            None => f.write_str("events lost"),
        }
    }
}

impl Verdict {
    /// The verdict in one line: `exact`, `exact in numbers and results; arguments not reported`,
    /// `9 calls, 1 missing, 1 wrong argument`.
    #[must_use]
    pub fn summary(&self) -> String {
        if self.exact() {
            return self.exactness();
        }
        let counts = self.total();
        let (gone, more) = self.strange();
        let parts = [
            many(self.calls(), "call", "calls"),
            many(counts.missing, "missing", "missing"),
            many(counts.extra, "not expected", "not expected"),
            many(counts.names, "wrong name", "wrong names"),
            many(counts.args, "wrong argument", "wrong arguments"),
            many(counts.results, "wrong result", "wrong results"),
            many(counts.memory, "wrong memory", "wrong memory"),
            many(gone, "child missing", "children missing"),
            many(more, "child not expected", "children not expected"),
            many(self.ends(), "wrong end", "wrong ends"),
            self.lost.map(|lost| lost.to_string()),
        ];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        if self.calls() == 0 {
            let parts = parts.join(", ");
            return format!("nothing was seen, {parts}")
                .trim_end_matches(", ")
                .into();
        }
        if self.calls_compared() == 0 && counts.differ() == 0 {
            return format!("{}, nothing was compared", parts.join(", "));
        }
        parts.join(", ")
    }

    fn ends(&self) -> u64 {
        u64::from(self.end.is_some()) + self.children.iter().map(Self::ends).sum::<u64>()
    }

    /// How many children are missing, and not expected.
    fn strange(&self) -> (u64, u64) {
        let missing = |each: &&Stranger| matches!(each, Stranger::Missing(_));
        let gone = self.strangers.iter().filter(missing).count();
        (gone as u64, (self.strangers.len() - gone) as u64)
    }

    /// In what it is exact, and what was not compared.
    fn exactness(&self) -> String {
        let gaps = self.gaps();
        if gaps.is_empty() {
            return "exact".into();
        }
        let compared = self.all_compared();
        let parts = [
            (compared.args, "arguments"),
            (compared.results, "results"),
            (compared.memory, "memory"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let names = ["numbers"].into_iter().chain(parts.map(|(_, name)| *name));
        let names: Vec<_> = names.map(str::to_owned).collect();
        let mut text = format!("exact in {}", listed(&names));
        for (kind, word) in [(0, "not reported"), (1, "not understood"), (2, "left out")] {
            let some = gaps.keys().filter(|gap| gap.kind() == kind);
            let some: Vec<_> = some.map(ToString::to_string).collect();
            if !some.is_empty() {
                text = format!("{text}; {} {word}", listed(&some));
            }
        }
        text
    }

    fn all_compared(&self) -> Compared {
        let each = self.children.iter().map(Self::all_compared);
        each.fold(self.compared, |a, b| Compared {
            calls: a.calls + b.calls,
            args: a.args + b.args,
            results: a.results + b.results,
            memory: a.memory + b.memory,
        })
    }
}

impl Gap {
    fn kind(&self) -> u8 {
        match self {
            Self::Symbol(_) => 1,
            Self::Others => 2,
            _ => 0,
        }
    }
}

/// `1 call`, `2 calls`; nothing for none.
fn many(count: u64, one: &str, more: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {more}")),
    }
}

/// `a, b and c`.
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [front @ .., last] => format!("{} and {last}", front.join(", ")),
    }
}
