//! One process, call by call: what is as expected is dropped at once; at a difference the two sides are
//! aligned again over a window that grows as far as it must.

use super::Options;
use super::align::{Move, align};
use super::got::{Got, Half, restarts};
use super::names::Names;
use super::pair::{Notes, Pair, difference};
use super::steps::{Ahead, Blind, Cursor, Next, Step};
use crate::event::Value;
use crate::expected::{self, Count, Entry, Word};
use crate::verdict::{Counts, Difference, Fault, Place, Row, Verdict};
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

/// Alignments are tried over so many calls first.
const FIRST: usize = 64;
/// So many calls in a row that are as expected show that both sides are aligned again.
const RUN: usize = 16;
/// So many calls show that a round is the one that its number says.
const SURE: usize = 4;
/// A call that has changed places is looked for so far away.
const NEAR: usize = 16;

/// A process, as far as it is seen.
pub struct Process<'a> {
    options: Rc<Options>,
    want: &'a [Entry],
    cursor: Cursor<'a>,
    /// Expected calls that are not compared yet.
    steps: VecDeque<Step<'a>>,
    /// No more than those in `steps` are expected.
    done: bool,
    /// Calls seen that are not compared yet.
    gots: VecDeque<Got>,
    /// No more calls come.
    ended: bool,
    pub names: Names,
    notes: Notes,
    rows: Rows<'a>,
    effort: Effort,
    /// With fewer calls nothing can be aligned.
    needed: usize,
    /// The expected call before, and the code of an exit_group among them.
    previous: Option<&'a expected::Call>,
    seen: u64,
    pub first: Option<String>,
    pub end: Option<String>,
    /// Rows of calls without an end, taken for a tracer that reports no ends.
    endless: Vec<Row>,
}

/// How much is tried to align two sides: less, where nearly every call differs.
#[derive(Default)]
struct Effort {
    /// So many calls in a row were as expected.
    streak: usize,
    /// So many calls that differ are compared as they come, if only their numbers fit.
    direct: u64,
    /// How often that was so.
    tries: u32,
    /// Until this row, no more than the nearest calls are aligned.
    rest: u64,
    /// So many rows that lasted the last time.
    pause: u64,
}

impl Effort {
    fn like(&mut self) {
        self.streak += 1;
        if self.streak >= RUN {
            (self.direct, self.tries) = (0, 0);
        }
    }

    /// The two sides can't be aligned.
    fn give_up(&mut self) {
        self.direct = (FIRST as u64 / 2) << self.tries;
        self.tries = (self.tries + 1).min(6);
    }
}

/// The rows that are kept.
#[derive(Default)]
struct Rows<'a> {
    kept: Vec<Row>,
    /// The last calls that were as expected.
    recent: VecDeque<(u64, Step<'a>, Got)>,
    /// So many of the next are kept.
    after: usize,
    number: u64,
    counts: Counts,
}

impl<'a> Process<'a> {
    pub fn new(want: &'a [Entry], names: Names, options: &Rc<Options>) -> Self {
        Self {
            options: options.clone(),
            want,
            cursor: Cursor::new(want, options),
            steps: VecDeque::new(),
            done: false,
            gots: VecDeque::new(),
            ended: false,
            names,
            notes: Notes::default(),
            rows: Rows {
                after: if options.context == usize::MAX {
                    usize::MAX
                } else {
                    0
                },
                ..Rows::default()
            },
            effort: Effort::default(),
            needed: 0,
            previous: None,
            seen: 0,
            first: None,
            end: None,
            endless: Vec::new(),
        }
    }

    /// The process has done nothing yet.
    pub fn fresh(&self) -> bool {
        self.seen == 0
    }

    /// Takes the next call.
    pub fn call(&mut self, got: Got) {
        self.seen += 1;
        if self.first.is_none() {
            self.first = Some(got.to_string());
        }
        self.gots.push_back(got);
        self.advance();
    }

    /// Compares as much as can be compared now.
    fn advance(&mut self) {
        if self.enough(self.needed) {
            self.needed = 0;
            while self.step() {}
        }
    }

    /// One step, if there is one to be made.
    fn step(&mut self) -> bool {
        if self.steps.is_empty() && !self.done && !self.want_next() {
            return false;
        }
        match (self.steps.front(), self.gots.front()) {
            (Some(step), Some(got)) if got.like(step, &self.options) => {
                self.effort.like();
                self.both();
                true
            }
            (Some(step), Some(got)) if self.effort.direct > 0 && got.nr == Some(step.call.nr) => {
                self.effort.direct -= 1;
                self.effort.streak = 0;
                self.both();
                true
            }
            (Some(_), Some(_)) => self.resync(),
            (None, Some(_)) => {
                self.extra(false);
                true
            }
            (Some(_), None) if self.ended => {
                self.missing(false);
                true
            }
            (_, None) => false,
        }
    }

