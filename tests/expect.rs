//! Does `--expect` say, to the last call, what a run with the same options does?

use anyhow::{Context, Result, ensure};
use ioworkload_check::compare::compare;
use ioworkload_check::expected::{self, Child, Entry, Expected, Kernel, parse};
use ioworkload_check::trace::Seen;
use ioworkload_tests::gated::until;
use ioworkload_tests::room::Room;
use ioworkload_tests::trials::{self, trial};
use ioworkload_tests::{root, scenarios, shipped, strace, writer};
use libtest_mimic::Arguments;
use std::fs;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter};
use std::process::{Command, ExitCode};
use std::thread;

/// Every gate open, and still shut, on either side of the scenario; every way to repeat.
const ROWS: &[&[&str]] = &[
    &[
        "--repeat=5",
        "--interval=1500",
        "--hold=stdin",
        "--linger=stdin",
    ],
    &["--hold=none", "--linger=none"],
    &["--hold=stdin"],
    &["--hold=fd:0"],
    &["--hold=sleep:0"],
    &["--hold=sleep:1"],
    &["--hold=sleep:1001", "--linger=sleep:2"],
    &["--hold=file:there"],
    &["--linger=stdin"],
    &["--linger=file:there"],
    &["--hold=stdin", "--linger=stdin", "--deadline=4294967295"],
    &["--hold=file:there", "--linger=file:./there", "--deadline=0"],
    &["--hold=fd:0", "--linger=file:there", "--deadline=1500"],
    &["--repeat=1"],
    &["--repeat=1", "--interval=1"],
    &["--repeat=2", "--interval=1"],
    &["--repeat=3", "--interval=0"],
    &["--repeat=3", "--hold=file:there", "--linger=sleep:1"],
];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for name in scenarios() {
        let file = name.clone();
        trials.push(trial(format!("file::{name}"), move || is_the_file(&file)));
        // Two scenarios have every row, the others what is longest.
        let every = ["aio-burst", "aio-getevents"].contains(&name.as_str());
        for row in ROWS.iter().take(if every { ROWS.len() } else { 1 }) {
            let (title, name) = (format!("strace::{name}::{}", row.join("_")), name.clone());
            trials.push(trial(title, move || agree(&name, row)));
        }
        trials.push(trial(format!("count::{name}"), move || counts(&name)));
    }
    for option in [
        "--hold=stdin",
        "--linger=stdin",
        "--hold=file:late",
        "--linger=file:late",
    ] {
        let title = format!("late::{option}");
        trials.push(trial(title, move || late(option)));
    }
    trials.push(trial("decoded", decoded));
    trials.push(trial("strange-paths", strange_paths));
    trials.push(trial("by-the-schema", by_the_schema));
    trials.push(trial("control::another-option", another_option));
    trials::run(&Arguments::from_args(), trials)
}

fn text(name: &str, options: &[&str]) -> Result<String> {
    let mut command = Command::new(shipped("ioworkload"));
    let output = command
        .args(options)
        .arg(format!("--expect={name}"))
        .output()?;
    ensure!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    Ok(String::from_utf8(output.stdout)?)
}

fn expect(name: &str, options: &[&str]) -> Result<Expected> {
    let text = text(name, options)?;
    parse(&text, Kernel::here()?).with_context(|| text)
}

/// Without options it is the file, to the byte; and so it is with options that change nothing. The
/// names of the gates are free.
fn is_the_file(name: &str) -> Result<()> {
    let file = fs::read_to_string(ioworkload_tests::trace_file(name))?;
    ensure!(!file.contains("gate_"), "a gate's name");
    let nothing: [&[&str]; 3] = [
        &[],
        &["--hold=none", "--deadline=5"],
        &["--interval=9", "--linger=none"],
    ];
    for options in nothing.iter().take(if counted(name)? { 2 } else { 3 }) {
        ensure!(text(name, options)? == file, "{options:?}");
    }
    Ok(())
}

