//! What a syscall's number stands for: its name, from the C header, and how many arguments it has,
//! from the running kernel's own tracepoints.

use crate::tracefs;
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::fs;
use std::sync::LazyLock;

/// Where Debian's linux-libc-dev keeps the numbers.
const HEADER: &str = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";

/// A call's name, and the number of its arguments.
///
/// # Errors
/// The header is not there, or the kernel has no tracepoint for the call.
pub fn of(nr: u64) -> Result<(&'static str, usize)> {
    static NAMES: LazyLock<Result<HashMap<u64, String>>> = LazyLock::new(names);
    static COUNTS: LazyLock<Result<HashMap<String, usize>>> = LazyLock::new(counts);
    let names = NAMES
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let counts = COUNTS
        .as_ref()
        .map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let name = names
        .get(&nr)
        .with_context(|| format!("no syscall has number {nr}"))?;
    let inside = [name.clone(), format!("new{name}"), format!("{name}64")];
    let count = inside.iter().find_map(|name| counts.get(name));
    let count = count.with_context(|| format!("no tracepoint tells the arguments of {name}"))?;
    Ok((name, *count))
}

/// `#define __NR_io_setup 206`
fn names() -> Result<HashMap<u64, String>> {
    let text = fs::read_to_string(HEADER).context(HEADER)?;
    let line = |line: &str| {
        let (name, nr) = line.strip_prefix("#define __NR_")?.split_once(' ')?;
        Some((nr.trim().parse().ok()?, name.to_owned()))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// The events `sys_enter_NAME` have a field for the number, and one for each argument.
fn counts() -> Result<HashMap<String, usize>> {
    let mut counts = HashMap::new();
    for event in tracefs::root()?.join("events/syscalls").read_dir()? {
        let path = event?.path();
        let event = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(name) = event.strip_prefix("sys_enter_") {
            let format = fs::read_to_string(path.join("format"))?;
            let fields = format.lines().filter(|line| line.starts_with("\tfield:"));
            let own = fields.filter(|line| !line.contains(" common_"));
            counts.insert(name.to_owned(), own.count() - 1);
        }
    }
    Ok(counts)
}
