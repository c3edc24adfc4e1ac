//! Does every fixture make exactly the calls that it says, each time, and would we notice if not?

use anyhow::{Context, Result, ensure};
use ioworkload_check::compare::compare;
use ioworkload_check::expected::{Call, Entry, Expected, load};
use ioworkload_check::trace::Seen;
use ioworkload_tests::gated::{DELAY, HOLD, STARTUP};
use ioworkload_tests::room::Room;
use ioworkload_tests::trials::{self, trial};
use ioworkload_tests::{root, said, scenarios, shipped, start_so, strace};
use libtest_mimic::{Arguments, Trial};
use std::collections::{HashMap, HashSet};
use std::env::current_exe;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

const RUNS: usize = 20;
/// So many calls take their time.
const MANY: u64 = 1000;

fn main() -> ExitCode {
    let mut trials = controls();
    for name in scenarios() {
        for (question, test) in QUESTIONS {
            let (title, name) = (format!("{question}::{name}"), name.clone());
            trials.push(trial(title, move || test(&name)));
        }
    }
    trials::run(&Arguments::from_args(), trials)
}

type Question = (&'static str, fn(&str) -> Result<()>);

/// What is asked of every scenario.
const QUESTIONS: [Question; 3] = [
    ("again-and-again", again_and_again),
    ("in-ioworkload", in_ioworkload),
    ("as-told", as_told),
];

fn again_and_again(name: &str) -> Result<()> {
    let expected = load(name)?;
    let runs = if expected.least() < MANY { RUNS } else { 3 };
    (0..runs).try_for_each(|_| exact(&expected, &watch(&shipped(name), &[])?))
}

/// `ioworkload NAME` makes the fixture's calls and no other.
fn in_ioworkload(name: &str) -> Result<()> {
    exact(&load(name)?, &watch(&shipped("ioworkload"), &[name])?)
}

fn watch(program: &Path, args: &[&str]) -> Result<Seen> {
    let room = Room::new();
    let confine = |strace: &mut Command| {
        strace.args(args).env(DELAY, "1");
        room.as_tmp(strace.env_remove(STARTUP).env_remove(HOLD));
    };
    let seen = strace::witness(program, &confine)?;
    ensure!(room.names().is_empty(), "left behind: {:?}", room.names());
    Ok(seen)
}

fn exact(expected: &Expected, seen: &Seen) -> Result<()> {
    let differences = compare(expected, seen).differences();
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

/// Stands for lines that are left out: as many as there are, where there is one gap; as many as are
/// like the line in front, where there are more.
const GAP: &str = "…";

/// Lines, where of more than 20 that are alike the first stands for all.
fn without_repetitions(lines: &[String]) -> Vec<String> {
    let alike = lines.chunk_by(|one, other| one == other);
    let first = |lines: &[String]| {
        if lines.len() > 20 {
            vec![lines[0].clone(), GAP.into()]
        } else {
            lines.to_vec()
        }
    };
    alike.flat_map(first).collect()
}

/// The trace in the story's own words is what strace prints, to the letter; `…` stands for what is
/// too much to tell.
fn as_told(name: &str) -> Result<()> {
    let file = root()
        .join("src/scenario")
        .join(name.replace('-', "_"))
        .with_extension("rs");
    let story = fs::read_to_string(file)?;
    let lines = story
        .lines()
        .map(|line| line.trim_start_matches("//!").trim_start());
    let told = lines
        .skip_while(|line| *line != "```text")
        .skip(1)
        .take_while(|line| *line != "```");
    let room = Room::new();
    let told: Vec<_> = told.collect();
    let mut seen = strace::decoded(&shipped(name), &|strace| room.as_tmp(strace))?;
    // It comes when the child ends, which is before or while its parent waits.
    seen.retain(|line| !line.starts_with("--- SIGCHLD "));
    if told.iter().filter(|line| **line == GAP).count() > 1 {
        seen = without_repetitions(&seen);
    } else if let Some(gap) = told.iter().position(|line| *line == GAP) {
        let end = seen.len() - (told.len() - gap - 1).min(seen.len());
        ensure!(end > gap, "nothing to leave out");
        seen.splice(gap..end, [GAP.into()]);
    }
    same(&told.join("\n"), &seen.join("\n"))
}

/// Numbers that differ from run to run or from machine to machine: of processes and of the user,
/// what remains of a time, the bytes of a ring (by the CPUs).
const NUMBERS: [&str; 6] = ["pid", "uid", "child", "child2", "rest", "size"];

/// What each address is called.
type Names<'a> = HashMap<&'a str, &'a str>;

/// Whether the two texts are the same, where a name in the first stands for an address: `&name` for
/// one of the stack or of a constant in the program, `ctx`, `page` and these with a number for one
/// that the kernel has given. Each name has an address of its own. The words of
/// [`NUMBERS`] stand for numbers.
fn same(told: &str, seen: &str) -> Result<()> {
    let both = || format!("told:\n{told}\n\nseen:\n{seen}");
    let mut names = Names::new();
    let (mut t, mut s) = (told, seen);
    while !t.is_empty() {
        let piece = piece(t, s, &mut names);
        let (in_t, in_s) =
            piece.with_context(|| format!("{}\n\nfrom here on:\n{t}\n\n{s}", both()))?;
        (t, s) = (&t[in_t..], &s[in_s..]);
    }
    let distinct: HashSet<_> = names.values().collect();
    ensure!(s.is_empty() && distinct.len() == names.len(), "{}", both());
    Ok(())
}

/// How long what both have next is in each: a name and its address, a word and its number, or a
/// character.
fn piece<'a>(t: &'a str, s: &'a str, names: &mut Names<'a>) -> Result<(usize, usize)> {
    let no_name = |c: char| !(matches!(c, '&' | '_' | 'a'..='z') || c.is_ascii_digit());
    let name = front(t, no_name);
    let value = front(s, |c| !c.is_ascii_alphanumeric());
    let named = ["&", "ctx", "page"]
        .iter()
        .any(|sign| name.starts_with(sign));
    if named && (value.starts_with("0x7") || value.starts_with("0x400")) {
        let known = *names.entry(value).or_insert(name);
        ensure!(known == name, "{value} is {known} and {name}");
        return Ok((name.len(), value.len()));
    }
    if NUMBERS.contains(&name) && s.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok((name.len(), value.len()));
    }
    let next = t.chars().next();
    ensure!(next == s.chars().next(), "they differ");
    let len = next.map_or(0, char::len_utf8);
    Ok((len, len))
}

