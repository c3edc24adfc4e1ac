//! The witness seccomp: the kernel as judge. It lets a program make the calls of an expected trace,
//! with the arguments that are the same in every run, and kills it at any other. It judges which
//! calls are made, not in which order or how often.

use crate::held::end;
use anyhow::{Context, Result};
use ioworkload_check::expected::{Call, Expected, Word};
use nix::libc;
use nix::sys::resource::{Resource, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;
use std::ffi::{CString, OsStr};
use std::io;
use std::iter::once;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// An environment.
const NOTHING: &[usize] = &[0];

/// How `program` ends that may make the expected calls only: `exited with 0`, or, for a call too
/// many, `killed by SIGSYS`.
///
/// # Errors
/// The trace has more than a filter can hold, or the program does not start.
pub fn witness(
    expected: &Expected,
    program: &Path,
    confine: &dyn Fn(&mut Command),
) -> Result<String> {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    confine(&mut command);
    let words = once(program.as_os_str()).chain(command.get_args());
    let words: Vec<_> = words.map(text).collect::<Result<_>>()?;
    let filter = filter(expected, words[0].as_ptr() as u64)?;
    let argv = words.iter().map(|word| word.as_ptr() as usize);
    let argv: Vec<_> = argv.chain([0]).collect();
    // SAFETY: between fork and exec the closure only makes system calls on data made before the
    // fork. It comes last, because nothing but its own execve passes the filter.
    unsafe {
        command.pre_exec(move || {
            setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
            apply_filter(&filter).map_err(io::Error::other)?;
            libc::execve(
                words[0].as_ptr(),
                argv.as_ptr().cast(),
                NOTHING.as_ptr().cast(),
            );
            Err(io::Error::last_os_error())
        });
    }
    let status = command
        .status()
        .with_context(|| program.display().to_string())?;
    Ok(end(status))
}

fn text(word: &OsStr) -> Result<CString> {
    Ok(CString::new(word.as_bytes())?)
}

/// The calls of the trace, and the one execve whose path is at this address.
fn filter(expected: &Expected, path: u64) -> Result<BpfProgram> {
    let mut rules = BTreeMap::new();
    rules.insert(libc::SYS_execve, vec![vec![(0, path)]]);
    for call in expected.each() {
        let allowed = rules.entry(call.nr as i64).or_insert_with(Vec::new);
        let fixed = fixed(call);
        if !allowed.contains(&fixed) {
            allowed.push(fixed);
        }
    }
    let rules = rules
        .into_iter()
        .map(|(nr, allowed)| Ok((nr, chain(&allowed)?)));
    let filter = SeccompFilter::new(
        rules.collect::<Result<_>>()?,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
        TargetArch::x86_64,
    )?;
    Ok(filter.try_into()?)
}

/// The arguments that are the same in every run, with their places.
fn fixed(call: &Call) -> Vec<(u8, u64)> {
    let places = (0..).zip(&call.args);
    let fixed = places.filter_map(|(place, arg)| match arg {
        Word::Number(number) => Some((place, *number)),
        Word::Name(_) | Word::Round => None,
    });
    fixed.collect()
}

/// One of these; if one of them asks for nothing, anything.
fn chain(allowed: &[Vec<(u8, u64)>]) -> Result<Vec<SeccompRule>> {
    if allowed.iter().any(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let (equal, whole) = (SeccompCmpOp::Eq, SeccompCmpArgLen::Qword);
    let condition = |&(place, number): &(u8, u64)| {
        SeccompCondition::new(place, whole.clone(), equal.clone(), number)
    };
    let rule = |fixed: &Vec<_>| {
        let conditions = fixed.iter().map(condition).collect::<Result<_, _>>()?;
        Ok(SeccompRule::new(conditions)?)
    };
    allowed.iter().map(rule).collect()
}
