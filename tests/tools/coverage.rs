//! `make coverage`: writes the tables of what the scenarios cover into tests/README.md.

use ioworkload_tests::coverage::with_tables;
use ioworkload_tests::root;
use std::fs;

fn main() -> anyhow::Result<()> {
    let path = root().join("tests/README.md");
    let text = fs::read_to_string(&path)?;
    Ok(fs::write(path, with_tables(&text)?)?)
}
