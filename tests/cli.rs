//! Does the command line of ioworkload answer every use, right or wrong, to the byte?

use assert_cmd::Command;
use ioworkload::cli::{self, HELP, Misuse, parse};
use ioworkload::scenario::ALL;
use ioworkload_tests::expected::load;
use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use std::ffi::{CString, OsStr};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process;

const USAGE: &str =
    "usage: ioworkload NAME | --scenario=NAME | --expect=NAME | --list | --version | --help\n";
const SPELLINGS: [&[&str]; 4] = [
    &["--scenario="],
    &["-scenario="],
    &["--scenario", ""],
    &["-scenario", ""],
];

/// A shipped program that has `room` as its /tmp, no wait, and nothing of our environment's gates.
fn program(name: &str, room: &Room) -> process::Command {
    let mut command = process::Command::new(shipped(name));
    command.env("IOR_WORKLOAD_STARTUP_DELAY_MS", "0");
    command.env_remove("IOR_WORKLOAD_STARTUP_FILE");
    command.env_remove("IOR_WORKLOAD_HOLD_FILE");
    room.as_tmp(&mut command);
    command
}

/// Runs it with `args` and compares all that it says, and what it leaves.
fn says(name: &str, args: &[&[u8]], code: i32, stdout: &str, stderr: &str) {
    let room = Room::new();
    let mut command = Command::from_std(program(name, &room));
    command.args(args.iter().map(|arg| OsStr::from_bytes(arg)));
    let said = command.assert();
    said.code(code)
        .stdout(stdout.to_owned())
        .stderr(stderr.to_owned());
    assert!(room.names().is_empty(), "{name} left {:?}", room.names());
}

fn list() -> String {
    scenarios().join("\n") + "\n"
}

#[test]
fn questions() {
    let version = format!("ioworkload {}\n", env!("CARGO_PKG_VERSION"));
    let rows: [(&[u8], String); 4] = [
        (b"--help", format!("{HELP}\n")),
        (b"-h", format!("{HELP}\n")),
        (b"--list", list()),
        (b"--version", version),
    ];
    for (arg, stdout) in rows {
        says("ioworkload", &[arg], 0, &stdout, "");
    }
}

#[test]
fn the_list_is_the_catalogue_sorted() {
    let mut names: Vec<_> = ALL.iter().map(|scenario| scenario.name).collect();
    assert_eq!(names.join("\n") + "\n", list());
    names.sort_unstable();
    assert_eq!(names.join("\n") + "\n", list());
}

/// Runs each row's arguments, which are misuse, and compares what is said about it.
fn misuse(rows: &[(&[&[u8]], String)]) {
    for (args, stderr) in rows {
        says("ioworkload", args, 2, "", stderr);
    }
}

fn unknown_scenario(shown: &str) -> String {
    format!("unknown scenario: {shown}\n{}", list())
}

fn unknown_option(shown: &str) -> String {
    format!("unknown option: {shown}\n")
}

fn too_many(shown: &str) -> String {
    format!("too many arguments: {shown}\n")
}

#[test]
fn no_scenario_is_misuse() {
    let rows: &[&[&[u8]]] = &[
        &[],
        &[b""],
        &[b"", b"aio-setup"],
        &[b"--scenario"],
        &[b"-scenario"],
        &[b"--scenario", b""],
        &[b"--scenario="],
        &[b"-scenario="],
        &[b"-scenario=", b"aio-setup"],
    ];
    for args in rows {
        says("ioworkload", args, 2, "", USAGE);
    }
}

