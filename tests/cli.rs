//! Does the command line of ioworkload answer every use, right or wrong, to the byte?

use assert_cmd::Command;
use ioworkload::cli::HELP;
use ioworkload_check::expected::{FORMAT, load};
use ioworkload_tests::gated::until;
use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use nix::fcntl::FcntlArg::{F_SETFL, F_SETPIPE_SZ};
use nix::fcntl::{OFlag, fcntl};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process;
use std::str;
use std::thread;
use std::time::Instant;

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

fn long_list() -> String {
    let line = |name: &String| {
        let trace = load(name).expect("an expected trace");
        format!("{name}: {}\n", trace.about)
    };
    scenarios().iter().map(line).collect()
}

#[test]
fn questions() {
    let version = format!(
        "ioworkload {}, expected traces in format {FORMAT}\n",
        env!("CARGO_PKG_VERSION")
    );
    let rows: [(&[&[u8]], String); 5] = [
        (&[b"--help"], format!("{HELP}\n")),
        (&[b"-h"], format!("{HELP}\n")),
        (&[b"--list"], list()),
        (&[b"--list", b"--long"], long_list()),
        (&[b"--version"], version),
    ];
    for (args, stdout) in rows {
        says("ioworkload", args, 0, &stdout, "");
    }
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
        &[b"--expect="],
        &[b"--expect"],
        &[b"--expect", b""],
        &[b"--repeat=3"],
        &[b"--hold=stdin", b"--linger=stdin"],
        &[b"--repeat=3", b"--scenario"],
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
        (&[b"--scenario", b"--repeat=3"], unknown("--repeat=3")),
        (&[b"--expect=bogus"], unknown("bogus")),
        (&[b"--expect", b"bogus"], unknown("bogus")),
        (&[b"--expect", b"--hold=stdin"], unknown("--hold=stdin")),
        (&[b"--hold=stdin", b"bogus"], unknown("bogus")),
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
        (&[b"--long"], unknown("--long")),
        (&[b"--long", b"--list"], unknown("--long")),
        (&[b"--list="], unknown("--list=")),
        (&[b"--list=x"], unknown("--list=x")),
        (&[b"-list"], unknown("-list")),
        (&[b"-help"], unknown("-help")),
        (&[b"--HELP"], unknown("--HELP")),
        (
            &[b"--scenarios=aio-setup"],
            unknown("--scenarios=aio-setup"),
        ),
        (&[b"-expect=aio-setup"], unknown("-expect=aio-setup")),
        (&[b"-hold", b"stdin"], unknown("-hold")),
        (&[b"aio-setup", b"-hold=stdin"], too_many("-hold=stdin")),
        (&[b"-repeat=3", b"aio-setup"], unknown("-repeat=3")),
        (&[b"--repeats=3", b"aio-setup"], unknown("--repeats=3")),
    ]);
}

#[test]
fn an_option_without_its_value_is_misuse() {
    let forms = [
        "--hold=MODE",
        "--linger=MODE",
        "--deadline=MS",
        "--repeat=N",
        "--interval=US",
    ];
    for form in forms {
        let (name, _) = form.split_once('=').expect("a value");
        let (name, said) = (name.as_bytes(), format!("no value: write {form}\n"));
        misuse(&[
            (&[name], said.clone()),
            (&[name, b"stdin", b"aio-setup"], said.clone()),
            (&[b"aio-setup", name, b"stdin"], said.clone()),
            (&[b"--scenario=aio-setup", name, b"1"], said),
        ]);
    }
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
        (&[b"aio-setup", b"--expect=x"], too_many("--expect=x")),
        (&[b"--expect=aio-setup", b"x"], too_many("x")),
        (&[b"--expect", b"aio-setup", b"x"], too_many("x")),
        (&[b"--list", b"--repeat=3"], too_many("--repeat=3")),
        (&[b"--list", b"--json"], too_many("--json")),
        (&[b"--list", b"--long", b"--long"], too_many("--long")),
        (&[b"--help", b"--long"], too_many("--long")),
        (
            &[b"--deadline=5", b"--repeat=3", b"--help"],
            too_many("--deadline=5"),
        ),
    ]);
}

