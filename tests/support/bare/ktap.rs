//! The report of `init` in KTAP, version 1 (`Documentation/dev-tools/ktap.rst`): read off a console, and
//! accepted only where nothing is missing, nothing is more, and the numbers count.

use anyhow::{Context, Result, ensure};

/// A report.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// Its lines without plan, numbers and totals: `ok aio-setup`, `not ok hangs # TIMEOUT 10 seconds`, and
    /// above them diagnostics, such as `# aio-cold: io_setup: 1, expected 0`.
    pub rows: Vec<String>,
    /// What `init` adds after the totals.
    pub notes: Vec<String>,
}

impl Report {
    /// Every one of these has passed.
    #[must_use]
    pub fn passed(names: &[String]) -> Self {
        let rows = names.iter().map(|name| format!("ok {name}")).collect();
        Self {
            rows,
            notes: Vec::new(),
        }
    }

    /// A line for each program.
    pub fn results(&self) -> impl Iterator<Item = &str> {
        let rows = self.rows.iter().map(String::as_str);
        rows.filter(|row| is_result(row))
    }

    /// The programs, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.results().map(|row| {
            row.trim_start_matches("not ")
                .split(' ')
                .nth(1)
                .unwrap_or_default()
        })
    }

    /// The line of a program.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&str> {
        let found = self.names().position(|found| found == name)?;
        self.results().nth(found)
    }

    /// How many have passed, failed, and were skipped.
    #[must_use]
    pub fn totals(&self) -> (usize, usize, usize) {
        let all = self.results().count();
        let fail = self.results().filter(|row| row.starts_with("not ")).count();
        let skipped = |row: &&str| row.starts_with("ok ") && row.contains(" # SKIP ");
        let skip = self.results().filter(skipped).count();
        (all - fail - skip, fail, skip)
    }

    /// Something has passed, and nothing has failed.
    #[must_use]
    pub fn well(&self) -> bool {
        matches!(self.totals(), (1.., 0, _))
    }

    /// All lines, as `init` writes them.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![START.into(), format!("1..{}", self.results().count())];
        let mut number = 0;
        for row in &self.rows {
            let result = usize::from(is_result(row));
            number += result;
            lines.push(row.replacen("ok ", &format!("ok {number} "), result));
        }
        let (pass, fail, skip) = self.totals();
        lines.push(format!(
            "{TOTALS}pass:{pass} fail:{fail} xfail:0 xpass:0 skip:{skip} error:0"
        ));
        lines.into_iter().chain(self.notes.clone()).collect()
    }
}

/// The line of a scenario that was skipped because this call was answered so. Four expect another error.
#[must_use]
pub fn refused(name: &str, call: &str, errno: &str) -> String {
    let expected = match (name, call) {
        ("aio-sentinels", "io_setup") => ", expected -EFAULT",
        ("aio-setup-einval", "io_setup") | ("aio-pgetevents-errors", "io_pgetevents") => {
            ", expected -EINVAL"
        }
        ("aio-pgetevents-eintr", "io_pgetevents") => ", expected -EINTR",
        _ => "",
    };
    format!("ok {name} # SKIP {name}: {call}: {errno}{expected}")
}

/// The first line of a report.
pub const START: &str = "KTAP version 1";
const TOTALS: &str = "# Totals: ";

fn is_result(line: &str) -> bool {
    line.starts_with("ok ") || line.starts_with("not ok ")
}

/// Whether a line of the console belongs to the report.
#[must_use]
pub fn is_part(line: &str) -> bool {
    let starts = [START, "1..", "ok ", "not ok ", "# "];
    starts.iter().any(|start| line.starts_with(start))
}

/// The report on a console. What is not part of it, the kernel's own lines for example, is passed over, as
/// KTAP wants it.
///
/// # Errors
/// There is none, or it is not whole.
pub fn read<'a>(console: impl IntoIterator<Item = &'a str>) -> Result<Report> {
    let lines = console.into_iter().skip_while(|line| *line != START);
    let lines: Vec<_> = lines.filter(|line| is_part(line)).collect();
    let end = lines.iter().position(|line| line.starts_with(TOTALS));
    let whole = || format!("no whole report: {lines:#?}");
    let (rows, notes) = lines.split_at(end.with_context(whole)?);
    let report = Report {
        rows: rows
            .iter()
            .skip(2)
            .map(|line| without_number(line))
            .collect(),
        notes: notes[1..].iter().map(|&line| line.into()).collect(),
    };
    ensure!(report.lines() == lines, whole());
    ensure!(
        report.notes.iter().all(|line| line.starts_with("# ")),
        whole()
    );
    Ok(report)
}

/// `ok aio-setup` of `ok 1 aio-setup`.
fn without_number(line: &str) -> String {
    if !is_result(line) {
        return line.into();
    }
    let (word, rest) = line.split_once("ok ").unwrap_or_default();
    let (_, name) = rest.split_once(' ').unwrap_or_default();
    format!("{word}ok {name}")
}
