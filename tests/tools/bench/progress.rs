//! What is being done: a bar on a terminal, a line elsewhere; and what had to be done again.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use ioworkload_tests::peers::SCENARIOS;
use std::fs;
use std::io::{IsTerminal, stderr};
use std::thread::sleep;
use std::time::Duration;

/// Does it; where that fails, again after a second, ten times at most, and says so. Others can use up
/// `fs.aio-max-nr` for a moment, which must not be the end of a run of minutes. What the peers have
/// left behind is removed, because their next start would fail of it.
pub fn patiently<T>(mut what: impl FnMut() -> Result<T>) -> Result<T> {
    for _ in 0..10 {
        match what() {
            Ok(done) => return Ok(done),
            Err(error) => eprintln!("make bench: {error:#}: again in a second"),
        }
        for scenario in SCENARIOS {
            // Most often it is not there.
            let _ = fs::remove_file(format!("/tmp/ioworkload-{scenario}"));
        }
        sleep(Duration::from_secs(1));
    }
    what()
}

/// A part of the work.
pub struct Stage(ProgressBar);

impl Stage {
    /// Starts one of so many steps.
    pub fn new(title: &str, steps: usize) -> Self {
        if !stderr().is_terminal() {
            eprintln!("{title}");
        }
        let style = ProgressStyle::with_template("{bar:30} {pos:>6}/{len:<6} {eta:>4}  {msg}");
        let bar = ProgressBar::new(steps as u64).with_message(title.to_owned());
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// One more is done.
    pub fn step(&self) {
        self.0.inc(1);
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.0.finish();
    }
}
