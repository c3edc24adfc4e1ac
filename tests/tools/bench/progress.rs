//! What is being done: a bar on a terminal, a line elsewhere.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stderr};

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