    /// Fetches the next expected call; not if it depends on what is still to come.
    fn want_next(&mut self) -> bool {
        let ahead = Ahead {
            gots: &self.gots,
            ended: self.ended,
            options: &self.options,
        };
        match self.cursor.next(&ahead) {
            Next::Step(step) => self.steps.push_back(step),
            Next::Later => return false,
            Next::End => self.done = true,
        }
        true
    }

    /// Fetches expected calls for a window, up to a repetition of unknown length.
    fn fill(&mut self, size: usize) {
        while self.steps.len() < size && !self.done {
            match self.cursor.next(&Blind) {
                Next::Step(step) => self.steps.push_back(step),
                Next::Later => return,
                Next::End => self.done = true,
            }
        }
    }

    /// Aligns what differs in front; `false` if more calls have to be seen for that.
    fn resync(&mut self) -> bool {
        self.effort.streak = 0;
        if !self.enough(FIRST) {
            self.needed = FIRST;
            return false;
        }
        let near = self.window(FIRST);
        if let Some(path) = self.accepted(&near, FIRST) {
            return self.commit(&path);
        }
        if self.jump() {
            return true;
        }
        if self.rows.number >= self.effort.rest {
            let most = self.options.window.max(FIRST);
            if !self.enough(most) {
                self.needed = most;
                return false;
            }
            if let Some(path) = self.far(most) {
                return self.commit(&path);
            }
        }
        self.effort.give_up();
        let path = self.half(near);
        self.commit(&path)
    }

    /// The alignment over more calls, up to the whole window.
    fn far(&mut self, most: usize) -> Option<Vec<Move>> {
        self.fill(most);
        if !self.hopeful(most) {
            return None;
        }
        let mut size = FIRST;
        while size < most {
            size = (size * 4).min(most);
            let path = self.window(size);
            if let Some(path) = self.accepted(&path, size) {
                self.effort.pause = 0;
                return Some(path);
            }
        }
        self.effort.pause = (self.effort.pause * 2).max(most as u64);
        self.effort.rest = self.rows.number + self.effort.pause;
        None
    }

    fn enough(&self, size: usize) -> bool {
        self.ended || self.gots.len() >= size
    }

    fn window(&mut self, size: usize) -> Vec<Move> {
        self.fill(size);
        let steps: Vec<_> = self.steps.iter().take(size).collect();
        let gots: Vec<_> = self.gots.iter().take(size).collect();
        align(&steps, &gots, &self.options)
    }

    /// As much of an alignment as is sure: all, if it has all calls; up to where the two sides are
    /// alike again; all expected calls in front of a repetition of unknown length.
    fn accepted(&self, path: &[Move], size: usize) -> Option<Vec<Move>> {
        let all_steps = self.steps.len() < size;
        let all_gots = self.ended && self.gots.len() <= size;
        if all_steps && all_gots && self.done {
            return Some(path.to_vec());
        }
        let like = |moves: &[Move]| moves.iter().all(|each| *each == Move::Both { like: true });
        if let Some(at) = path.windows(RUN).position(like) {
            return Some(path[..at].to_vec());
        }
        if all_steps && (!self.done || all_gots) {
            let last = path.iter().rposition(|each| *each != Move::Got)?;
            return Some(path[..=last].to_vec());
        }
        None
    }

    /// Whether the next call of one side is to be found on the other.
    fn hopeful(&self, most: usize) -> bool {
        let options = &*self.options;
        let (step, got) = (self.steps.front(), self.gots.front());
        let mut steps = self.steps.iter().take(most);
        let mut gots = self.gots.iter().take(most);
        got.is_some_and(|got| steps.any(|step| got.like(step, options)))
            || step.is_some_and(|step| gots.any(|got| got.like(step, options)))
    }

    /// Calls of many rounds are lost: goes on in the round whose number is seen.
    fn jump(&mut self) -> bool {
        let (Some(step), Some(got)) = (self.steps.front(), self.gots.front()) else {
            return false;
        };
        let at = step.call.args.iter().position(|arg| *arg == Word::Round);
        let args = got.call.args.as_deref().unwrap_or(&[]);
        let round = at.and_then(|at| match args.get(at) {
            Some(Value::Number(number)) => u64::try_from(*number).ok(),
            _ => None,
        });
        let mut target = *step;
        let last = rounds(self.want, target.call).unwrap_or(0);
        let Some(round) = round.filter(|round| (target.place.round + 1..=last).contains(round))
        else {
            return false;
        };
        target.place.round = round;
        let next = self
            .gots
            .iter()
            .filter(|got| got.nr == Some(target.call.nr));
        let mut rounds = (round..=last).zip(next.take(SURE));
        let follows = |(round, got): (u64, &Got)| {
            target.place.round = round;
            got.like(&target, &self.options)
        };
        if !rounds.all(follows) {
            return false;
        }
        while self
            .steps
            .front()
            .is_some_and(|step| !std::ptr::eq(step.call, target.call) || step.place.round != round)
        {
            self.missing(false);
            self.fill(1);
        }
        true
    }

