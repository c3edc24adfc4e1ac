//! What a run of the bench has measured: the form of data.json.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Everything.
#[derive(Serialize, Deserialize)]
pub struct Data {
    /// Where and when: processor, kernel, date, compilers.
    pub machine: String,
    pub rows: Vec<Row>,
    pub burst: Vec<Burst>,
}

/// A variant's program for a scenario.
#[derive(Serialize, Deserialize)]
pub struct Row {
    pub variant: String,
    pub scenario: String,
    /// Runs under strace, and the fewest and the most calls in them that the scenario does not need.
    pub traced: usize,
    pub noise: (usize, usize),
    /// The most threads and processes beside the first.
    pub threads: usize,
    /// How many different sequences of calls those runs had.
    pub sequences: usize,
    pub bytes: u64,
    /// Minor page faults, those of execve among them, at addresses that are not random; median.
    pub faults: u64,
    /// The most that is resident, at the same addresses.
    pub peak_kib: u64,
    /// In user mode, single-stepped.
    pub instructions: u64,
    /// Starts whose time was taken.
    pub starts: usize,
    /// From execve to the end, median.
    pub micros: f64,
    /// Median of the ratios to the assembly of the same round.
    pub ratio: f64,
}

/// A loop of io_getevents calls.
#[derive(Serialize, Deserialize)]
pub struct Burst {
    pub variant: String,
    /// Millions of calls a second, median.
    pub millions: f64,
    /// Median of the ratios of its rate to the assembly's of the same round.
    pub ratio: f64,
}

impl Data {
    /// The row of a variant and a scenario.
    pub fn row(&self, variant: &str, scenario: &str) -> Option<&Row> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.variant == variant && row.scenario == scenario)
    }
}

/// As JSON, a line for each row.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        writeln!(f, "{}", text.replace(",{", ",\n{").replace("[{", "[\n{"))
    }
}
