//! The kernel's own reader of test reports, `tools/testing/kunit/kunit.py`, from Debian's package of the
//! kernel's source.

use super::apt::{fetched, find_file, printed};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Whose source: it reads the reports of every kernel.
const SUITE: &str = "bookworm";

/// What `kunit.py parse` finds in a file, in order: `ok aio-setup`, `not ok hangs`, `skip aio-cold`.
///
/// # Errors
/// It can't be fetched, or does not start.
pub fn parse(file: &Path) -> Result<Vec<String>> {
    let program = fetched("kunit", SUITE, ["linux-source", "linux-source-"], keep)?;
    let json = tempfile::NamedTempFile::new()?;
    let mut command = Command::new("python3");
    command
        .arg("-B")
        .arg(program.join("tools/testing/kunit/kunit.py"));
    command.arg("parse").arg(file);
    command.arg(format!("--json={}", json.path().display()));
    // Its exit code is that of the tests.
    let output = command.output().context("python3 does not start")?;
    let whole: Value = serde_json::from_reader(json)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    ensure!(whole["sub_groups"] == Value::Array(Vec::new()), "{whole}");
    let cases = whole["test_cases"].as_array().context("no test_cases")?;
    let row = |case: &Value| {
        let words = [("PASS", "ok"), ("FAIL", "not ok"), ("SKIP", "skip")];
        let word = words.iter().find(|(status, _)| case["status"] == *status);
        Ok(format!(
            "{} {}",
            word.context("a status")?.1,
            case["name"].as_str().context("a name")?
        ))
    };
    cases.iter().map(row).collect()
}

fn keep(root: &Path, place: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.args([
        "--extract",
        "--xz",
        "--strip-components=1",
        "--wildcards",
        "--file",
    ]);
    tar.arg(find_file(root, "linux-source-")?);
    tar.arg("--directory").arg(place);
    printed(tar.arg("linux-source-*/tools/testing/kunit")).map(drop)
}