#[test]
fn an_unknown_scenario_is_misuse() {
    let unknown = unknown_scenario;
    misuse(&[
        (&[b"aio"], unknown("aio")),
        (&[b"aio-setup-"], unknown("aio-setup-")),
        (&[b"aio-setup "], unknown("aio-setup ")),
        (&[b"aio_setup"], unknown("aio_setup")),
        (&[b"AIO-SETUP"], unknown("AIO-SETUP")),
        (&[b"list"], unknown("list")),
        (&[b"bogus", b"more"], unknown("bogus")),
        (&[b"--scenario=bogus"], unknown("bogus")),
        (&[b"-scenario=bogus"], unknown("bogus")),
        (&[b"--scenario", b"bogus"], unknown("bogus")),
        (&[b"-scenario", b"bogus"], unknown("bogus")),
        (&[b"--scenario==aio-setup"], unknown("=aio-setup")),
        (&[b"--scenario", b"--list"], unknown("--list")),
    ]);
}

#[test]
fn an_unknown_option_is_misuse() {
    let unknown = unknown_option;
    misuse(&[
        (&[b"-"], unknown("-")),
        (&[b"--"], unknown("--")),
        (&[b"--", b"aio-setup"], unknown("--")),
        (&[b"-x"], unknown("-x")),
        (&[b"-x", b"more"], unknown("-x")),
        (&[b"--lst"], unknown("--lst")),
        (&[b"--list="], unknown("--list=")),
        (&[b"--list=x"], unknown("--list=x")),
        (&[b"-list"], unknown("-list")),
        (&[b"-help"], unknown("-help")),
        (&[b"--HELP"], unknown("--HELP")),
        (
            &[b"--scenarios=aio-setup"],
            unknown("--scenarios=aio-setup"),
        ),
    ]);
}

#[test]
fn too_many_arguments_are_misuse() {
    misuse(&[
        (&[b"--help", b"--list"], too_many("--list")),
        (&[b"--list", b""], too_many("")),
        (&[b"--version", b"2"], too_many("2")),
        (&[b"aio-setup", b"aio-submit"], too_many("aio-submit")),
        (&[b"aio-setup", b"--help", b"x"], too_many("--help")),
        (&[b"--scenario=aio-setup", b"x"], too_many("x")),
        (&[b"-scenario", b"aio-setup", b"x"], too_many("x")),
    ]);
}

#[test]
fn what_no_terminal_prints_is_escaped() {
    let strange = b"\x01\t\n\x1b[2J\x1f ~\x7f";
    let shown = r"\x01\x09\x0a\x1b[2J\x1f ~\x7f";
    misuse(&[
        (&[strange], unknown_scenario(shown)),
        (&[b"--scenario", strange], unknown_scenario(shown)),
        (&[b"--list", strange], too_many(shown)),
        (&[b"\xff\xfe"], unknown_scenario(r"\xff\xfe")),
        (&[b"--\xc3\xa4"], unknown_option(r"--\xc3\xa4")),
        (&[b"--list", b"\x80"], too_many(r"\x80")),
    ]);
}

#[test]
fn what_is_long_is_cut() {
    let long = vec![b'x'; 100_000];
    let option = [b"--".as_slice(), &long].concat();
    let name = [b"-scenario=".as_slice(), &long].concat();
    let whole = "x".repeat(80);
    let cut = format!("{whole}...");
    misuse(&[
        (&[&long[..80]], unknown_scenario(&whole)),
        (&[&long[..81]], unknown_scenario(&cut)),
        (&[&long], unknown_scenario(&cut)),
        (&[&name], unknown_scenario(&cut)),
        (&[&option], unknown_option(&format!("--{}...", &whole[2..]))),
        (&[b"--list", &long], too_many(&cut)),
        (
            &[&[b'\xff'; 81]],
            unknown_scenario(&(r"\xff".repeat(80) + "...")),
        ),
    ]);
}

#[test]
fn a_name_runs_the_scenario_in_silence() {
    for name in scenarios() {
        says("ioworkload", &[name.as_bytes()], 0, "", "");
    }
}

#[test]
fn every_spelling_of_scenario_says_the_pid() {
    for name in scenarios() {
        for spelling in SPELLINGS {
            let (last, others) = spelling.split_last().expect("a spelling");
            attached(&[others, &[&format!("{last}{name}")]].concat());
        }
    }
}