/// The scenario counts its rounds itself.
fn counted(name: &str) -> Result<bool> {
    Ok(fs::read_to_string(ioworkload_tests::trace_file(name))?.contains("\"#n\""))
}

fn watch(name: &str, options: &[&str]) -> Result<Seen> {
    let (room, gates) = (Room::new(), Room::new());
    fs::write(gates.path().join("there"), "")?;
    let confine = |strace: &mut Command| {
        strace.args(options).arg(name).current_dir(gates.path());
        room.as_tmp(strace);
    };
    let seen = strace::witness(&shipped("ioworkload"), &confine)?;
    ensure!(room.names().is_empty(), "left behind: {:?}", room.names());
    Ok(seen)
}

fn agree(name: &str, options: &[&str]) -> Result<()> {
    let mut options = options.to_vec();
    if counted(name)? && !options.iter().any(|option| option.starts_with("--repeat")) {
        options.push("--repeat=100");
    }
    let differences = compare(&expect(name, &options)?, &watch(name, &options)?).differences();
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}

/// The number of calls is that of the scenario's own, so many times, and of the pauses between.
fn counts(name: &str) -> Result<()> {
    let own = expected::load(name)?;
    let around = if counted(name)? { 3 } else { 1 };
    let rounds = own.calls.iter().find_map(repeat);
    let rounds = rounds.filter(|_| around == 3).unwrap_or(1);
    let round = (own.least() - around) / rounds;
    for count in [1, 2, 3, 1000, u64::from(u32::MAX)] {
        let repeat = format!("--repeat={count}");
        let calls = expect(name, &[&repeat])?.least();
        ensure!(calls == around + count * round, "{repeat}: {calls}");
        let children = children(&expect(name, &[&repeat])?);
        ensure!(
            children == count * own.children.len() as u64,
            "{repeat}: {children}"
        );
        let calls = expect(name, &[&repeat, "--interval=4294967295"])?.least();
        ensure!(
            calls == around + count * round + count - 1,
            "{repeat}, with pauses: {calls}"
        );
    }
    Ok(())
}

/// How many children there are.
fn children(expected: &Expected) -> u64 {
    let children = expected.children.iter().map(|child| match child {
        Child::Calls(_) => 1,
        Child::Repeat(some) => some.repeat * some.children.len() as u64,
    });
    children.sum()
}

fn repeat(entry: &Entry) -> Option<u64> {
    match entry {
        Entry::Repeat(repeat) => Some(repeat.repeat.least()),
        Entry::Call(_) => None,
    }
}

/// A gate that opens while it is waited at: `ppoll` has been entered, a file has been looked for.
fn late(option: &str) -> Result<()> {
    let (room, gates) = (Room::new(), Room::new());
    let (said, mouth) = io::pipe()?;
    let (stdin, key) = io::pipe()?;
    let file = gates.path().join("late");
    let opener = thread::spawn(move || open(said, key, &file));
    let confine = |strace: &mut Command| {
        strace.args(["aio-setup", option]).current_dir(gates.path());
        strace.stdin(stdin.try_clone().expect("a descriptor"));
        strace.stdout(mouth.try_clone().expect("a descriptor"));
        room.as_tmp(strace);
    };
    let seen = strace::witness(&shipped("ioworkload"), &confine)?;
    opener.join().expect("no panic")?;
    let differences = compare(&expect("aio-setup", &[option])?, &seen).differences();
    ensure!(differences.is_empty(), "{}", differences.join("\n"));
    let waits = seen.calls.iter().filter(|call| call.nr == 35).count();
    ensure!(option.contains("stdin") || waits > 0, "it has not waited");
    Ok(())
}

fn open(said: PipeReader, key: PipeWriter, file: &std::path::Path) -> Result<()> {
    let mut line = String::new();
    BufReader::new(said).read_line(&mut line)?;
    let call = format!("/proc/{}/syscall", line.trim());
    let waits = |nr: &&str| fs::read_to_string(&call).is_ok_and(|text| text.starts_with(*nr));
    until("a wait", || ["271 ", "35 "].iter().any(waits));
    fs::write(file, "")?;
    drop(key);
    Ok(())
}

