//! Times, taken in rounds: in each, every program starts once, in an order of its own, and is held
//! against the first of them. So what changes on the machine meets all alike.

use crate::progress::patiently;
use anyhow::Result;
use ioworkload_tests::random::Random;
use ioworkload_tests::starter::{Life, Starter};

/// A program's lives, one per round.
pub struct Lane {
    starter: Starter,
    pub lives: Vec<Life>,
}

impl Lane {
    pub const fn new(starter: Starter) -> Self {
        Self {
            starter,
            lives: Vec::new(),
        }
    }

    /// Microseconds from execve to the end, median.
    pub fn micros(&self) -> f64 {
        median(self.lives.iter().map(micros))
    }

    /// Its time against the other's, round by round; the median.
    pub fn ratio(&self, other: &Self) -> f64 {
        let pairs = self.lives.iter().zip(&other.lives);
        median(pairs.map(|(one, other)| micros(one) / micros(other)))
    }
}

fn micros(life: &Life) -> f64 {
    life.time.as_secs_f64() * 1e6
}

/// Runs so many rounds, after one that does not count: what is read for the first time is read then.
pub fn race(lanes: &mut [Lane], rounds: usize, done: &dyn Fn()) -> Result<()> {
    let mut chance = Random::from(0x9e37_79b9_7f4a_7c15);
    for round in 0..=rounds {
        for lane in shuffled(lanes.len(), &mut chance) {
            let lane = &mut lanes[lane];
            let life = patiently(|| lane.starter.start())?;
            if round > 0 {
                lane.lives.push(life);
            }
            done();
        }
    }
    Ok(())
}

/// The numbers below `count`, in an order that `chance` (the same in every run) decides.
fn shuffled(count: usize, chance: &mut Random) -> Vec<usize> {
    let mut order: Vec<_> = (0..count).collect();
    for last in (1..count).rev() {
        order.swap(last, chance.below(last as u64 + 1) as usize);
    }
    order
}

/// The one in the middle; of an even number the upper one.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
