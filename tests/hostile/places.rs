//! Where in a run each expected call stands.

use crate::length;
use ioworkload_tests::expected::{Call, Count, Entry};

/// Behind so many calls a trace goes on in the long form only: to lead a run that far takes seconds.
const NEAR: usize = 1_000;

/// The calls and where they stand in the trace of a run with `total` calls. Of a repetition the
/// first two rounds and the last.
pub fn places(entries: &[Entry], total: usize) -> Vec<(usize, &Call)> {
    let mut places = Vec::new();
    lay(entries, total - fixed(entries), true, &mut 0, &mut places);
    places.retain(|(at, _)| *at < NEAR || length::long());
    places
}

/// How many calls there are besides those of a repetition whose count differs.
fn fixed(entries: &[Entry]) -> usize {
    let count = |entry: &Entry| match entry {
        Entry::Call(_) => 1,
        Entry::Repeat(repeat) => match repeat.repeat {
            Count::Exact(rounds) => rounds as usize * fixed(&repeat.calls),
            Count::Range(_) => 0,
        },
    };
    entries.iter().map(count).sum()
}

fn lay<'a>(
    entries: &'a [Entry],
    rest: usize,
    wanted: bool,
    at: &mut usize,
    places: &mut Vec<(usize, &'a Call)>,
) {
    for entry in entries {
        match entry {
            Entry::Call(call) => {
                if wanted {
                    places.push((*at, call));
                }
                *at += 1;
            }
            Entry::Repeat(repeat) => {
                let rounds = match repeat.repeat {
                    Count::Exact(rounds) => rounds as usize,
                    Count::Range(_) => rest / fixed(&repeat.calls),
                };
                for round in 0..rounds {
                    let wanted = wanted && (round < 2 || round + 1 == rounds);
                    lay(&repeat.calls, rest, wanted, at, places);
                }
            }
        }
    }
}