    /// The first half of an alignment that is not sure, and something of it in any case.
    fn half(&self, mut path: Vec<Move>) -> Vec<Move> {
        if !path.iter().any(|each| matches!(each, Move::Both { .. })) && !self.gots.is_empty() {
            return vec![Move::Got; (self.gots.len().min(FIRST) / 2).max(1)];
        }
        path.truncate((path.len() / 2).max(1));
        path
    }

    fn commit(&mut self, path: &[Move]) -> bool {
        let swapped = self.swapped(path);
        for (at, each) in path.iter().enumerate() {
            match each {
                Move::Both { .. } => self.both(),
                Move::Want => self.missing(swapped.contains(&at)),
                Move::Got => self.extra(swapped.contains(&at)),
            }
        }
        !path.is_empty()
    }

    /// The places in a path of calls that are missing, and not expected, because they have changed
    /// places.
    fn swapped(&self, path: &[Move]) -> HashSet<usize> {
        let (mut steps, mut gots) = (self.steps.iter(), self.gots.iter());
        let (mut missing, mut extra) = (Vec::new(), Vec::new());
        for (at, each) in path.iter().enumerate() {
            let step = (*each != Move::Got).then(|| steps.next()).flatten();
            let got = (*each != Move::Want).then(|| gots.next()).flatten();
            match (step, got) {
                (Some(step), None) => missing.push((at, step)),
                (None, Some(got)) => extra.push((at, got)),
                _ => {}
            }
        }
        let mut swapped = HashSet::new();
        for (at, step) in missing {
            let same = |(other, got): &&(usize, &Got)| {
                at.abs_diff(*other) < NEAR
                    && !swapped.contains(other)
                    && got.like(step, &self.options)
            };
            if let Some((other, _)) = extra.iter().find(same) {
                swapped.extend([at, *other]);
            }
        }
        swapped
    }

    fn both(&mut self) {
        let (Some(step), Some(got)) = (self.steps.pop_front(), self.gots.pop_front()) else {
            return;
        };
        let pair = Pair::new(&mut self.names, &mut self.notes, &self.options);
        let differences = pair.differences(&step, &got);
        self.previous = Some(step.call);
        if differences.is_empty() {
            let endless = got.half == Half::Entry { ends: false } && step.call.ret.is_some();
            if endless && self.endless.len() < self.options.rows {
                let mut row = row(&step, &got, no_exit(&step));
                row.number = self.rows.number + 1;
                self.endless.push(row);
            }
            self.rows.same(step, got, &self.options);
        } else {
            self.rows.wrong(&step, &got, differences, &self.options);
        }
    }

    fn missing(&mut self, swapped: bool) {
        let Some(step) = self.steps.pop_front() else {
            return;
        };
        self.names.enter(step.place);
        let fault = match self.previous {
            _ if swapped => Some(Fault::Swapped),
            Some(before) if interrupted(before) || step.call.name == "rt_sigreturn" => {
                Some(Fault::AfterSignal)
            }
            _ => None,
        };
        self.previous = Some(step.call);
        self.rows.counts.missing += 1;
        let lost = difference(Place::Missing, &step.call.name, "", fault);
        let row = || Row {
            want: Some(step.call.to_string()),
            differences: vec![lost],
            ..Row::default()
        };
        self.rows.differs(row, &self.options);
    }

    fn extra(&mut self, swapped: bool) {
        let Some(got) = self.gots.pop_front() else {
            return;
        };
        let twin = |other: &Got| other.call == got.call && other.nr == got.nr;
        let last = self.rows.recent.back();
        let doubled =
            last.is_some_and(|(_, _, last)| twin(last)) || self.gots.front().is_some_and(twin);
        let fault = match got.half {
            _ if swapped => Some(Fault::Swapped),
            Half::Exit => Some(Fault::NoEntry),
            _ if doubled => Some(Fault::Doubled),
            _ => None,
        };
        self.rows.counts.extra += 1;
        let row = || Row {
            line: Some(got.line),
            got: Some(got.to_string()),
            differences: vec![difference(Place::Extra, "", &got.to_string(), fault)],
            ..Row::default()
        };
        self.rows.differs(row, &self.options);
    }

    /// No more calls come.
    pub fn close(&mut self) {
        self.ended = true;
        self.advance();
    }

