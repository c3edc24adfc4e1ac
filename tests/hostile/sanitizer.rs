//! Memory, of the parts that make no syscall: the parser and the texts, hosted, under the address
//! sanitizer. It is built anew for that, in minutes, and so belongs to the long form.
//!
//! The rule: the sanitizer stops nothing.

use crate::length;
use crate::tally::{Cases, trial};
use anyhow::{Context, Result, ensure};
use ioworkload_tests::{root, target};
use libtest_mimic::Trial;
use std::env;
use std::path::Path;
use std::process::{Command, Output};

const AREA: &str = "7 memory, sanitizer";

/// A test, and its part that is run.
const TESTS: [(&str, &str); 3] = [("text", ""), ("parser", ""), ("hostile", "5 input, parser")];

pub fn trials() -> Vec<Trial> {
    if !length::long() {
        return Vec::new();
    }
    vec![
        trial(AREA, "hosted", |_, cases| {
            hosted(cases);
            Ok(())
        }),
        Trial::test("7 memory::sanitizer-control", || Ok(control()?)),
    ]
}

fn hosted(cases: &mut Cases) {
    for (test, part) in TESTS {
        cases.add(test, passes(test, part));
    }
}

fn passes(test: &str, part: &str) -> Result<()> {
    let mut cargo = sanitized(&env::var("CARGO").context("started by cargo")?);
    cargo.args(["test", "--locked", "--target-dir"]);
    cargo.arg(target().join("sanitizer"));
    cargo.args(["-p", "ioworkload-tests", "--test", test, "--", part]);
    // A million inputs are for those who are quicker.
    let output = cargo
        .env("TORTURE_COUNT", "1000")
        .env_remove("TORTURE_MINUTES")
        .output()?;
    ensure!(output.status.success(), "{}", told(&output));
    Ok(())
}

/// A command that builds for the sanitizer. Rust has it in its nightly compilers; a stable one does
/// as well if it is told to take itself for such.
fn sanitized(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root()).env("RUSTC_BOOTSTRAP", "1");
    command.env("RUSTFLAGS", "-Zsanitizer=address");
    command
}

fn told(output: &Output) -> String {
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// A program that reads beyond its own is stopped.
fn control() -> Result<()> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, program) = (directory.join("beyond.rs"), directory.join("beyond"));
    let text = "fn main() { let a = vec![1u8; std::env::args().count()]; \
                std::process::exit(unsafe { *a.as_ptr().add(1) } as i32) }";
    std::fs::write(&source, text)?;
    let mut rustc = sanitized("rustc");
    rustc
        .arg("-Zsanitizer=address")
        .arg("-o")
        .args([&program, &source]);
    let output = rustc.output()?;
    ensure!(output.status.success(), "{}", told(&output));
    let output = Command::new(program).output()?;
    let (code, said) = (output.status.code(), told(&output));
    let stopped = "SUMMARY: AddressSanitizer: heap-buffer-overflow ";
    let lines = said.lines().filter(|line| line.starts_with(stopped));
    ensure!((code, lines.count()) == (Some(1), 1), "{code:?}: {said}");
    Ok(())
}
