//! Where in a run the expected calls stand.

use crate::length;
use ioworkload_check::expected::{Call, Count, Entry};
use ioworkload_tests::driver::Stop;
use std::collections::{HashMap, HashSet};

/// After so many calls a trace goes on in the long form only: to drive a run that far takes seconds.
const NEAR: usize = 1_000;

/// A call of a run's first process.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// As it is expected.
    pub call: &'a Call,
    /// Which one with this number it is, from 0.
    pub nth: usize,
}

impl Place<'_> {
    /// Whether it is here that the first process has stopped.
    pub fn is(&self, stop: &Stop) -> bool {
        stop.process == 0 && (stop.call.nr, stop.nth) == (self.call.nr, self.nth)
    }
}

/// The calls of a trace, of a repetition the first two rounds and the last. A call after a
/// repetition whose count differs from run to run, and with a number that is in it, is nowhere
/// certain, and left out; so is the last round of such a repetition.
pub fn places(entries: &[Entry]) -> Vec<Place<'_>> {
    let mut walk = Walk::default();
    walk.through(entries, true);
    walk.places
}

#[derive(Default)]
struct Walk<'a> {
    places: Vec<Place<'a>>,
    counts: HashMap<u64, usize>,
    uncertain: HashSet<u64>,
    made: usize,
}

impl<'a> Walk<'a> {
    fn through(&mut self, entries: &'a [Entry], wanted: bool) {
        for entry in entries {
            match entry {
                Entry::Call(call) => self.pass(call, wanted),
                Entry::Repeat(repeat) => {
                    let (rounds, certain) = match repeat.repeat {
                        Count::Exact(rounds) => (rounds, true),
                        Count::Range(range) => (range.min.min(2), false),
                    };
                    for round in 1..=rounds {
                        let last = certain && round == rounds;
                        self.through(&repeat.calls, wanted && (round <= 2 || last));
                    }
                    if !certain {
                        self.lose(&repeat.calls);
                    }
                }
            }
        }
    }

    fn pass(&mut self, call: &'a Call, wanted: bool) {
        let count = self.counts.entry(call.nr).or_default();
        let near = self.made < NEAR || length::long();
        if wanted && near && !self.uncertain.contains(&call.nr) {
            self.places.push(Place { call, nth: *count });
        }
        *count += 1;
        self.made += 1;
    }

    fn lose(&mut self, entries: &[Entry]) {
        for entry in entries {
            match entry {
                Entry::Call(call) => drop(self.uncertain.insert(call.nr)),
                Entry::Repeat(repeat) => self.lose(&repeat.calls),
            }
        }
    }
}
