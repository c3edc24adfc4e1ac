//! The expected traces: the files of tests/expected, read strictly.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::fs;

/// A scenario's calls.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The scenario's name.
    pub scenario: String,
    /// One sentence.
    pub about: String,
    /// In order.
    pub calls: Vec<Call>,
}

/// One call as it must be.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The kernel's name.
    pub name: String,
    /// The number.
    pub nr: u64,
    /// Every argument that the call has.
    pub args: Vec<Arg>,
    /// `null`: it never returns.
    pub ret: Option<Ret>,
    /// Why there is more than one answer.
    pub why: Option<String>,
}

/// An argument.
#[derive(Clone, Deserialize, Debug)]
#[serde(untagged)]
pub enum Arg {
    /// As the kernel sees it.
    Number(u64),
    /// `&name` an address, `$name` a value that the kernel gave.
    Name(String),
}

/// A result.
#[derive(Clone, Deserialize, Debug)]
#[serde(untagged)]
pub enum Ret {
    /// This.
    Number(i64),
    /// `$name`: a value that later calls use.
    Name(String),
    /// One of these.
    Any(Vec<i64>),
}

/// Reads the expected trace of a scenario.
///
/// # Errors
/// What is missing in the file, or wrong with it.
pub fn load(scenario: &str) -> Result<Expected> {
    let path = crate::root()
        .join("tests/expected")
        .join(scenario)
        .with_extension("json");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("no expected trace: {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}