    /// The verdict, and the names that were bound. `ends`: whether the tracer has reported the end of
    /// any call.
    pub fn finish(mut self, ends: bool) -> (Verdict, Names) {
        self.close();
        let want = end(self.want);
        let end = self.end.as_ref().filter(|end| **end != want);
        let end = end.map(|end| format!("it {end}; expected: {want}"));
        let mut counts = self.rows.counts;
        let mut rows = self.rows.kept;
        if ends && !self.endless.is_empty() {
            counts.wrong += self.endless.len() as u64;
            counts.results += self.endless.len() as u64;
            rows.retain(|row| !self.endless.iter().any(|other| other.number == row.number));
            rows.extend(self.endless);
            rows.sort_by_key(|row| row.number);
        }
        let mut notes = self.notes;
        let exits = self.previous.is_some_and(|call| call.name == "exit_group");
        let stated = want.starts_with("exited") && self.options.only.is_empty();
        if self.end.is_none() && stated && !exits {
            notes.gap(crate::verdict::Gap::End);
        }
        let verdict = Verdict {
            seen: self.seen,
            compared: notes.compared,
            counts,
            rows,
            end,
            not_compared: notes.gaps,
            unread: notes.unread,
            ..Verdict::default()
        };
        (verdict, self.names)
    }
}

impl<'a> Rows<'a> {
    /// A call that is as expected.
    fn same(&mut self, step: Step<'a>, got: Got, options: &Options) {
        self.number += 1;
        if self.after > 0 && self.kept.len() < options.rows {
            self.after -= 1;
            let mut row = row(&step, &got, Vec::new());
            row.number = self.number;
            self.kept.push(row);
        }
        self.recent.push_back((self.number, step, got));
        if self.recent.len() > options.context.clamp(1, 64) {
            self.recent.pop_front();
        }
    }

    fn wrong(&mut self, step: &Step<'a>, got: &Got, all: Vec<Difference>, options: &Options) {
        self.counts.wrong += 1;
        for each in &all {
            match each.place {
                Place::Arg(_) | Place::Count => self.counts.args += 1,
                Place::Name => self.counts.names += 1,
                Place::Result => self.counts.results += 1,
                Place::Memory(_) | Place::Part(_) => self.counts.memory += 1,
                Place::Missing | Place::Extra => {}
            }
        }
        self.differs(|| row(step, got, all), options);
    }

    fn differs(&mut self, row: impl FnOnce() -> Row, options: &Options) {
        self.number += 1;
        if self.kept.len() >= options.rows {
            return;
        }
        let last = self.kept.last().map_or(0, |row| row.number);
        let context = self.recent.len().min(options.context);
        for (number, step, got) in self.recent.iter().rev().take(context).rev() {
            if *number > last {
                let mut row = self::row(step, got, Vec::new());
                row.number = *number;
                self.kept.push(row);
            }
        }
        self.kept.push(Row {
            number: self.number,
            ..row()
        });
        self.after = options.context;
    }
}

fn row(step: &Step<'_>, got: &Got, differences: Vec<Difference>) -> Row {
    Row {
        number: 0,
        line: Some(got.line),
        want: Some(step.call.to_string()),
        got: Some(got.to_string()),
        differences,
    }
}

fn no_exit(step: &Step<'_>) -> Vec<Difference> {
    let want = step.call.ret.as_ref().map(ToString::to_string);
    let want = want.unwrap_or_default();
    vec![difference(
        Place::Result,
        &want,
        "no end",
        Some(Fault::NoExit),
    )]
}

/// Whether a signal is handled after this call.
fn interrupted(call: &expected::Call) -> bool {
    call.sys_exit.is_some_and(restarts)
        || call.name == "rt_sigreturn"
        || matches!(call.ret, Some(expected::Ret::Number(-4)))
}

/// How many rounds the repetition has that a call stands in.
fn rounds(entries: &[Entry], call: &expected::Call) -> Option<u64> {
    entries.iter().find_map(|entry| match entry {
        Entry::Call(_) => None,
        Entry::Repeat(repeat) => {
            let inside =
                |entry: &Entry| matches!(entry, Entry::Call(other) if std::ptr::eq(other, call));
            match (&repeat.repeat, repeat.calls.iter().any(inside)) {
                (Count::Exact(count), true) => Some(*count),
                (_, true) => None,
                (_, false) => rounds(&repeat.calls, call),
            }
        }
    })
}

/// The end that the last call brings about.
pub fn end(entries: &[Entry]) -> String {
    match entries.last() {
        Some(Entry::Call(call)) => match call.args.as_slice() {
            // A parent gets the low eight bits.
            [Word::Number(code)] => format!("exited with {}", code & 0xff),
            _ => "no end: the last call is not exit_group".into(),
        },
        Some(Entry::Repeat(repeat)) => end(&repeat.calls),
        None => "no end: the last call is not exit_group".into(),
    }
}
