//! The text of strace, one file per process: `strace -ff -n -e raw=all`.

use crate::formats::value::{errno, restart};
use crate::trace::{Call, Seen};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What strace writes of each process, by process number: lines.
pub type Texts = BTreeMap<i64, Vec<String>>;

/// The files of `strace -ff -o` in a directory.
///
/// # Errors
/// One can't be read, or does not end in a process number.
pub fn read(directory: &Path) -> Result<Texts> {
    let mut texts = Texts::new();
    for file in directory.read_dir()? {
        let path = file?.path();
        let pid = path.extension().and_then(|pid| pid.to_str()?.parse().ok());
        let lines = fs::read_to_string(&path)?;
        let lines = lines.lines().map(str::to_owned).collect();
        texts.insert(pid.context("strace names files otherwise")?, lines);
    }
    Ok(texts)
}

/// The calls of a process, and of the processes and threads that its calls have started.
///
/// # Errors
/// A line is not understood.
pub fn family(pid: i64, texts: &Texts) -> Result<Seen> {
    let lines = texts.get(&pid).context("no file of a process")?;
    let text = lines.join("\n");
    let mut lines: Vec<_> = lines
        .iter()
        .map(|line| parse(line))
        .collect::<Result<_>>()?;
    let Some(Line::End(end)) = lines.pop() else {
        bail!("no end in sight:\n{text}")
    };
    let mut calls = Vec::new();
    for line in lines {
        match line {
            Line::Call(call) => calls.push(call),
            Line::Signal => {}
            Line::End(end) => bail!("{end}, and then went on:\n{text}"),
        }
    }
    let started = |call: &Call| {
        let starts = ["clone", "clone3", "fork", "vfork"].contains(&call.name.as_str());
        call.ret.filter(|pid| starts && texts.contains_key(pid))
    };
    let children = calls.iter().filter_map(started);
    let children = children
        .map(|pid| family(pid, texts))
        .collect::<Result<_>>()?;
    Ok(Seen {
        calls,
        end,
        children,
    })
}

enum Line {
    Call(Call),
    Signal,
    End(String),
}

/// `[ 206] io_setup(0x20, 0x7ffd64287668) = 0`, `[ 231] +++ exited with 0 +++`,
/// `[ 208] --- SIGALRM {…} ---`.
fn parse(line: &str) -> Result<Line> {
    let parse = || -> Option<Line> {
        let (nr, rest) = line.strip_prefix('[')?.split_once("] ")?;
        if let Some(end) = rest.strip_prefix("+++ ") {
            return Some(Line::End(end.strip_suffix(" +++")?.into()));
        }
        if rest.starts_with("--- ") {
            return Some(Line::Signal);
        }
        let (name, rest) = rest.split_once('(')?;
        let (args, ret) = rest.split_once(')')?;
        let args = args
            .split(", ")
            .filter(|arg| !arg.is_empty())
            .map(number)
            .collect::<Option<_>>()?;
        Some(Line::Call(Call {
            name: name.into(),
            nr: nr.trim().parse().ok()?,
            args,
            ret: match ret.trim_start().strip_prefix("= ")? {
                "?" => None,
                value => Some(answer(value)?),
            },
            ..Call::default()
        }))
    };
    parse().with_context(|| format!("strace wrote {line:?}"))
}

/// `0x20`, `0`.
fn number(text: &str) -> Option<u64> {
    text.strip_prefix("0x").map_or_else(
        || text.parse().ok(),
        |hex| u64::from_str_radix(hex, 16).ok(),
    )
}

/// `0x3`, `-1 EINVAL (Invalid argument)`, `? ERESTARTNOHAND (To be restarted if no handler)`.
fn answer(text: &str) -> Option<i64> {
    let Some(error) = text.strip_prefix("-1 ").or(text.strip_prefix("? ")) else {
        return number(text).map(|value| value as i64);
    };
    let name = error.split(' ').next()?;
    restart(name).or_else(|| errno(name)).map(|number| -number)
}