#[test]
fn an_option_twice_is_misuse() {
    let options: [&[u8]; 5] = [
        b"--hold=none",
        b"--linger=stdin",
        b"--deadline=5",
        b"--repeat=2",
        b"--interval=0",
    ];
    for option in options {
        let said = too_many(str::from_utf8(option).expect("ASCII"));
        misuse(&[
            (&[option, option, b"aio-setup"], said.clone()),
            (&[option, b"aio-setup", option], said.clone()),
            (&[b"--expect=aio-setup", option, option], said),
        ]);
    }
    misuse(&[(
        &[b"aio-setup", b"--hold=none", b"--hold=stdin"],
        too_many("--hold=stdin"),
    )]);
}

#[test]
fn a_bad_value_is_misuse() {
    let numbers = [
        "",
        "-1",
        "+1",
        "abc",
        "1x",
        " 1",
        "1 ",
        "0x1",
        "1.5",
        "4294967296",
    ];
    let long = ["99999999999999999999", "18446744073709551617"];
    let (no_number, most) = ("no number of", " up to 4294967295");
    for number in numbers.iter().chain(&long) {
        bad("repeat", "no number from 1 to 4294967295", number);
        bad(
            "interval",
            &format!("{no_number} microseconds{most}"),
            number,
        );
        let no_ms = format!("{no_number} milliseconds{most}");
        bad("deadline", &no_ms, number);
        bad("hold", &no_ms, &format!("sleep:{number}"));
        bad("linger", "no descriptor", &format!("fd:{number}"));
    }
    bad("repeat", "no number from 1 to 4294967295", "0");
    bad("repeat", "no number from 1 to 4294967295", "00");
    for mode in [
        "", "bogus", "None", "none:", "stdin:0", "stdin ", "fd", "sleep", "file", ":",
    ] {
        bad("hold", "unknown mode", mode);
        bad("linger", "unknown mode", mode);
    }
    bad("hold", "unknown mode", "SLEEP:1");
    bad("hold", "unknown mode", "pipe:x");
    bad("hold", "no path", "file:");
    bad("linger", "no path", "file:");
}

/// Whether this value of this option is misuse, in a run and in an expectation.
fn bad(option: &str, why: &str, value: &str) {
    let said = format!("--{option}: {why}: {value}\n");
    let arg = format!("--{option}={value}");
    for name in ["aio-setup", "--scenario=aio-setup", "--expect=aio-setup"] {
        says(
            "ioworkload",
            &[name.as_bytes(), arg.as_bytes()],
            2,
            "",
            &said,
        );
    }
}

#[test]
fn the_longest_path_is_4095_bytes() {
    let path = "./".repeat(2047) + "x";
    let option = format!("--hold=file:{path}");
    let late = format!("aio-setup: no such file after 0 s: {}...\n", &path[..80]);
    let room = Room::new();
    let mut command = Command::from_std(program("ioworkload", &room));
    let said = command
        .args(["aio-setup", &option, "--deadline=0"])
        .assert();
    said.code(1).stderr(late);
    let option = format!("--hold=file:.{path}");
    let shown = format!("file:.{}...", &path[..74]);
    let why = "--hold: a path of more than 4095 bytes: ";
    misuse(&[(
        &[b"aio-setup", option.as_bytes()],
        format!("{why}{shown}\n"),
    )]);
}