fn attached(args: &[&str]) {
    let room = Room::new();
    let mut command = program("ioworkload", &room);
    command.args(args).stdin(process::Stdio::null());
    command.stdout(process::Stdio::piped());
    command.stderr(process::Stdio::piped());
    let child = command.spawn().expect("ioworkload starts");
    let pid = format!("{}\n", child.id());
    let output = child.wait_with_output().expect("ioworkload ends");
    let said = (output.status.code(), output.stdout, output.stderr);
    assert_eq!(said, (Some(0), pid.into_bytes(), vec![]), "{args:?}");
    assert!(room.names().is_empty(), "{args:?} left {:?}", room.names());
}

#[test]
fn fixtures_ignore_their_arguments() {
    let long = vec![b'x'; 100_000];
    let rows: &[&[&[u8]]] = &[
        &[],
        &[b""],
        &[b"--help"],
        &[b"--scenario=bogus", b"-x", b"\xff"],
        &[b"splash", b"BOOT_IMAGE=/vmlinuz"],
        &[&long],
    ];
    for name in scenarios() {
        for args in rows {
            says(&name, args, 0, "", "");
        }
    }
}

type Break = fn(&mut process::Command);

/// Ways to have nowhere to write to.
const BROKEN: [(&str, Break); 7] = [
    ("all closed", |command| close(command, &[0, 1, 2])),
    ("stdin closed", |command| close(command, &[0])),
    ("stdout closed", |command| close(command, &[1])),
    ("stderr closed", |command| close(command, &[2])),
    ("a pipe without a reader", without_a_reader),
    ("a full device", full),
    ("read-only", |command| {
        let open = || File::open("/dev/null").expect("/dev/null");
        command.stdout(open()).stderr(open());
    }),
];

fn close(command: &mut process::Command, fds: &'static [i32]) {
    let close = move || {
        for fd in fds {
            // SAFETY: the child's descriptors 0 to 2 belong to nobody between fork and exec.
            unsafe { libc::close(*fd) };
        }
        Ok(())
    };
    // SAFETY: `close` only makes system calls.
    unsafe { command.pre_exec(close) };
}

/// The standard library resets SIGPIPE to its deadly default in what it starts.
fn without_a_reader(command: &mut process::Command) {
    let (reader, writer) = io::pipe().expect("a pipe");
    drop(reader);
    command.stdout(writer.try_clone().expect("a descriptor"));
    command.stderr(writer);
}

fn full(command: &mut process::Command) {
    let full = OpenOptions::new().write(true).open("/dev/full");
    let full = full.expect("/dev/full");
    command.stdout(full.try_clone().expect("a descriptor"));
    command.stderr(full);
}

#[test]
fn nowhere_to_write_changes_no_exit_code() {
    let rows: &[(&str, i32)] = &[
        ("--help", 0),
        ("--list", 0),
        ("--version", 0),
        ("", 2),
        ("bogus", 2),
        ("--bogus", 2),
        ("--scenario=bogus", 2),
    ];
    for (ground, breaks) in BROKEN {
        for (arg, code) in rows {
            let room = Room::new();
            let mut command = program("ioworkload", &room);
            breaks(mute(command.arg(arg)));
            let status = command.status().expect("ioworkload starts");
            assert_eq!(status.code(), Some(*code), "{arg:?}, {ground}: {status}");
        }
    }
}

/// That a left-over target is gone shows that the scenario was run. With closed descriptors the
/// target file itself is descriptor 0, 1 or 2.
#[test]
fn nowhere_to_write_stops_no_scenario() {
    for name in scenarios() {
        let attach = format!("--scenario={name}");
        for (ground, breaks) in BROKEN {
            runs(&name, &name, &[], ground, breaks);
            runs(&name, "ioworkload", &[&name], ground, breaks);
            runs(&name, "ioworkload", &[&attach], ground, breaks);
        }
    }
}