/// The part of a text in front of the first such character.
fn front(text: &str, end: impl Fn(char) -> bool) -> &str {
    &text[..text.find(end).unwrap_or(text.len())]
}

/// Each makes a difference on purpose, and wants it named.
fn controls() -> Vec<Trial> {
    type Control = (&'static str, fn(&mut Expected), &'static [&'static str]);
    let rows: &[Control] = &[
        ("nothing", |_| (), &[]),
        (
            "one-call-less-expected",
            |e| drop(e.calls.remove(3)),
            &["not asked for: io_getevents"],
        ),
        (
            "one-call-more-expected",
            |e| e.calls.insert(2, e.calls[1].clone()),
            &["missing: io_setup"],
        ),
        (
            "another-order",
            |e| e.calls.swap(4, 5),
            &["missing: close", "not asked for: close"],
        ),
        (
            "another-number",
            |e| call(e, 1).nr = 207,
            &["missing: io_setup", "not asked for: io_set"],
        ),
        (
            "another-name",
            |e| call(e, 1).name = "io_set".into(),
            &["io_set is called io_setup"],
        ),
        (
            "another-nr_events",
            |e| set(e, 1, 0, "33"),
            &["io_setup(0x20, "],
        ),
        (
            "another-context",
            |e| set(e, 3, 0, "\"$other\""),
            &["io_getevents(0x7"],
        ),
        (
            "another-address",
            |e| set(e, 3, 3, "\"&ctx\""),
            &["io_getevents(0x7"],
        ),
        (
            "an-address-for-null",
            |e| set(e, 3, 4, "\"&timeout\""),
            &["io_getevents(0x7"],
        ),
        ("another-answer", |e| answer(e, 2, "2"), &["io_submit(0x7"]),
        (
            "an-argument-more",
            |e| drop(call(e, 1).args.pop()),
            &["io_setup(0x20, 0x7…expected 1 arguments"],
        ),
        (
            "another-exit-code",
            |e| set(e, 7, 0, "1"),
            &["exit_group(0x0)", "it exited with 0"],
        ),
    ];
    let mut trials = vec![
        trial("control::a-wait-in-front", a_wait_in_front),
        trial("control::another-process", another_process),
        trial("control::told-otherwise", told_otherwise),
        trial("control::no-trial", no_trial),
    ];
    for &(title, change, differences) in rows {
        let title = format!("control::{title}");
        trials.push(trial(title, move || control(change, differences)));
    }
    trials
}

fn control(change: fn(&mut Expected), wanted: &[&str]) -> Result<()> {
    let mut expected = load("aio-getevents")?;
    change(&mut expected);
    let found = compare(&expected, &watch(&shipped("aio-getevents"), &[])?).differences();
    start_so(&found, wanted)
}

fn call(expected: &mut Expected, at: usize) -> &mut Call {
    match &mut expected.calls[at] {
        Entry::Call(call) => call,
        Entry::Repeat(_) => panic!("no repetition in this scenario"),
    }
}

fn set(expected: &mut Expected, at: usize, arg: usize, json: &str) {
    call(expected, at).args[arg] = serde_json::from_str(json).expect("an argument");
}

fn answer(expected: &mut Expected, at: usize, json: &str) {
    call(expected, at).ret = serde_json::from_str(json).expect("a result");
}

/// The program with the wait makes four calls that aio-setup did not ask for.
fn a_wait_in_front() -> Result<()> {
    let seen = watch(&shipped("ioworkload"), &["--scenario=aio-setup"])?;
    let verdict = compare(&load("aio-setup")?, &seen);
    let differences = verdict.differences();
    let calls = differences
        .iter()
        .map(|line| line.split('(').next().unwrap_or_default());
    let wanted = ["getpid", "rt_sigprocmask", "write", "nanosleep"];
    ensure!(
        calls.eq(wanted.map(|name| format!("not asked for: {name}"))),
        "{verdict:?}"
    );
    ensure!(
        (verdict.noise(), verdict.missing()) == (4, 0),
        "{verdict:?}"
    );
    Ok(())
}

/// A run of this program that its filter leaves nothing to do in.
fn no_trial() -> Result<()> {
    let (code, _, stderr) = said(Command::new(current_exe()?).arg("no-such-trial"));
    ensure!(
        (code, stderr.as_str()) == (Some(1), "no trial has been run\n"),
        "{code:?} {stderr}"
    );
    Ok(())
}

/// A child that nobody asked for is a difference, whatever it does.
fn another_process() -> Result<()> {
    let fork = ["-c", "/bin/true; /bin/true"];
    let seen = strace::witness(Path::new("/bin/sh"), &|strace| {
        strace.args(fork);
    })?;
    let differences = compare(&load("aio-setup")?, &seen).differences();
    let child = "not asked for: another thread or process, which did ";
    let children = differences.iter().filter(|line| line.starts_with(child));
    ensure!(children.count() >= 1, "{differences:?}");
    Ok(())
}

fn told_otherwise() -> Result<()> {
    let seen = "a(0x7ff1) = 0x7ff2\nb(0x7ff1)";
    same("a(ctx) = &one\nb(ctx)", seen)?;
    let wrong = [
        "a(ctx) = &one\nb(&one)",
        "a(ctx) = ctx\nb(ctx)",
        "a(ctx) = &one",
        "a(ctx) = 0",
    ];
    for told in wrong {
        ensure!(same(told, seen).is_err(), "{told} passes for {seen}");
    }
    Ok(())
}