#[test]
fn a_closed_descriptor_is_misuse() {
    let closed = |option: &str, fd: &str| format!("--{option}: not open: fd {fd}\n");
    misuse(&[
        (&[b"--hold=fd:99", b"aio-submit"], closed("hold", "99")),
        (&[b"--linger=fd:99", b"aio-submit"], closed("linger", "99")),
        (
            &[b"--linger=fd:98", b"--hold=fd:99", b"aio-submit"],
            closed("hold", "99"),
        ),
        (
            &[b"--scenario=aio-submit", b"--hold=fd:4294967295"],
            closed("hold", "4294967295"),
        ),
    ]);
    let room = Room::new();
    let mut command = program("ioworkload", &room);
    close(command.args(["aio-submit", "--hold=stdin"]), &[0]);
    let said = Command::from_std(command).assert();
    said.code(2).stdout("").stderr(closed("hold", "0"));
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

/// Ways to have nowhere to write to, and the error of a write to stdout, if there is one.
const BROKEN: [(&str, Break, Option<&str>); 7] = [
    ("all closed", |command| close(command, &[0, 1, 2]), EBADF),
    ("stdin closed", |command| close(command, &[0]), None),
    ("stdout closed", |command| close(command, &[1]), EBADF),
    ("stderr closed", |command| close(command, &[2]), None),
    (
        "a pipe without a reader",
        without_a_reader,
        Some("EPIPE (errno 32)"),
    ),
    ("a full device", full, Some("ENOSPC (errno 28)")),
    ("read-only", read_only, EBADF),
];

const EBADF: Option<&str> = Some("EBADF (errno 9)");

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
    both(command, writer.into());
}

fn full(command: &mut process::Command) {
    let full = OpenOptions::new().write(true).open("/dev/full");
    both(command, full.expect("/dev/full").into());
}

fn read_only(command: &mut process::Command) {
    both(command, File::open("/dev/null").expect("/dev/null").into());
}

fn both(command: &mut process::Command, fd: OwnedFd) {
    command
        .stdout(fd.try_clone().expect("a descriptor"))
        .stderr(fd);
}

/// What is asked for, and how a line starts that says it can't be written.
const ASKED: [(&[&str], &str); 8] = [
    (&["--help"], "ioworkload: write"),
    (&["--version"], "ioworkload: write"),
    (&["--list"], "ioworkload: write"),
    (&["--list", "--long"], "ioworkload: write"),
    (&["--expect=aio-submit"], "ioworkload: write"),
    (
        &["aio-submit", "--hold=sleep:0"],
        "aio-submit: PID line: write",
    ),
    (
        &["aio-submit", "--linger=sleep:0"],
        "aio-submit: PID line: write",
    ),
    (
        &["--scenario=aio-submit"],
        "scenario aio-submit failed: PID line: write",
    ),
];

/// A command in whose /tmp a killed run has left the target: a scenario that runs removes it.
fn asked(args: &[&str], room: &Room) -> process::Command {
    fs::write(room.path().join(TARGET), "").expect("a room can be written");
    let mut command = program("ioworkload", room);
    mute(command.args(args));
    command
}

const TARGET: &str = "ioworkload-aio-submit";

#[test]
fn output_that_can_not_be_written_is_a_failure() {
    for (ground, breaks, errno) in BROKEN {
        for (args, front) in ASKED {
            let room = Room::new();
            let mut command = asked(args, &room);
            breaks(&mut command);
            let stderr = ["all closed", "stderr closed"].contains(&ground);
            if !stderr {
                command.stderr(process::Stdio::piped());
            }
            let output = command.output().expect("ioworkload starts");
            let line = errno.map(|errno| format!("{front}: {errno}\n"));
            let line = line.filter(|_| !stderr).unwrap_or_default();
            let said = String::from_utf8(output.stderr).expect("text");
            let wanted = (Some(i32::from(errno.is_some())), line);
            assert_eq!((output.status.code(), said), wanted, "{args:?}, {ground}");
            let ran = errno.is_none() && front.contains("PID");
            assert_eq!(room.names().is_empty(), ran, "{args:?}, {ground}");
        }
    }
}

