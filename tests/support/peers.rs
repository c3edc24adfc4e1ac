//! The variants of a scenario: the fixture, and the same calls from other languages, the peers.

use crate::ORIGINAL;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// One way to make a scenario's calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Variant {
    /// Its directory's name in target/peers.
    pub name: &'static str,
    /// Its name for humans.
    pub title: &'static str,
}

/// The one that all others are compared with: calls in assembly, nothing checked.
pub const LIMIT: &str = "assembly";

/// The fixtures.
pub const OURS: &str = "ioworkload";

/// All of them, the quickest first.
pub const VARIANTS: [Variant; 8] = [
    variant(LIMIT, "assembly, unchecked"),
    variant(OURS, "ioworkload"),
    variant("c-freestanding", "C, freestanding"),
    variant("c-musl-static", "C, musl, static"),
    variant("c-glibc-static", "C, glibc, static"),
    variant("c-glibc-dynamic", "C, glibc, dynamic"),
    variant("rust-std", "Rust, std"),
    variant("go", "Go"),
];

/// The scenarios that all variants have.
pub const SCENARIOS: [&str; 5] = ORIGINAL;

const fn variant(name: &'static str, title: &'static str) -> Variant {
    Variant { name, title }
}

/// A variant's program for a scenario.
#[must_use]
pub fn program(variant: &str, scenario: &str) -> PathBuf {
    if variant == OURS {
        return crate::shipped(scenario);
    }
    let peers = crate::target().join("peers");
    peers.join(variant).join(scenario)
}

/// Builds what is missing of these variants, and the assembly in any case.
///
/// # Errors
/// What make has against it.
pub fn build(variants: &[&str]) -> Result<()> {
    // make knows no blanks in a file's name: from where it runs, ours have none.
    let (place, sources) = (
        crate::target().join("peers"),
        crate::root().join("tests/peers"),
    );
    fs::create_dir_all(&place)?;
    let link = place.join("sources");
    let _ = fs::remove_file(&link);
    symlink(sources, &link)?;
    let mut make = Command::new("make");
    make.current_dir(place)
        .args(["-f", "sources/Makefile"])
        .arg(format!("VARIANTS={}", variants.join(" ")))
        .stdout(Stdio::null())
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL");
    let status = make.status().context("make does not start")?;
    ensure!(status.success(), "the peers can't be built");
    Ok(())
}
