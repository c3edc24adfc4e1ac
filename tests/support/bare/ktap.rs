//! Reads a KTAP report, version 1 (`Documentation/dev-tools/ktap.rst`), off a console, and is
//! content with nothing but a whole one.

use anyhow::{Context, Result, bail, ensure};
use std::fmt;

/// A report.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// A row per fixture, in order.
    pub rows: Vec<Row>,
}

/// The result of a fixture.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Row {
    /// `ok`, or `not ok`.
    pub ok: bool,
    /// The fixture.
    pub name: String,
    /// What stands behind `#`: `SKIP …`, `exit=1`, `signal=9`, `TIMEOUT 10 seconds`.
    pub note: String,
    /// The diagnostics above it.
    pub diagnostics: Vec<String>,
}

impl Row {
    /// It was skipped.
    #[must_use]
    pub fn skipped(&self) -> bool {
        self.note.split(' ').next() == Some("SKIP")
    }

    /// It has passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.ok && !self.skipped()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.ok { "ok" } else { "not ok" };
        write!(f, "{word} {} # {}", self.name, self.note)?;
        self.diagnostics
            .iter()
            .try_for_each(|text| write!(f, "; {text}"))
    }
}

impl Report {
    /// How many have passed, failed, and were skipped.
    #[must_use]
    pub fn totals(&self) -> (usize, usize, usize) {
        let count = |which: fn(&Row) -> bool| self.rows.iter().filter(|row| which(row)).count();
        (
            count(Row::passed),
            count(|row| !row.ok),
            count(|row| row.ok && row.skipped()),
        )
    }

    /// Something has passed, and nothing has failed.
    #[must_use]
    pub fn well(&self) -> bool {
        matches!(self.totals(), (1.., 0, _))
    }
}

/// Whether a line of the console belongs to the report.
#[must_use]
pub fn is_part(line: &str) -> bool {
    let starts = ["KTAP version ", "1..", "ok ", "not ok ", "# "];
    starts.iter().any(|start| line.starts_with(start))
}

/// The report on a console. What is not part of it, the kernel's own lines for example, is passed
/// over, as KTAP wants it.
///
/// # Errors
/// There is none, it breaks off, its numbers don't count, or its totals are of another report.
pub fn read<'a>(console: impl IntoIterator<Item = &'a str>) -> Result<Report> {
    let mut lines = console
        .into_iter()
        .skip_while(|line| *line != "KTAP version 1");
    lines.next().context("no report")?;
    let plan = lines.find_map(|line| line.strip_prefix("1.."));
    let plan: usize = plan.context("the report has no plan")?.parse()?;
    let (mut report, mut diagnostics, mut totals) = (Report::default(), Vec::new(), None);
    for line in lines.filter(|line| is_part(line)) {
        if let Some(text) = line.strip_prefix("# Totals: ") {
            totals = Some(text);
        } else if let Some(text) = line.strip_prefix("# ") {
            diagnostics.push(text.to_owned());
        } else {
            ensure!(totals.is_none(), "behind the totals: {line}");
            let row = row(line, std::mem::take(&mut diagnostics));
            let (number, row) = row.with_context(|| format!("no result: {line}"))?;
            report.rows.push(row);
            ensure!(number == report.rows.len(), "out of order: {line}");
        }
    }
    whole(&report, plan, totals)?;
    ensure!(plan > 0, "no fixture was run{}", why(&diagnostics));
    Ok(report)
}

fn whole(report: &Report, plan: usize, totals: Option<&str>) -> Result<()> {
    let rows = report.rows.len();
    let Some(totals) = totals else {
        bail!("the report breaks off after {rows} of {plan} results")
    };
    ensure!(rows == plan, "{rows} results, where {plan} were planned");
    let (pass, fail, skip) = report.totals();
    let counted = format!("pass:{pass} fail:{fail} xfail:0 xpass:0 skip:{skip} error:0");
    ensure!(
        totals == counted,
        "the totals are {totals}, and counted {counted}"
    );
    Ok(())
}

/// `ok 1 aio-setup`, `not ok 2 aio-submit # exit=1`.
fn row(line: &str, diagnostics: Vec<String>) -> Option<(usize, Row)> {
    let (ok, rest) = match line.strip_prefix("not ") {
        Some(rest) => (false, rest),
        None => (true, line),
    };
    let (number, rest) = rest.strip_prefix("ok ")?.split_once(' ')?;
    let (name, note) = rest.split_once(" # ").unwrap_or((rest, ""));
    let row = Row {
        ok,
        name: name.into(),
        note: note.into(),
        diagnostics,
    };
    Some((number.parse().ok()?, row))
}

fn why(diagnostics: &[String]) -> String {
    let texts = diagnostics.iter().map(|text| format!(": {text}"));
    texts.collect()
}
