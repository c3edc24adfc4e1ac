//! Does `--scenario=NAME` wait as the environment says, and only then make its calls?

use ioworkload_tests::gated::{DELAY, End, Env, HOLD, Place, Run, STARTUP, ioworkload, one_blank};
use nix::sys::signal::Signal;
use std::fs;
use std::thread;
use std::time::Duration;

const BLOCK: &str = "rt_sigprocmask(SIG_BLOCK, [PIPE], NULL, 8) = 0";
const AIO_SETUP: &str = "io_setup(32, [&]) = 0\nio_destroy(&) = 0";
const EXIT_0: &str = "exit_group(0) = ?\n+++ exited with 0 +++";

fn lines(texts: &[&str]) -> Vec<String> {
    texts
        .iter()
        .flat_map(|text| text.split('\n').map(str::to_owned))
        .collect()
}

/// The calls of a traced run in order, folded, and how often each wait for a file has looked and
/// slept.
fn calls(run: &Run) -> (Vec<String>, Vec<usize>) {
    let text = run.place.trace();
    let number = format!("{} ", run.pid);
    let calls = text
        .lines()
        .map(|line| plain(line.strip_prefix(&number).expect("one thread")));
    let calls: Vec<_> = calls.collect();
    assert!(calls[0].starts_with("execve("), "{}", calls[0]);
    folded(&calls[1..])
}

/// The calls of the PID line.
fn pid_line(run: &Run) -> Vec<String> {
    let (pid, len) = (run.pid, run.pid.to_string().len() + 1);
    let mut lines = lines(&["", BLOCK, ""]);
    lines[0] = format!("getpid() = {pid}");
    lines[2] = format!(r#"write(1, "{pid}\n", {len}) = {len}"#);
    lines
}

/// A line with one blank where strace has several, and `&` where it has an address.
fn plain(line: &str) -> String {
    let words = one_blank(line);
    let pieces = words.split_inclusive(|end: char| !end.is_ascii_alphanumeric());
    let piece = |piece: &str| match piece.strip_prefix("0x7") {
        Some(rest) => format!(
            "&{}",
            rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric())
        ),
        None => piece.to_owned(),
    };
    pieces.map(piece).collect()
}

/// Each look for a file that is followed by a sleep, however often repeated, in one line.
fn folded(calls: &[String]) -> (Vec<String>, Vec<usize>) {
    let (mut lines, mut counts, mut at) = (Vec::new(), Vec::new(), 0);
    while at < calls.len() {
        let pair = &calls[at..calls.len().min(at + 2)];
        if pair[0].starts_with("faccessat(") && pair.last().is_some_and(|s| s.starts_with("nano")) {
            let count = calls[at..]
                .chunks(2)
                .take_while(|next| *next == pair)
                .count();
            lines.push(pair.join(", "));
            counts.push(count);
            at += 2 * count;
        } else {
            lines.push(pair[0].clone());
            at += 1;
        }
    }
    (lines, counts)
}

