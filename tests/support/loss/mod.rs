//! What a tracer loses: every call of aio-burst carries its number, so those that a tracer reports
//! tell which it has lost, doubled or shuffled.

mod tracers;

pub use tracers::{Burst, Nap, Report, Tracer};

use std::fmt;
use std::ops::RangeInclusive;

/// The numbers that a tracer has reported, while they come in.
pub struct Ledger {
    /// A bit for each number, 0 never used.
    seen: Vec<u64>,
    account: Account,
    highest: u64,
}

/// What became of the calls.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Account {
    /// So many calls were made, with the numbers from 1 on.
    pub sent: u64,
    /// So many of the numbers were reported.
    pub seen: u64,
    /// Those that were not, each gap from its first to its last.
    pub gaps: Vec<RangeInclusive<u64>>,
    /// Reports of a number that was reported before.
    pub duplicated: u64,
    /// Reports of a number, for the first time, behind a higher one.
    pub out_of_order: u64,
    /// Reports of a number that was not sent.
    pub strange: u64,
}

impl Ledger {
    /// For the numbers from 1 to `sent`.
    ///
    /// # Panics
    /// If there is no room for as many bits.
    #[must_use]
    pub fn new(sent: u64) -> Self {
        let words = usize::try_from(sent / 64 + 1).expect("an address space");
        Self {
            seen: vec![0; words],
            account: Account {
                sent,
                ..Account::default()
            },
            highest: 0,
        }
    }

    /// Notes a report.
    pub fn note(&mut self, number: u64) {
        if !(1..=self.account.sent).contains(&number) {
            self.account.strange += 1;
        } else if self.has(number) {
            self.account.duplicated += 1;
        } else {
            self.seen[(number / 64) as usize] |= 1 << (number % 64);
            self.account.seen += 1;
            self.account.out_of_order += u64::from(number < self.highest);
            self.highest = self.highest.max(number);
        }
    }

    fn has(&self, number: u64) -> bool {
        self.seen[(number / 64) as usize] & 1 << (number % 64) != 0
    }

    /// How many numbers are noted.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.account.seen
    }

    /// Closes the account.
    #[must_use]
    pub fn close(mut self) -> Account {
        let mut first = None;
        for number in 1..=self.account.sent + 1 {
            let missing = number <= self.account.sent && !self.has(number);
            match (missing, first) {
                (true, None) => first = Some(number),
                (false, Some(start)) => {
                    self.account.gaps.push(start..=number - 1);
                    first = None;
                }
                _ => {}
            }
        }
        self.account
    }
}

impl Account {
    /// How many numbers were not reported: all gaps together.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let lengths = self.gaps.iter().map(|gap| gap.end() - gap.start() + 1);
        lengths.sum()
    }
}

/// The gaps, a line each, and then the sums.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for gap in &self.gaps {
            let (first, last) = (gap.start(), gap.end());
            writeln!(f, "gap          {first} to {last}: {}", last - first + 1)?;
        }
        writeln!(f, "sent         {}", self.sent)?;
        writeln!(f, "seen         {}", self.seen)?;
        writeln!(
            f,
            "lost         {} in {} gaps",
            self.lost(),
            self.gaps.len()
        )?;
        writeln!(f, "duplicated   {}", self.duplicated)?;
        write!(f, "out of order {}", self.out_of_order)?;
        if self.strange > 0 {
            write!(f, "\nnever sent   {}", self.strange)?;
        }
        Ok(())
    }
}
