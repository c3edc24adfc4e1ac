//! Where the figures come from: without that they mean nothing.

use crate::data::Machine;
use anyhow::{Context, Result};
use nix::sys::utsname::uname;
use std::fs;
use std::process::Command;

/// This machine, and the compilers of these variants.
pub fn describe(variants: &[&str]) -> Result<Machine> {
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let cpu = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let cpu = cpu.map_or("unknown", |name| name.trim_start_matches([' ', '\t', ':']));
    let compilers: [(&str, &[&str]); 4] = [
        ("c-", &["cc", "--version"]),
        ("rust-std", &["rustc", "--version"]),
        ("go", &["go", "version"]),
        (
            "c-musl",
            &["dpkg-query", "-f", "musl ${Version}", "-W", "musl-dev"],
        ),
    ];
    let used = |prefix: &str| variants.iter().any(|variant| variant.starts_with(prefix));
    let used = compilers.iter().filter(|(prefix, _)| used(prefix));
    Ok(Machine {
        date: first_line(&["date", "+%Y-%m-%d"])?,
        cpu: cpu.into(),
        cpus: std::thread::available_parallelism()?.get(),
        kernel: uname()?.release().to_string_lossy().into_owned(),
        compilers: used
            .map(|(_, command)| first_line(command))
            .collect::<Result<_>>()?,
    })
}

fn first_line(command: &[&str]) -> Result<String> {
    let output = Command::new(command[0]).args(&command[1..]).output();
    let output = output.with_context(|| command[0].to_owned())?;
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