fn runs(name: &str, file: &str, args: &[&str], ground: &str, breaks: Break) {
    let title = format!("{file} {args:?} of {name}, {ground}");
    let room = Room::new();
    let expected = load(name).expect("an expected trace");
    if expected.each().iter().any(|call| call.name == "unlinkat") {
        let left_over = room.path().join(format!("ioworkload-{name}"));
        fs::write(left_over, "of a killed run").expect("a room can be written");
    }
    let mut command = program(file, &room);
    breaks(mute(command.args(args)));
    let status = command.status().expect("it starts");
    assert_eq!(status.code(), Some(0), "{title}: {status}");
    assert!(room.names().is_empty(), "{title} left {:?}", room.names());
}

/// What a ground doesn't touch goes nowhere.
fn mute(command: &mut process::Command) -> &mut process::Command {
    let null = process::Stdio::null;
    command.stdin(null()).stdout(null()).stderr(null())
}

/// What `parse` makes of one argument, in a word.
fn asked(arg: &[u8]) -> String {
    let arg = CString::new(arg).expect("no NUL");
    match parse([arg.as_c_str()].into_iter()) {
        Ok((cli::Command::Help, _)) => "help".into(),
        Ok((cli::Command::List, _)) => "list".into(),
        Ok((cli::Command::Version, _)) => "version".into(),
        Ok((cli::Command::Run(scenario), _)) => format!("run {}", scenario.name),
        Ok((cli::Command::Attach(scenario), _)) => format!("attach {}", scenario.name),
        Ok((cli::Command::Expect(scenario), _)) => format!("expect {}", scenario.name),
        Err(Misuse::NoScenario) => "no scenario".into(),
        Err(Misuse::UnknownScenario(_)) => "unknown scenario".into(),
        Err(Misuse::UnknownOption(_)) => "unknown option".into(),
        Err(_) => "another misuse".into(),
    }
}

/// Every word that is asked for by one argument.
fn words() -> Vec<(String, String)> {
    let mut words: Vec<_> = [("--help", "help"), ("-h", "help"), ("--list", "list")]
        .map(|(word, meaning)| (word.to_owned(), meaning.to_owned()))
        .into();
    words.push(("--version".into(), "version".into()));
    for name in scenarios() {
        words.push((format!("--scenario={name}"), format!("attach {name}")));
        words.push((format!("-scenario={name}"), format!("attach {name}")));
        words.push((format!("--expect={name}"), format!("expect {name}")));
        words.push((name.clone(), format!("run {name}")));
    }
    words
}

#[test]
fn words_are_taken() {
    for (word, meaning) in words() {
        assert_eq!(asked(word.as_bytes()), meaning, "{word}");
    }
}

/// A word with a byte changed, or cut short, or with a byte more, is no word, unless it is another.
#[test]
fn what_is_nearly_a_word_is_not() {
    let words = words();
    let meant = |arg: &[u8]| words.iter().find(|(word, _)| word.as_bytes() == arg);
    for (word, _) in &words {
        for near in neighbours(word.as_bytes()) {
            let got = asked(&near);
            let right = match meant(&near) {
                Some((_, meaning)) => got == *meaning,
                None => {
                    ["no scenario", "unknown scenario", "unknown option"].contains(&got.as_str())
                }
            };
            assert!(right, "{:?}: {got}", String::from_utf8_lossy(&near));
        }
    }
}

/// Without NULs, which no argument can have.
fn neighbours(word: &[u8]) -> Vec<Vec<u8>> {
    let mut neighbours: Vec<_> = (0..word.len()).map(|end| word[..end].to_vec()).collect();
    for byte in 1..=u8::MAX {
        neighbours.push([word, &[byte]].concat());
        for at in (0..word.len()).filter(|at| word[*at] != byte) {
            let mut near = word.to_vec();
            near[at] = byte;
            neighbours.push(near);
        }
    }
    neighbours
}