/// A pipe that doesn't block and is full, and its reader.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = io::pipe().expect("a pipe");
    fcntl(&writer, F_SETFL(OFlag::O_NONBLOCK)).expect("a pipe");
    fcntl(&writer, F_SETPIPE_SZ(FILL.len() as i32)).expect("a pipe");
    writer.write_all(&FILL).expect("it is empty");
    (reader, writer)
}

const FILL: [u8; 4096] = [b'.'; 4096];

/// The reader is late; all of the text comes.
#[test]
fn room_is_waited_for() {
    for (args, front) in ASKED {
        let room = Room::new();
        let (mut reader, writer) = full_pipe();
        let mut command = asked(args, &room);
        let child = command
            .stdout(writer)
            .stderr(process::Stdio::piped())
            .spawn();
        let child = child.expect("ioworkload starts");
        // It has the only writing end.
        drop(command);
        let call = format!("/proc/{}/syscall", child.id());
        let waits = || fs::read_to_string(&call).is_ok_and(|text| text.starts_with("271 "));
        until("ppoll", waits);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("text");
        let wanted = if front.contains("PID") {
            format!("{}\n", child.id())
        } else {
            let output = process::Command::new(shipped("ioworkload"))
                .args(args)
                .output();
            String::from_utf8(output.expect("it starts").stdout).expect("text")
        };
        assert_eq!(text.split_off(FILL.len()), wanted, "{args:?}");
        let output = child.wait_with_output().expect("it ends");
        assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
    }
}

/// As long as the deadline says.
#[test]
fn room_that_does_not_come_is_a_failure() {
    for (args, front) in &ASKED[4..] {
        let room = Room::new();
        let (mut reader, writer) = full_pipe();
        let mut command = asked(args, &room);
        let start = Instant::now();
        command.arg("--deadline=300").stdout(writer);
        let output = command.stderr(process::Stdio::piped()).output();
        let output = output.expect("ioworkload starts");
        let said = String::from_utf8(output.stderr).expect("text");
        let line = format!("{front}: EAGAIN (errno 11)\n");
        assert_eq!((output.status.code(), said), (Some(1), line), "{args:?}");
        let time = start.elapsed().as_millis();
        assert!((300..5_000).contains(&time), "{time} ms");
        drop(command);
        let mut text = Vec::new();
        reader.read_to_end(&mut text).expect("a pipe");
        assert_eq!((text, room.names()), (FILL.into(), vec![TARGET.into()]));
    }
}

#[test]
fn misuse_is_misuse_with_nowhere_to_write() {
    for (ground, breaks, _) in BROKEN {
        for arg in ["", "bogus", "--bogus", "--scenario=bogus"] {
            let room = Room::new();
            let mut command = program("ioworkload", &room);
            breaks(mute(command.arg(arg)));
            let status = command.status().expect("ioworkload starts");
            assert_eq!(status.code(), Some(2), "{arg:?}, {ground}: {status}");
        }
    }
}

/// That a left-over target is gone shows that the scenario was run. With closed descriptors the
/// target file itself is descriptor 0, 1 or 2.
#[test]
fn nowhere_to_write_stops_no_scenario() {
    for name in scenarios() {
        let attach = &format!("--scenario={name}");
        let name = name.as_str();
        // Side by side: most of the time a run waits for the kernel to destroy its contexts.
        thread::scope(|scope| {
            for (ground, breaks, errno) in BROKEN {
                scope.spawn(move || {
                    runs(name, name, &[], ground, breaks);
                    runs(name, "ioworkload", &[name], ground, breaks);
                    if errno.is_none() {
                        runs(name, "ioworkload", &[attach], ground, breaks);
                    }
                });
            }
        });
    }
}

fn runs(name: &str, file: &str, args: &[&str], ground: &str, breaks: Break) {
    let title = format!("{file} {args:?} of {name}, {ground}");
    let room = Room::new();
    let expected = load(name).expect("an expected trace");
    if expected.has_target() {
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
