//! Rounds: how often a scenario's body is run in one process, and the pause between two rounds.

use crate::report::Outcome;
use crate::sleep::sleep;
use crate::sys::Timespec;

/// The numbers of the rounds, from 1. Between two of them it sleeps.
pub struct Rounds {
    /// The last number given, 0 before the first.
    at: u32,
    count: u32,
    pause_us: u32,
    /// Here and not in a frame of its own: this structure outlives all rounds, so nothing of a
    /// scenario is ever at the same address.
    time: Timespec,
}

impl Rounds {
    /// `count` rounds, 1 to 2^32-1, with a pause of `pause_us` microseconds between them; 0 is no
    /// call at all.
    #[must_use]
    pub const fn new(count: u32, pause_us: u32) -> Self {
        let time = Timespec::from_us(0);
        Self {
            at: 0,
            count,
            pause_us,
            time,
        }
    }

    /// Runs `body` in each round, until one fails.
    ///
    /// # Errors
    /// Of `body`.
    pub fn each(&mut self, body: fn() -> Outcome) -> Outcome {
        for _ in self {
            body()?;
        }
        Ok(())
    }
}

impl Iterator for Rounds {
    type Item = u32;

    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        if self.at == self.count {
            return None;
        }
        if self.at > 0 && self.pause_us > 0 {
            self.time = Timespec::from_us(self.pause_us.into());
            sleep(&mut self.time);
        }
        self.at += 1;
        Some(self.at)
    }
}
