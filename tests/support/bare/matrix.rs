//! Every scenario on several kernels: what `init` reports of it, and what the kernel sees of it.

use super::kernel::Image;
use super::vm::Machine;
use super::{ground, run, trace};
use crate::scenarios;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::thread;

/// The kernels, and for each scenario and kernel what was looked at: nothing if all is as expected, otherwise
/// the differences.
pub struct Matrix {
    kernels: Vec<Image>,
    cells: BTreeMap<(String, String), Vec<String>>,
}

impl Matrix {
    /// Boots every machine for `init`, and for each scenario as the only process; as many at a time as there
    /// are processors. `each` gets a line for each boot.
    ///
    /// # Panics
    /// If a worker has.
    #[must_use]
    pub fn of(machines: &[Machine], each: &(dyn Fn(&str) + Sync)) -> Self {
        let names = [None].into_iter().chain(scenarios().into_iter().map(Some));
        let names: Vec<_> = names.collect();
        let jobs = machines
            .iter()
            .flat_map(|machine| names.iter().map(move |name| (machine, name)));
        let jobs = Mutex::new(jobs);
        let cells = Mutex::new(BTreeMap::<_, Vec<_>>::new());
        let next = || jobs.lock().expect("no worker panics").next();
        let work = || {
            while let Some((machine, name)) = next() {
                let kernel = &machine.kernel.name;
                let found = name
                    .as_ref()
                    .map_or_else(|| reported(machine), |name| traced(machine, name));
                let exact = found.iter().all(|(_, differences)| differences.is_empty());
                let word = if exact { "as expected" } else { "DIFFERS" };
                each(&format!(
                    "{kernel:12} {:18} {word}",
                    name.as_deref().unwrap_or("init")
                ));
                for (scenario, differences) in found {
                    let mut cells = cells.lock().expect("no worker panics");
                    cells
                        .entry((scenario, kernel.clone()))
                        .or_default()
                        .extend(differences);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        Self {
            kernels: machines
                .iter()
                .map(|machine| machine.kernel.clone())
                .collect(),
            cells: cells.into_inner().expect("no worker panics"),
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
        let row = |name: &str, cell: &dyn Fn(&Image) -> String| {
            let cells = self
                .kernels
                .iter()
                .map(|kernel| format!("  {:10}", cell(kernel)));
            let row = format!("{name:24}{}", cells.collect::<String>());
            row.trim_end().to_owned()
        };
        let mut table = row("", &|kernel| short(&kernel.release).into());
        for scenario in scenarios() {
            table += "\n";
            table += &row(&scenario, &|kernel| self.word(&scenario, kernel).into());
        }
        for ((scenario, kernel), differences) in &self.cells {
            for difference in differences {
                let _ = write!(table, "\n{scenario} on {kernel}: {difference}");
            }
        }
        table
    }

    fn word(&self, scenario: &str, kernel: &Image) -> &'static str {
        match self.cells.get(&(scenario.into(), kernel.name.clone())) {
            Some(differences) if differences.is_empty() => "exact",
            Some(_) => "DIFFERS",
            None => "not run",
        }
    }
}

/// `6.1.0-56` of `6.1.0-56-cloud-amd64`, `7.2.13` of `7.2.13+deb14-cloud-amd64`.
fn short(release: &str) -> &str {
    let end = release.find(|c: char| !c.is_ascii_digit() && !"-.".contains(c));
    release[..end.unwrap_or(release.len())].trim_end_matches('-')
}

/// A scenario, and in what it differs.
type Found = Vec<(String, Vec<String>)>;

fn traced(machine: &Machine, scenario: &str) -> Found {
    let verdict = trace(machine, scenario);
    let error = |error| vec![format!("{error:#}")];
    let differences = verdict.map_or_else(error, |verdict| verdict.differences());
    vec![(scenario.into(), differences)]
}

/// What `init` reports of each scenario. One that is skipped differs: here nothing is forbidden.
fn reported(machine: &Machine) -> Found {
    let report = run(machine, &machine.kernel.name, ground(), "", &mut |_| ());
    let differences = |scenario: &String| match &report {
        Ok((report, _)) if report.rows.contains(&format!("ok {scenario}")) => vec![],
        Ok((report, _)) => vec![format!("init: {:?}", report.of(scenario))],
        Err(error) => vec![format!("init: {error:#}")],
    };
    let names = scenarios().into_iter();
    names
        .map(|name| {
            let found = differences(&name);
            (name, found)
        })
        .collect()
}
