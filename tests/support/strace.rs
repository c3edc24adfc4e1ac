//! The witness strace: it stops the process at each call, by ptrace.

use crate::room::rooms;
use crate::trace::{Call, Seen};
use anyhow::{Context, Result, bail, ensure};
use nix::errno::Errno;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::NamedTempFile;

/// The calls of `program` with raw arguments.
///
/// # Errors
/// strace failed, a line is not understood, or more than one thread was seen.
pub fn witness(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    let text = text(program, &["-n", "-e", "raw=all"], confine)?;
    let mut calls = text.lines().map(parse).collect::<Result<Vec<_>>>()?;
    let Some(Line::End(end)) = calls.pop() else {
        bail!("no end in sight:\n{text}")
    };
    let calls = calls.into_iter().map(|line| match line {
        Line::Call(call) => Ok(call),
        Line::End(end) => bail!("{end}, and then went on:\n{text}"),
    });
    Ok(Seen {
        calls: calls.collect::<Result<_>>()?,
        end,
    })
}

/// The calls of `program` as strace decodes them, the end last; one blank on either side of each
/// `=`.
///
/// # Errors
/// strace failed, or more than one thread was seen.
pub fn decoded(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Vec<String>> {
    let text = text(program, &[], confine)?;
    Ok(text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect())
}

/// What strace writes from the return of execve on, without the process number in front. What the
/// program itself says on stderr goes to ours.
fn text(program: &Path, options: &[&str], confine: &dyn Fn(&mut Command)) -> Result<String> {
    let mut file = NamedTempFile::new_in(rooms())?;
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-s", "4096", "-o"])
        .arg(file.path())
        .args(options);
    strace.arg("--").arg(program).stdout(Stdio::null());
    confine(&mut strace);
    strace.status().context("strace does not start")?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    of_one_process(&text)
}

fn of_one_process(text: &str) -> Result<String> {
    let mut lines = text
        .lines()
        .map(|line| line.split_once(' ').unwrap_or((line, "")));
    let Some((pid, execve)) = lines.next() else {
        bail!("strace has seen nothing")
    };
    ensure!(
        execve.contains("execve(") && execve.ends_with("= 0"),
        "no execve:\n{text}"
    );
    let lines = lines.map(|(number, line)| {
        ensure!(number == pid, "another thread or process:\n{text}");
        Ok(line.trim_start())
    });
    Ok(lines.collect::<Result<Vec<_>>>()?.join("\n"))
}

enum Line {
    Call(Call),
    End(String),
}

/// `[ 206] io_setup(0x20, 0x7ffd64287668) = 0`, `[ 231] +++ exited with 0 +++`.
fn parse(line: &str) -> Result<Line> {
    let parse = || -> Option<Line> {
        let (nr, rest) = line.strip_prefix('[')?.split_once("] ")?;
        if let Some(end) = rest.strip_prefix("+++ ") {
            return Some(Line::End(end.strip_suffix(" +++")?.into()));
        }
        let (name, rest) = rest.split_once('(')?;
        let (args, ret) = rest.split_once(')')?;
        let args = args
            .split(", ")
            .filter(|arg| !arg.is_empty())
            .map(number)
            .collect::<Option<_>>()?;
        let ret = match ret.trim_start().strip_prefix("= ")? {
            "?" => None,
            value => Some(answer(value)?),
        };
        Some(Line::Call(Call {
            name: name.into(),
            nr: nr.trim().parse().ok()?,
            args,
            ret,
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

/// `0x3`, `-1 EINVAL (Invalid argument)`.
fn answer(text: &str) -> Option<i64> {
    let Some(error) = text.strip_prefix("-1 ") else {
        return number(text).map(|value| value as i64);
    };
    let name = error.split(' ').next()?;
    let is_it = |number: &i32| format!("{:?}", Errno::from_raw(*number)) == name;
    (1..4096).find(is_it).map(|number| -i64::from(number))
}
