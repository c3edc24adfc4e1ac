//! How often each kind of hostility was tried and survived: the table at the end.

use anyhow::{Result, ensure};
use ioworkload_tests::scenarios;
use libtest_mimic::{Failed, Trial};
use std::collections::BTreeMap;
use std::fmt::{Debug, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How many cases of a trial run at once.
const AT_A_TIME: usize = 8;

/// Tried, survived.
static TALLY: Mutex<BTreeMap<&str, (u64, u64)>> = Mutex::new(BTreeMap::new());

/// Counts a case.
pub fn count(area: &'static str, survived: bool) {
    let mut tally = TALLY.lock().unwrap_or_else(PoisonError::into_inner);
    let row = tally.entry(area).or_default();
    *row = (row.0 + 1, row.1 + u64::from(survived));
}

/// The cases of a trial.
pub struct Cases {
    area: &'static str,
    tried: usize,
    lost: Vec<String>,
}

impl Cases {
    /// None yet.
    pub fn new(area: &'static str) -> Self {
        Self {
            area,
            tried: 0,
            lost: Vec::new(),
        }
    }

    /// Counts a case, and keeps what went wrong.
    pub fn add(&mut self, title: &str, outcome: Result<()>) {
        self.tried += 1;
        count(self.area, outcome.is_ok());
        if let Err(error) = outcome {
            let error = format!("{error:#}");
            self.lost.push(format!("{}: {}", cut(title), cut(&error)));
        }
    }

    /// Counts a case for each of `list`, some at a time: most of a case is waiting.
    pub fn each<T: Sync + Debug>(&mut self, list: &[T], check: impl Fn(&T) -> Result<()> + Sync) {
        let next = AtomicUsize::new(0);
        let cases = Mutex::new(self);
        let work = || {
            while let Some(case) = list.get(next.fetch_add(1, Ordering::SeqCst)) {
                let outcome = check(case);
                let mut cases = cases.lock().unwrap_or_else(PoisonError::into_inner);
                cases.add(&format!("{case:?}"), outcome);
            }
        };
        thread::scope(|scope| {
            for _ in 0..AT_A_TIME {
                scope.spawn(work);
            }
        });
    }

    /// Whether something was tried, and all of it survived.
    ///
    /// # Errors
    /// What was lost: the first few.
    pub fn verdict(self) -> Result<()> {
        ensure!(self.tried > 0, "nothing was tried");
        let few: Vec<_> = self.lost.iter().take(8).map(String::as_str).collect();
        let (lost, tried) = (self.lost.len(), self.tried);
        ensure!(lost == 0, "{lost} of {tried} lost:\n{}", few.join("\n"));
        Ok(())
    }
}

/// The first part of a text that may be long.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(500)]
}

/// A trial of one scenario.
pub fn trial(
    area: &'static str,
    scenario: &str,
    test: fn(&str, &mut Cases) -> Result<()>,
) -> Trial {
    let name = scenario.to_owned();
    Trial::test(format!("{area}::{scenario}"), move || {
        let mut cases = Cases::new(area);
        let outcome = test(&name, &mut cases).and_then(|()| cases.verdict());
        outcome.map_err(|error| Failed::from(format!("{error:#}")))
    })
}

/// A trial of each scenario, and one of the area itself.
pub fn area(
    area: &'static str,
    each: fn(&str, &mut Cases) -> Result<()>,
    control: fn() -> Result<()>,
) -> Vec<Trial> {
    let each = |name: String| trial(area, &name, each);
    let mut trials: Vec<_> = scenarios().into_iter().map(each).collect();
    trials.push(Trial::test(format!("{area}::control"), move || {
        Ok(control()?)
    }));
    trials
}

/// Area, cases tried, survived, lost.
pub fn table() -> String {
    let tally = TALLY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut table = format!(
        "{:<20}{:>12}{:>12}{:>8}\n",
        "area", "tried", "survived", "lost"
    );
    for (area, (tried, survived)) in &*tally {
        let lost = tried - survived;
        let _ = writeln!(table, "{area:<20}{tried:>12}{survived:>12}{lost:>8}");
    }
    table
}