/// What the pointers lead to, which `in` says and raw arguments do not show.
fn decoded() -> Result<()> {
    let gates = Room::new();
    fs::write(gates.path().join("there"), "")?;
    let options = [
        "--hold=stdin",
        "--deadline=1500",
        "--linger=file:there",
        "--repeat=2",
        "--interval=1500",
    ];
    let seen = strace::decoded(&shipped("ioworkload"), &|strace| {
        strace
            .arg("aio-setup")
            .args(options)
            .current_dir(gates.path());
    })?;
    let wanted = [
        "fcntl(0, F_GETFD) = 0",
        "ppoll([{fd=0, events=POLLIN}], 1, {tv_sec=1, tv_nsec=500000000}, NULL, 0) = 1 ",
        "nanosleep({tv_sec=0, tv_nsec=1500000}, ",
        "faccessat(AT_FDCWD, \"there\", F_OK) = 0",
    ];
    for line in wanted {
        let found = seen.iter().filter(|seen| seen.starts_with(line)).count();
        ensure!(found == 1, "{line}: {found} times in\n{}", seen.join("\n"));
    }
    let told = text("aio-setup", &options)?;
    let wanted = [
        r#""in": {"&gate_poll": {"fd": 0, "events": 1}, "&gate_time": {"tv_sec": 1, "tv_nsec": 500000000}}"#,
        r#""in": {"&gate_pause": {"tv_sec": 0, "tv_nsec": 1500000}}"#,
        r#""ret": 0, "in": {"&gate_linger": "there"}"#,
    ];
    for part in wanted {
        ensure!(told.matches(part).count() == 1, "{part}:\n{told}");
    }
    Ok(())
}

/// With any options the text is an expected trace: valid, and laid out as the files are.
fn by_the_schema() -> Result<()> {
    let schema = fs::read_to_string(root().join("tests/expected-trace.schema.json"))?;
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema)?)?;
    for name in scenarios() {
        for row in ROWS {
            let text = text(&name, row)?;
            let value = serde_json::from_str(&text)?;
            let errors: Vec<_> = schema.iter_errors(&value).map(|e| e.to_string()).collect();
            ensure!(errors.is_empty(), "{name} {row:?}: {errors:?}");
            ensure!(text == writer::file(&value), "{name} {row:?}: {text}");
        }
    }
    Ok(())
}

/// A path that JSON can't have as it is is left out.
fn strange_paths() -> Result<()> {
    for path in ["a\"b", "a\\b", "a\nb", "ä", "\x7f"] {
        let option = format!("--hold=file:{path}");
        let text = text("aio-setup", &[&option])?;
        parse(&text, Kernel::here()?).with_context(|| text.clone())?;
        ensure!(!text.contains("{\"&gate_hold\":"), "{text}");
    }
    let text = text("aio-setup", &["--hold=file:there"])?;
    ensure!(text.contains(r#"{"&gate_hold": "there"}"#), "{text}");
    Ok(())
}

/// The text for other options than those of the run differs, each in its way.
fn another_option() -> Result<()> {
    let seen = watch("aio-getevents", &["--hold=stdin", "--repeat=2"])?;
    let rows: [(&[&str], usize); 5] = [
        (&["--hold=stdin", "--repeat=2"], 0),
        (&["--repeat=2"], 6),
        (&["--hold=stdin", "--repeat=3"], 7),
        (&["--hold=stdin", "--repeat=2", "--linger=sleep:0"], 1),
        (&["--hold=stdin", "--repeat=2", "--interval=1"], 1),
    ];
    for (options, differ) in rows {
        let found = compare(&expect("aio-getevents", options)?, &seen).differences();
        ensure!(found.len() == differ, "{options:?}: {found:?}");
    }
    Ok(())
}
