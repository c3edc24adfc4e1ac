//! Prints every `unsafe` of the source with its reason: what `make unsafe` shows.

use anyhow::Result;
use ioworkload_tests::blocks;

fn main() -> Result<()> {
    let blocks = blocks::all()?;
    for block in &blocks {
        println!("{block}");
    }
    println!("{} in all", blocks.len());
    Ok(())
}
