//! The first process of a machine or of a container: it makes what is missing, runs fixtures one
//! after the other, and reports in KTAP version 1 (`Documentation/dev-tools/ktap.rst`).

mod child;
mod environment;
mod ktap;
mod names;

use crate::rt::Stack;
use crate::sys::kill;
use crate::sys::machine::{EVERYBODY, SIGKILL};
use core::ffi::CStr;
use environment::Environment;
use ktap::Report;
use names::{Entries, Names, Refusal};

/// The whole of it; returns the exit code where the machine is not ours to turn off.
#[must_use]
pub fn main(stack: Stack) -> u8 {
    let environment = Environment::now();
    environment.furnish();
    let mut entries = [0; size_of::<Entries>()];
    let code = match fixtures(stack, &mut entries) {
        Ok(names) => run_all(&names, environment),
        Err(refusal) => Report::open(0, environment).refused(refusal),
    };
    environment.end(code, stack.env(b"EXIT_PORT="), stack.env(b"EXIT_FILE="))
}

/// The fixtures to run: those that the arguments name, or else all.
fn fixtures(stack: Stack, entries: &mut Entries) -> Result<Names<'_>, Refusal> {
    let given = names::given(stack.args().skip(1))?;
    if given.is_empty() {
        names::find(entries)
    } else {
        Ok(given)
    }
}

fn run_all(names: &Names, environment: Environment) -> u8 {
    let mut report = Report::open(names.len(), environment);
    for fixture in names {
        run(fixture, environment, &mut report);
    }
    report.close()
}

/// Runs a fixture of the root directory and adds its result to the report.
fn run(fixture: &CStr, environment: Environment, report: &mut Report) {
    let mut printed = child::Printed::new();
    let end = child::run(fixture, &mut printed);
    if environment != Environment::Shared {
        // What it has left running would disturb the next one.
        let _ = kill(EVERYBODY, SIGKILL);
        child::reap();
    }
    report.result(fixture.to_bytes(), end, &printed);
}
