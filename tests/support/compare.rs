//! The comparison of what a witness has seen with what is expected: whole, in order, to the last
//! argument, and to the bytes behind the pointers where the witness could read them.

use crate::expected::{self, Count, Entry, Expected, Pairs, Ret, Shape, Word};
use crate::layout;
use crate::trace::{Call, Memory, Seen};
use anyhow::{Result, ensure};
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

/// Wants so many lines, each of which starts so: what follows differs from run to run, as addresses
/// do.
///
/// # Errors
/// The lines, if not.
pub fn start_so(lines: &[String], starts: &[&str]) -> Result<()> {
    let mut pairs = lines.iter().zip(starts);
    let each = pairs.all(|(line, start)| line.starts_with(start));
    ensure!(
        each && lines.len() == starts.len(),
        "wanted {starts:#?}, found {lines:#?}"
    );
    Ok(())
}

/// The values that the names of the trace stand for in what was seen.
#[must_use]
pub fn bound(expected: &Expected, seen: &Seen) -> BTreeMap<String, u64> {
    let mut names = Names::default();
    process(&expected.calls, seen, &mut names);
    let values = names.0.into_iter();
    values.map(|(name, (value, _))| (name, value)).collect()
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

type Pair<'a, 'b> = (Option<&'b Step<'a>>, Option<&'b Call>);

/// Beyond this many pairs the middle of two long traces is not aligned, but listed.
const TABLE: usize = 16_000_000;

/// Lays the two side by side so that they fit as well as possible.
fn align<'a, 'b>(want: &'b [Step<'a>], got: &'b [Call]) -> Vec<Pair<'a, 'b>> {
    let both = |(w, g): (&'b Step<'a>, &'b Call)| (Some(w), Some(g));
    let alike = |(w, g): &(&Step<'a>, &Call)| w.like(g);
    let front = want.iter().zip(got).take_while(alike).count();
    let (head, want) = want.split_at(front);
    let (seen_head, got) = got.split_at(front);
    let back = want.iter().rev().zip(got.iter().rev());
    let back = back.take_while(alike).count();
    let (want, tail) = want.split_at(want.len() - back);
    let (got, seen_tail) = got.split_at(got.len() - back);
    let mut pairs: Vec<_> = head.iter().zip(seen_head).map(both).collect();
    if want.len().saturating_mul(got.len()) > TABLE {
        pairs.extend(want.iter().map(|w| (Some(w), None)));
        pairs.extend(got.iter().map(|g| (None, Some(g))));
    } else {
        middle(want, got, &mut pairs);
    }
    pairs.extend(tail.iter().zip(seen_tail).map(both));
    pairs
}

/// The best of all alignments, from its table of scores.
fn middle<'a, 'b>(want: &'b [Step<'a>], got: &'b [Call], pairs: &mut Vec<Pair<'a, 'b>>) {
    let mut score = vec![vec![0; got.len() + 1]; want.len() + 1];
    for (i, w) in want.iter().enumerate().rev() {
        for (j, g) in got.iter().enumerate().rev() {
            let apart = score[i + 1][j].max(score[i][j + 1]);
            let fits = w.fits(g);
            score[i][j] = apart.max(if fits > 0 {
                score[i + 1][j + 1] + fits
            } else {
                0
            });
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < want.len() || j < got.len() {
        let both = i < want.len() && j < got.len();
        let fits = if both { want[i].fits(&got[j]) } else { 0 };
        if fits > 0 && score[i][j] == score[i + 1][j + 1] + fits {
            pairs.push((Some(&want[i]), Some(&got[j])));
            (i, j) = (i + 1, j + 1);
        } else if j == got.len() || both && score[i + 1][j] >= score[i][j + 1] {
            pairs.push((Some(&want[i]), None));
            i += 1;
        } else {
            pairs.push((None, Some(&got[j])));
            j += 1;
        }
    }
}

/// How values that are no handles, the PID and the length of its line, start; they can be equal to
/// one by chance.
const GATE: &str = "$gate_";

/// The values that names stand for in this run, and how many repetitions each was bound in.
#[derive(Clone, Default)]
struct Names(HashMap<String, (u64, usize)>);

impl Names {
    /// In what a call differs from the expected one.
    fn differences(
        &mut self,
        step: &Step<'_>,
        got: &Call,
        unread: &mut Vec<String>,
    ) -> Vec<String> {
        let (want, place) = (step.call, step.place);
        let kept = place.depth - usize::from(place.fresh);
        self.0.retain(|_, (_, depth)| *depth <= kept);
        let mut differences = Vec::new();
        if want.name != got.name {
            differences.push(format!("{} is called {}", want.name, got.name));
        }
        if want.args.len() != got.args.len() {
            differences.push(format!("{got}: expected {} arguments", want.args.len()));
        }
        for (index, (arg, value)) in want.args.iter().zip(&got.args).enumerate() {
            if !self.is(arg, *value, 8, place) {
                let arg = self.told(arg, place);
                differences.push(format!("{got}: argument {index} should be {arg}"));
            }
        }
        differences.extend(self.memory(want, &want.before, "in", &got.before, place, unread));
        if !self.ret_is(want, got.ret, place) {
            let ret = want.ret.as_ref().map_or("nothing".into(), Ret::to_string);
            let shown = want.sys_exit.map(|code| format!(", and show {code}"));
            differences.push(format!(
                "{got}: should return {ret}{}",
                shown.unwrap_or_default()
            ));
        }
        differences.extend(self.memory(want, &want.after, "out", &got.after, place, unread));
        differences
    }

    fn ret_is(&mut self, want: &expected::Call, got: Option<i64>, place: Place) -> bool {
        match (&want.ret, want.sys_exit, got) {
            (None, None, None) => true,
            (_, Some(number), Some(got)) => number == got,
            (Some(Ret::Number(number)), _, Some(got)) => *number == got,
            (Some(Ret::Any(numbers)), _, Some(got)) => numbers.contains(&got),
            (Some(Ret::Range(range)), _, Some(got)) => (range.min..=range.max).contains(&got),
            (Some(Ret::Name(name)), _, Some(got)) => {
                got >= 0 && self.named(name, got as u64, 8, place)
            }
            _ => false,
        }
    }

    /// Whether a word of `size` bytes has the value that it should have.
    fn is(&mut self, word: &Word, value: u64, size: usize, place: Place) -> bool {
        match word {
            Word::Number(number) => cut(*number, size) == value,
            Word::Round => place.round == value,
            Word::Name(name) => self.named(name, value, size, place),
        }
    }

    /// A name stands for one value throughout, and no two addresses (nor two values, see [`GATE`])
    /// are the same. An address is not 0.
    fn named(&mut self, name: &str, value: u64, size: usize, place: Place) -> bool {
        if let Some((known, _)) = self.0.get(name) {
            return cut(*known, size) == value;
        }
        let sigil = name.chars().next();
        let chance = |name: &str| name.starts_with(GATE);
        let same = |(other, (known, _)): (&String, &(u64, usize))| {
            other.chars().next() == sigil && *known == value && !chance(other) && !chance(name)
        };
        let taken = self.0.iter().any(same);
        self.0.insert(name.into(), (value, place.depth));
        !taken && (sigil == Some('$') || sigil == Some('&') && value != 0)
    }

    fn told(&self, word: &Word, place: Place) -> String {
        match word {
            Word::Number(_) => word.to_string(),
            Word::Round => format!("{:#x}", place.round),
            Word::Name(name) => match self.0.get(name) {
                Some((value, _)) => format!("{name}, which is {value:#x}"),
                None => name.clone(),
            },
        }
    }

    /// In what the memory that a witness has read differs; what it has not read is noted.
    fn memory(
        &mut self,
        call: &expected::Call,
        want: &Pairs,
        when: &str,
        memory: &Memory,
        place: Place,
        unread: &mut Vec<String>,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        for (name, shape) in &want.0 {
            let address = self.0.get(name).map(|(address, _)| *address);
            let Some(bytes) = address.and_then(|address| memory.get(&address)) else {
                unread.push(format!("{}: {when} {name}", call.name));
                continue;
            };
            if let Err(wrong) = self.shape(shape, &mut bytes.as_slice(), place) {
                differences.push(format!("{}: {when} {name}: {wrong}", call.name));
            }
        }
        differences
    }

    /// Holds the front of `bytes` against a shape, and takes it off.
    fn shape(&mut self, shape: &Shape, bytes: &mut &[u8], place: Place) -> Result<(), String> {
        match shape {
            Shape::Word(word) => self.word(word, take(bytes, 8)?, place),
            Shape::Bytes(text) => {
                let found = take(bytes, text.len())?;
                let found_text = String::from_utf8_lossy(found);
                let same = found == text.as_bytes();
                same.then_some(())
                    .ok_or(format!("{found_text:?}, not {text:?}"))
            }
            Shape::List(shapes) => shapes
                .iter()
                .try_for_each(|shape| self.shape(shape, bytes, place)),
            Shape::Struct(fields) => self.fields(fields, bytes, place),
        }
    }

    fn fields(&mut self, want: &Pairs, bytes: &mut &[u8], place: Place) -> Result<(), String> {
        let named = want.0.first().and_then(|(field, _)| layout::of(field));
        let layout = named.ok_or("a structure that layout.rs does not know")?;
        let bytes = take(bytes, layout.size)?;
        let known = |(name, _): &&(String, Shape)| layout.fields.iter().any(|(f, ..)| f == name);
        if let Some((stranger, _)) = want.0.iter().find(|pair| !known(pair)) {
            return Err(format!("there is no field {stranger}"));
        }
        for &(field, offset, size) in layout.fields {
            let wanted = want.0.iter().find(|(name, _)| name == field);
            let word = match wanted {
                None => &Word::Number(0),
                Some((_, Shape::Word(word))) => word,
                Some(_) => return Err(format!("{field} is one word")),
            };
            self.word(word, &bytes[offset..offset + size], place)
                .map_err(|wrong| format!("{field} is {wrong}"))?;
        }
        Ok(())
    }

    fn word(&mut self, want: &Word, bytes: &[u8], place: Place) -> Result<(), String> {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let value = u64::from_le_bytes(word);
        if self.is(want, value, bytes.len(), place) {
            return Ok(());
        }
        Err(format!("{value:#x}, not {}", self.told(want, place)))
    }
}

/// The first `count` bytes.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], String> {
    let all = *bytes;
    let split = all.split_at_checked(count);
    let (front, rest) = split.ok_or(format!("{} of {count} bytes were read", all.len()))?;
    *bytes = rest;
    Ok(front)
}

/// What is left of a value in a field of so many bytes.
fn cut(value: u64, size: usize) -> u64 {
    value & u64::MAX >> (64 - 8 * size)
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.differences().join("\n"))
    }
}
