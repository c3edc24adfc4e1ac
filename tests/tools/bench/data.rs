//! What a run of the bench has measured: the form of data.json.

use serde::{Deserialize, Serialize};

/// Everything.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Data {
    pub machine: Machine,
    pub rows: Vec<Row>,
    pub burst: Vec<Burst>,
    pub tracers: Vec<Tracer>,
    pub repeat: Vec<Repeat>,
    pub copies: Vec<Copies>,
}

/// Where and when.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Machine {
    /// Year-month-day.
    pub date: String,
    pub cpu: String,
    pub cpus: usize,
    pub kernel: String,
    /// The first line of each compiler's `--version`.
    pub compilers: Vec<String>,
}

/// A variant's program for a scenario.
#[derive(Serialize, Deserialize, Clone, Debug)]
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
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Burst {
    pub variant: String,
    pub calls: u64,
    pub starts: usize,
    /// Millions a second, median.
    pub millions: f64,
    /// Median of the ratios of its rate to the assembly's of the same round.
    pub ratio: f64,
}

/// The same loop under a tracer.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Tracer {
    /// Its command line, without the program.
    pub under: String,
    pub calls: u64,
    /// What a call takes, in nanoseconds.
    pub nanos: f64,
    /// Against a call without a tracer.
    pub ratio: f64,
}

/// aio-setup-einval with `--repeat`.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Repeat {
    pub rounds: u64,
    pub micros: f64,
    pub peak_kib: u64,
}

/// Copies of aio-setup-einval side by side.
#[derive(Serialize, Deserialize, Clone, Debug)]
pub struct Copies {
    pub side_by_side: usize,
    /// From the first start to the last end.
    pub micros: f64,
    /// Of all together.
    pub faults: u64,
}

impl Data {
    /// The row of a variant and a scenario.
    pub fn row(&self, variant: &str, scenario: &str) -> Option<&Row> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.variant == variant && row.scenario == scenario)
    }
}
