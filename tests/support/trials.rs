//! Trials that are made while the program runs, one per scenario, say; a run without any fails.

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

/// A trial that fails with the whole chain of an error.
#[must_use]
pub fn trial(
    title: impl Into<String>,
    test: impl FnOnce() -> Result<()> + Send + 'static,
) -> Trial {
    let test = move || test().map_err(|error| Failed::from(format!("{error:#}")));
    Trial::test(title, test)
}

/// Runs those that the command line asks for. If there is none, as with a filter that is misspelt,
/// that is a failure.
#[must_use]
pub fn run(arguments: &Arguments, trials: Vec<Trial>) -> ExitCode {
    let done = libtest_mimic::run(arguments, trials);
    if !arguments.list && done.num_passed + done.num_failed == 0 {
        eprintln!("no trial has been run");
        return ExitCode::FAILURE;
    }
    done.exit_code()
}
