//! The witness strace: it stops the process at each call, by ptrace.

use crate::gated::one_blank;
use crate::room::rooms;
use crate::trace::{Call, Seen};
use anyhow::{Context, Result, bail, ensure};
use nix::errno::Errno;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What strace writes of each process, by process number: lines.
pub type Texts = BTreeMap<i64, Vec<String>>;

/// The calls of `program` with raw arguments.
///
/// # Errors
/// strace failed, or a line is not understood.
pub fn witness(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    let (first, texts) = texts(program, &["-n", "-e", "raw=all"], confine)?;
    family(first, &texts)
}

/// The calls of `program` as strace decodes them, the end last; one blank on either side of each
/// `=`. Behind an empty line, those of each child.
///
/// # Errors
/// strace failed.
pub fn decoded(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Vec<String>> {
    let (first, mut texts) = texts(program, &[], confine)?;
    let mut all = texts.remove(&first).unwrap_or_default();
    for child in texts.into_values() {
        all.push(String::new());
        all.extend(child);
    }
    Ok(all.iter().map(|line| one_blank(line)).collect())
}

/// What strace writes of each process, from the return of execve on. What the program itself says
/// on stderr goes to ours.
fn texts(program: &Path, options: &[&str], confine: &dyn Fn(&mut Command)) -> Result<(i64, Texts)> {
    let directory = TempDir::new_in(rooms())?;
    let mut strace = Command::new("strace");
    strace
        .args(["-ff", "-s", "4096", "-o"])
        .arg(directory.path().join("of"))
        .args(options);
    strace.arg("--").arg(program).stdout(Stdio::null());
    confine(&mut strace);
    strace.status().context("strace does not start")?;
    let mut texts = read(directory.path())?;
    let execve = |lines: &Vec<String>| lines.first().is_some_and(|line| line.contains("execve("));
    let first = texts.iter().find(|(_, lines)| execve(lines));
    let first = *first.context("strace has seen no execve")?.0;
    let line = texts.entry(first).or_default().remove(0);
    ensure!(line.ends_with("= 0"), "{line}");
    Ok((first, texts))
}

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

fn errno(name: &str) -> Option<i64> {
    let is_it = |number: &i32| format!("{:?}", Errno::from_raw(*number)) == name;
    (1..4096).find(is_it).map(i64::from)
}

/// The codes that the kernel keeps to itself (`include/linux/errno.h`): with them a call is
/// restarted, or EINTR is what the program gets.
fn restart(name: &str) -> Option<i64> {
    match name {
        "ERESTARTSYS" => Some(512),
        "ERESTARTNOINTR" => Some(513),
        "ERESTARTNOHAND" => Some(514),
        "ERESTART_RESTARTBLOCK" => Some(516),
        _ => None,
    }
}
