//! Every scenario on several kernels: what `init` reports of it, and what the kernel sees of it.

use super::kernel::Image;
use super::vm::Machine;
use super::{ground, run, trace};
use crate::scenarios;
use anyhow::Result;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::thread;

/// A scenario on a kernel: empty if all is as expected, otherwise the differences.
type Cell = Vec<String>;

/// The scenarios, the kernels, and a cell for each pair that has been looked at.
#[derive(Default)]
pub struct Matrix {
    kernels: Vec<Image>,
    cells: HashMap<(String, String), Cell>,
}

/// What one machine is booted for: every scenario by `init`, or one as the only process.
type Job<'a> = (&'a Machine, Option<String>);

impl Matrix {
    /// Boots every machine for each of its jobs, as many at a time as there are processors, and
    /// tells `each` what is done.
    ///
    /// # Panics
    /// If a worker has.
    #[must_use]
    pub fn of(machines: &[Machine], each: &(dyn Fn(&str) + Sync)) -> Self {
        let names = scenarios().into_iter().map(Some);
        let whats: Vec<_> = [None].into_iter().chain(names).collect();
        let jobs = machines
            .iter()
            .flat_map(|machine| whats.iter().map(move |what| (machine, what.clone())));
        let jobs = Mutex::new(jobs);
        let kernels = machines.iter().map(|machine| machine.kernel.clone());
        let matrix = Mutex::new(Self {
            kernels: kernels.collect(),
            cells: HashMap::new(),
        });
        let work = || {
            while let Some(job) = next(&jobs) {
                let results = done(&job);
                each(&line(&job, &results));
                let mut matrix = matrix.lock().expect("no worker panics");
                matrix.take(&job.0.kernel.name, results);
            }
        };
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
        matrix.into_inner().expect("no worker panics")
    }

    /// Adds what a job has found on a kernel.
    fn take(&mut self, kernel: &str, results: Vec<(String, Cell)>) {
        for (scenario, cell) in results {
            let place = (scenario, kernel.to_owned());
            self.cells.entry(place).or_default().extend(cell);
        }
    }

    /// Every scenario is as expected on every kernel.
    #[must_use]
    pub fn exact(&self) -> bool {
        let pairs = self.kernels.len() * scenarios().len();
        pairs > 0 && self.cells.len() == pairs && self.cells.values().all(Vec::is_empty)
    }

    /// The table, a row per scenario, and below it every difference.
    #[must_use]
    pub fn table(&self) -> String {
        let width = scenarios().iter().map(String::len).max().unwrap_or(0);
        let mut table = " ".repeat(width);
        for kernel in &self.kernels {
            let _ = write!(table, "  {:10}", short(&kernel.release));
        }
        for scenario in scenarios() {
            let _ = write!(table, "\n{scenario:width$}");
            for kernel in &self.kernels {
                let _ = write!(table, "  {:10}", self.word(&scenario, kernel));
            }
        }
        let rows: Vec<_> = table.lines().map(str::trim_end).collect();
        let mut lines = rows.join("\n");
        for ((scenario, kernel), cell) in &self.cells {
            for difference in cell {
                let _ = write!(lines, "\n{scenario} on {kernel}: {difference}");
            }
        }
        lines
    }

    fn word(&self, scenario: &str, kernel: &Image) -> &'static str {
        match self.cells.get(&(scenario.into(), kernel.name.clone())) {
            Some(cell) if cell.is_empty() => "exact",
            Some(_) => "DIFFERS",
            None => "not run",
        }
    }
}

fn next<'a>(jobs: &Mutex<impl Iterator<Item = Job<'a>>>) -> Option<Job<'a>> {
    jobs.lock().expect("no worker panics").next()
}

/// What is told of a job that is done.
fn line((machine, scenario): &Job<'_>, results: &[(String, Cell)]) -> String {
    let (kernel, what) = (&machine.kernel.name, scenario.as_deref().unwrap_or("init"));
    let exact = results.iter().all(|(_, cell)| cell.is_empty());
    let word = if exact { "as expected" } else { "DIFFERS" };
    format!("{kernel:12} {what:18} {word}")
}

/// `6.1.0-56` of `6.1.0-56-cloud-amd64`, `7.2.13` of `7.2.13+deb14-cloud-amd64`.
fn short(release: &str) -> &str {
    let end = release.find(|c: char| !c.is_ascii_digit() && !"-.".contains(c));
    release[..end.unwrap_or(release.len())].trim_end_matches('-')
}

fn done((machine, scenario): &Job<'_>) -> Vec<(String, Cell)> {
    let Some(scenario) = scenario else {
        return reported(machine).unwrap_or_else(|error| {
            let cell = |scenario| (scenario, vec![format!("init: {error:#}")]);
            scenarios().into_iter().map(cell).collect()
        });
    };
    let cell = match trace(machine, scenario) {
        Ok(verdict) => verdict.differences(),
        Err(error) => vec![format!("{error:#}")],
    };
    vec![(scenario.clone(), cell)]
}

/// What `init` reports of each scenario. One that is skipped differs: on bare ground nothing is
/// forbidden.
fn reported(machine: &Machine) -> Result<Vec<(String, Cell)>> {
    let (report, _) = run(machine, &machine.kernel.name, ground(), "", &mut |_| ())?;
    let cell = |scenario: String| {
        let row = report.rows.iter().find(|row| row.name == scenario);
        let cell = match row {
            Some(row) if row.passed() => Cell::new(),
            Some(row) => vec![format!("init: {row}")],
            None => vec!["init: not in the report".into()],
        };
        (scenario, cell)
    };
    Ok(scenarios().into_iter().map(cell).collect())
}