fn looks(gate: &str) -> String {
    format!(r#"faccessat(AT_FDCWD, "{gate}", F_OK) = -1 ENOENT (No such file or directory)"#)
}

fn sleeps(gate: &str) -> String {
    format!(
        "{}, nanosleep({{tv_sec=0, tv_nsec=10000000}}, &) = 0",
        looks(gate)
    )
}

fn finds(gate: &str) -> String {
    format!(r#"faccessat(AT_FDCWD, "{gate}", F_OK) = 0"#)
}

/// Runs to the end, which must be a good one, and measures how long that takes.
fn takes(env: Env) -> Duration {
    let mut run = Place::new().start("aio-setup-einval", env);
    assert_eq!(run.end(), End::well(), "{env:?}");
    run.started.elapsed()
}

#[test]
fn eight_seconds_unless_told_otherwise() {
    let rows: &[Env] = &[
        &[],
        &[(STARTUP, ""), (DELAY, ""), (HOLD, "")],
        &[
            ("IOR_WORKLOAD_STARTUP_DELAY_MS_", "0"),
            ("IOR_WORKLOAD_STARTUP_DELAY", "0"),
        ],
    ];
    thread::scope(|scope| {
        for env in rows {
            scope.spawn(move || {
                let time = takes(env).as_millis();
                assert!((8_000..30_000).contains(&time), "{env:?}: {time} ms");
            });
        }
    });
}

#[test]
fn a_delay_lasts_as_long_as_told() {
    let rows: &[(Env, u128)] = &[
        (&[(DELAY, "0")], 0),
        (&[(DELAY, "1")], 1),
        (&[(DELAY, "300")], 300),
        (&[(DELAY, "1100")], 1_100),
        (&[(DELAY, "0000000000000300")], 300),
        (&[(DELAY, "300"), (STARTUP, ""), (HOLD, "")], 300),
    ];
    for (env, ms) in rows {
        let time = takes(env).as_millis();
        assert!((*ms..*ms + 5_000).contains(&time), "{env:?}: {time} ms");
    }
}

#[test]
fn the_longest_delay_is_slept_at_once() {
    let run = Place::new().traced("aio-setup", &[(DELAY, "4294967295")], &[]);
    run.seen("nanosleep({tv_sec=4294967, tv_nsec=295000000},");
}

#[test]
fn a_bad_delay_is_misuse() {
    let rows: &[(Env, &str)] = &[
        (&[(DELAY, "abc")], "abc"),
        (&[(DELAY, "-1")], "-1"),
        (&[(DELAY, "+1")], "+1"),
        (&[(DELAY, "1.5")], "1.5"),
        (&[(DELAY, " 5")], " 5"),
        (&[(DELAY, "5 ")], "5 "),
        (&[(DELAY, "5\n")], r"5\x0a"),
        (&[(DELAY, "0x5")], "0x5"),
        (&[(DELAY, "5ms")], "5ms"),
        (&[(DELAY, "1_000")], "1_000"),
        (&[(DELAY, "/")], "/"),
        (&[(DELAY, ":")], ":"),
        (&[(DELAY, "٣")], r"\xd9\xa3"),
        (&[(DELAY, "4294967296")], "4294967296"),
        (&[(DELAY, "4294967300")], "4294967300"),
        (&[(DELAY, "42949672950")], "42949672950"),
        (&[(DELAY, "99999999999999999999")], "99999999999999999999"),
        (&[(DELAY, "abc"), (STARTUP, "")], "abc"),
    ];
    for (env, shown) in rows {
        let place = Place::new();
        let mut command = place.command(&ioworkload(), env);
        let output = command
            .arg("--scenario=aio-submit")
            .output()
            .expect("it starts");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let said = (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        );
        let line = format!("{DELAY}: no number of milliseconds up to 4294967295: {shown}\n");
        assert_eq!(said, (Some(2), String::new(), line));
    }
}

/// At once: nobody waits for what can't come.
#[test]
fn a_path_that_no_file_can_have_is_misuse() {
    for variable in [STARTUP, HOLD] {
        let place = Place::new();
        let path = "x".repeat(4096);
        let mut command = place.command(&ioworkload(), &[(DELAY, "0")]);
        command.arg("--scenario=aio-setup").env(variable, &path);
        let output = command.output().expect("it starts");
        let said = String::from_utf8(output.stderr).expect("text");
        let cut = &path[..80];
        let line = format!("{variable}: a path of more than 4095 bytes: {cut}...\n");
        assert_eq!((output.status.code(), said), (Some(2), line));
    }
}

/// From execve to exit: the PID line, the sleep, the scenario's calls.
#[test]
fn a_delay_is_one_call() {
    let mut run = Place::new().traced("aio-setup", &[(DELAY, "1")], &[]);
    assert_eq!(run.end(), End::well());
    let sleep = "nanosleep({tv_sec=0, tv_nsec=1000000}, &) = 0";
    let wanted = [pid_line(&run), lines(&[sleep, AIO_SETUP, EXIT_0])].concat();
    assert_eq!(calls(&run), (wanted, vec![]));
}

/// From execve to exit: nothing of the scenario before the one file, nothing but it in between, and
/// nothing of the exit before the other file.
#[test]
fn the_scenario_stands_between_the_files() {
    let mut run = Place::new().traced("aio-setup", &[(STARTUP, "go"), (HOLD, "leave")], &[]);
    run.seen(&looks("go"));
    run.place.open("go");
    run.seen(&looks("leave"));
    run.place.open("leave");
    assert_eq!(run.end(), End::well());
    let wait = lines(&[&sleeps("go"), &finds("go")]);
    let hold = lines(&[AIO_SETUP, &sleeps("leave"), &finds("leave"), EXIT_0]);
    assert_eq!(calls(&run).0, [pid_line(&run), wait, hold].concat());
}

#[test]
fn files_that_are_there_cost_no_sleep() {
    let place = Place::new();
    place.open("go");
    place.open("leave");
    let env = &[(STARTUP, "go"), (HOLD, "leave"), (DELAY, "20000")];
    let mut run = place.traced("aio-setup", env, &[]);
    assert_eq!(run.end(), End::well());
    let gates = lines(&[&finds("go"), AIO_SETUP, &finds("leave"), EXIT_0]);
    assert_eq!(calls(&run), ([pid_line(&run), gates].concat(), vec![]));
}

#[test]
fn a_wait_is_one_thread_called_ioworkload() {
    let rows: &[Env] = &[&[(DELAY, "4294967295")], &[(STARTUP, "go")]];
    for env in rows {
        let run = Place::new().start("aio-submit", env);
        assert_eq!(run.asleep().proc("comm"), "ioworkload\n");
        let tasks = fs::read_dir(format!("/proc/{}/task", run.pid)).expect("it is alive");
        let tasks: Vec<_> = tasks
            .map(|task| task.expect("a task").file_name())
            .collect();
        assert_eq!(tasks, [run.pid.to_string().as_str()], "{env:?}");
    }
}

#[test]
fn a_startup_file_starts_the_scenario() {
    let place = Place::new();
    place.leave("aio-submit");
    let mut run = place.start("aio-submit", &[(STARTUP, "go"), (DELAY, "0")]);
    run.asleep();
    assert_eq!(
        run.place.tmp.names(),
        ["ioworkload-aio-submit"],
        "run too soon"
    );
    run.place.open("go");
    assert_eq!(run.end(), End::well());
}

#[test]
fn a_startup_file_that_never_comes() {
    let place = Place::new();
    place.leave("aio-submit");
    let mut run = place.start("aio-submit", &[(STARTUP, "never"), (HOLD, "never")]);
    let mut wanted = End::with(
        1,
        "scenario aio-submit failed: no such file after 30 s: never\n",
    );
    wanted.left = vec!["ioworkload-aio-submit".into()];
    assert_eq!(run.end(), wanted);
    let time = run.started.elapsed().as_secs();
    assert!((30..60).contains(&time), "{time} s");
}

/// Sleeps that strace answers at once: 30 s are 3,000 of them.
#[test]
fn a_startup_file_is_looked_for_every_10_ms() {
    let options = ["-e", "inject=nanosleep:retval=0"];
    let mut run = Place::new().traced("aio-setup", &[(STARTUP, "never")], &options);
    let line = "scenario aio-setup failed: no such file after 30 s: never";
    assert_eq!(run.end(), End::with(1, &format!("{line}\n")));
    let write = format!(r#"write(2, "{line}\n", {0}) = {0}"#, line.len() + 1);
    let sleep = sleeps("never") + " (INJECTED)";
    let exit = "exit_group(1) = ?\n+++ exited with 1 +++";
    let rest = lines(&[&sleep, &looks("never"), BLOCK, &write, exit]);
    assert_eq!(calls(&run), ([pid_line(&run), rest].concat(), vec![3_000]));
}

/// Likewise 120 s; nobody's release is no failure.
#[test]
fn a_hold_file_is_looked_for_every_10_ms() {
    let place = Place::new();
    place.open("go");
    let options = ["-e", "inject=nanosleep:retval=0"];
    let mut run = place.traced("aio-setup", &[(STARTUP, "go"), (HOLD, "never")], &options);
    assert_eq!(run.end(), End::well());
    let sleep = sleeps("never") + " (INJECTED)";
    let rest = lines(&[&finds("go"), AIO_SETUP, &sleep, &looks("never"), EXIT_0]);
    assert_eq!(calls(&run), ([pid_line(&run), rest].concat(), vec![12_000]));
}

#[test]
fn a_hold_file_ends_the_process() {
    let place = Place::new();
    place.leave("aio-submit");
    place.open("go");
    let mut run = place.start("aio-submit", &[(STARTUP, "go"), (HOLD, "leave")]);
    // Nothing sleeps before the scenario.
    assert!(run.asleep().place.tmp.names().is_empty(), "not run");
    assert_eq!(run.child.try_wait().expect("a child"), None);
    run.place.open("leave");
    assert_eq!(run.end(), End::well());
}

#[test]
fn a_failed_scenario_is_not_held() {
    let place = Place::new();
    let target = place.tmp.path().join("ioworkload-aio-submit");
    fs::create_dir(target).expect("a room can be written");
    let mut run = place.start("aio-submit", &[(DELAY, "0"), (HOLD, "never")]);
    let failure = "unlinkat: EISDIR (errno 21): /tmp/ioworkload-aio-submit";
    let mut wanted = End::with(1, &format!("scenario aio-submit failed: {failure}\n"));
    wanted.left = vec!["ioworkload-aio-submit".into()];
    assert_eq!(run.end(), wanted);
    let time = run.started.elapsed().as_secs();
    assert!(time < 30, "{time} s");
}

#[test]
fn an_interrupted_sleep_is_resumed() {
    let options = ["-e", "inject=nanosleep:error=EINTR:when=1..2"];
    let mut run = Place::new().traced("aio-setup", &[(DELAY, "1")], &options);
    assert_eq!(run.end(), End::well());
    let sleep = "nanosleep({tv_sec=0, tv_nsec=1000000}, &) = ";
    let again = format!("{sleep}-1 EINTR (Interrupted system call) (INJECTED)");
    let done = format!("{sleep}0");
    let rest = lines(&[&again, &again, &done, AIO_SETUP, EXIT_0]);
    assert_eq!(calls(&run), ([pid_line(&run), rest].concat(), vec![]));
}

#[test]
fn a_stop_does_not_shorten_a_delay() {
    let mut run = Place::new().start("aio-setup-einval", &[(DELAY, "1000")]);
    run.asleep().stop_and_go(3);
    assert_eq!(run.end(), End::well());
    let time = run.started.elapsed().as_millis();
    assert!((1_000..6_000).contains(&time), "{time} ms");
}

#[test]
fn sigterm_ends_every_wait() {
    let rows: &[Env] = &[
        &[(DELAY, "60000")],
        &[(STARTUP, "never")],
        &[(STARTUP, "go"), (HOLD, "never")],
    ];
    for env in rows {
        let place = Place::new();
        place.open("go");
        let mut run = place.start("aio-submit", env);
        run.asleep().signal(Signal::SIGTERM);
        assert_eq!(run.end(), End::killed(Signal::SIGTERM), "{env:?}");
    }
}
