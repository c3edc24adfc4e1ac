//! The kernel's own reader of test reports, `tools/testing/kunit/kunit.py`, from Debian's package of the
//! kernel's source.

use super::apt::{Apt, fetched, find_file, said};
use super::ktap::Row;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Whose source: it reads the reports of every kernel.
const SUITE: &str = "bookworm";

/// Names and results, in order, that `kunit.py parse` finds in a file: `PASS`, `FAIL` or `SKIP`.
///
/// # Errors
/// It can't be fetched, or does not start.
pub fn parse(file: &Path) -> Result<Vec<(String, String)>> {
    let program = fetched("kunit", SUITE, fetch)?.join("tools/testing/kunit/kunit.py");
    let json = tempfile::NamedTempFile::new()?;
    let mut command = Command::new("python3");
    command.arg("-B").arg(program).arg("parse").arg(file);
    command.arg(format!("--json={}", json.path().display()));
    // Its exit code is that of the tests.
    let output = command.output().context("python3 does not start")?;
    let whole: Value = serde_json::from_reader(json)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    ensure!(whole["sub_groups"] == Value::Array(Vec::new()), "{whole}");
    let cases = whole["test_cases"].as_array().context("no test_cases")?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cases = cases.iter();
    Ok(cases
        .map(|case| (text(&case["name"]), text(&case["status"])))
        .collect())
}

/// What it should find for this row.
#[must_use]
pub fn case(row: &Row) -> (String, String) {
    let status = match (row.ok, row.skipped()) {
        (true, true) => "SKIP",
        (true, false) => "PASS",
        _ => "FAIL",
    };
    (row.name.clone(), status.into())
}

fn fetch(apt: &Apt<'_>, place: &Path) -> Result<()> {
    let package = apt.newest("linux-source", "linux-source-")?;
    let archive = find_file(&apt.unpack(&package)?, "linux-source-")?;
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--xz", "--strip-components=1", "--file"]);
    tar.arg(archive.with_context(|| format!("no archive in {package}"))?);
    tar.arg("--directory").arg(place);
    said(tar.arg(format!("{package}/tools/testing/kunit")))?;
    Ok(())
}
