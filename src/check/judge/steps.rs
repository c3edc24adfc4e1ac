//! The expected calls one after the other, repetitions written out only as far as they are needed.

use super::Options;
use super::got::Got;
use crate::ctype::{self, CType};
use crate::expected::{self, Count, Entry, Repeat};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// Where in the repetitions a call stands.
#[derive(Clone, Copy, Default, Debug)]
pub struct Place {
    /// How many repetitions are around it.
    pub depth: usize,
    /// The round of the innermost, from 1.
    pub round: u64,
    /// It is the first of its round.
    pub fresh: bool,
}

/// An expected call.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    pub call: &'a expected::Call,
    pub place: Place,
    pub types: &'static [CType],
}

impl Step<'_> {
    /// The type of an argument.
    pub fn ctype(&self, arg: usize) -> CType {
        self.types.get(arg).copied().unwrap_or(CType::WORD)
    }
}

/// What comes next.
pub enum Next<'a> {
    Step(Step<'a>),
    /// Whether a repetition goes on shows only with calls that are not seen yet.
    Later,
    /// No more calls are expected.
    End,
}

/// The calls seen, from the next on, by which a repetition of unknown length goes on or not.
pub trait Look {
    /// Whether these calls come next; `None` if that can't be said yet.
    fn comes(&self, steps: &[Step<'_>]) -> Option<bool>;
}

/// How far the expected calls have got.
#[derive(Clone)]
pub struct Cursor<'a> {
    frames: Vec<Frame<'a>>,
    /// How many rounds there were, of repetitions that have a name for it.
    counts: HashMap<&'a str, u64>,
    options: Rc<Options>,
}

#[derive(Clone)]
struct Frame<'a> {
    entries: &'a [Entry],
    at: usize,
    repeat: Option<&'a Repeat>,
    place: Place,
    /// `counts` before its first round: those of a round are forgotten at its end.
    outer: HashMap<&'a str, u64>,
}

impl<'a> Cursor<'a> {
    pub fn new(entries: &'a [Entry], options: &Rc<Options>) -> Self {
        let frame = Frame {
            entries,
            at: 0,
            repeat: None,
            place: Place::default(),
            outer: HashMap::new(),
        };
        Self {
            frames: vec![frame],
            counts: HashMap::new(),
            options: options.clone(),
        }
    }

    pub fn next(&mut self, look: &dyn Look) -> Next<'a> {
        loop {
            let Some(frame) = self.frames.last_mut() else {
                return Next::End;
            };
            match frame.entries.get(frame.at) {
                Some(Entry::Call(call)) => {
                    let place = frame.place;
                    frame.at += 1;
                    if self.options.wants(&call.name) {
                        frame.place.fresh = false;
                        return Next::Step(step(call, place));
                    }
                }
                Some(Entry::Repeat(repeat)) => {
                    frame.at += 1;
                    frame.place.fresh = false;
                    let depth = frame.place.depth + 1;
                    self.enter(repeat, depth);
                }
                None => match self.again(look) {
                    None => return Next::Later,
                    Some(true) => self.round(),
                    Some(false) => self.leave(),
                },
            }
        }
    }

    /// Enters a repetition, before its first round.
    fn enter(&mut self, repeat: &'a Repeat, depth: usize) {
        self.frames.push(Frame {
            entries: &repeat.calls,
            at: repeat.calls.len(),
            repeat: Some(repeat),
            place: Place {
                depth,
                round: 0,
                fresh: true,
            },
            outer: self.counts.clone(),
        });
    }

    /// Whether the innermost repetition has another round: as many as it must have, and of those that
    /// it can have, as many as are seen.
    fn again(&self, look: &dyn Look) -> Option<bool> {
        let frame = self.frames.last().expect("asked within a frame");
        let Some(repeat) = frame.repeat else {
            return Some(false);
        };
        let (min, max) = match &repeat.repeat {
            Count::Exact(count) => (*count, *count),
            Count::Range(range) => (range.min, range.max),
        };
        let known = repeat.name.as_deref();
        let known = known.and_then(|name| self.counts.get(name).copied());
        let (min, max) = known.map_or((min, max), |count| (count, count));
        let next = Place {
            round: frame.place.round + 1,
            fresh: true,
            ..frame.place
        };
        let mut steps = Vec::new();
        if min >= next.round && frame.place.round > 0 {
            return Some(true);
        }
        least(frame.entries, next, &self.options, &mut steps);
        match next.round {
            _ if steps.is_empty() => Some(false),
            round if round <= min => Some(true),
            round if round > max => Some(false),
            _ => look.comes(&steps),
        }
    }

    fn round(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.at = 0;
            frame.place.round += 1;
            frame.place.fresh = true;
            self.counts.clone_from(&frame.outer);
        }
    }

    fn leave(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        self.counts = frame.outer;
        let name = frame.repeat.and_then(|repeat| repeat.name.as_deref());
        self.counts
            .extend(name.map(|name| (name, frame.place.round)));
    }
}

fn step(call: &expected::Call, place: Place) -> Step<'_> {
    Step {
        call,
        place,
        types: ctype::args(call.nr),
    }
}

/// The calls of a round, those of repetitions in it as often as they must be.
fn least<'a>(entries: &'a [Entry], mut place: Place, options: &Options, steps: &mut Vec<Step<'a>>) {
    for entry in entries {
        match entry {
            Entry::Call(call) if options.wants(&call.name) => {
                steps.push(step(call, place));
                place.fresh = false;
            }
            Entry::Call(_) => {}
            Entry::Repeat(repeat) => {
                for round in 1..=repeat.repeat.least() {
                    let place = Place {
                        depth: place.depth + 1,
                        round,
                        fresh: true,
                    };
                    least(&repeat.calls, place, options, steps);
                }
            }
        }
    }
}

/// The calls that are seen next, and whether these are all.
pub struct Ahead<'g> {
    pub gots: &'g VecDeque<Got>,
    pub ended: bool,
    pub options: &'g Options,
}

impl Look for Ahead<'_> {
    fn comes(&self, steps: &[Step<'_>]) -> Option<bool> {
        for (at, step) in steps.iter().enumerate() {
            match self.gots.get(at) {
                Some(got) if got.like(step, self.options) => {}
                Some(_) => return Some(false),
                None => return self.ended.then_some(false),
            }
        }
        Some(true)
    }
}

/// For a look at what is expected beyond calls that are not aligned yet.
pub struct Blind;

impl Look for Blind {
    fn comes(&self, _: &[Step<'_>]) -> Option<bool> {
        None
    }
}
