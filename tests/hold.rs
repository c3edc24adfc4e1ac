//! Do the gates that options ask for open when they should, and only then?

use ioworkload_tests::gated::{DELAY, End, Env, HOLD, PPOLL, Place, Run, STARTUP, ioworkload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, dup2_raw};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::mem::forget;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::thread;

const NANOSLEEP: u32 = 35;
const TARGET: &str = "ioworkload-aio-submit";

/// A run of aio-submit that has not begun: it would remove what a killed run has left.
fn waiting(args: &[&str], env: Env) -> Run {
    let place = Place::new();
    place.leave("aio-submit");
    place.held(&[&["aio-submit"], args].concat(), env)
}

fn begun(run: &Run) -> bool {
    run.place.tmp.names() != [TARGET]
}

/// The file it waits for appears.
fn open_go(run: &mut Run) {
    run.place.open("go");
}

#[test]
fn a_gate_opens_when_told() {
    type Row = (&'static str, u32, fn(&mut Run));
    let rows: [Row; 5] = [
        ("--hold=stdin", PPOLL, |run| run.feed(b"x")),
        ("--hold=stdin", PPOLL, Run::hang_up),
        ("--hold=fd:0", PPOLL, |run| run.feed(b"\0")),
        ("--hold=file:go", NANOSLEEP, open_go),
        ("--hold=file:./go", NANOSLEEP, open_go),
    ];
    for (option, call, open) in rows {
        let mut run = waiting(&[option], &[]);
        run.inside(call);
        assert!(!begun(&run), "{option}: too soon");
        open(&mut run);
        assert_eq!(run.end(), End::well(), "{option}");
    }
}

#[test]
fn a_gate_behind_the_scenario_opens_when_told() {
    type Row = (&'static str, u32, fn(&mut Run));
    let rows: [Row; 3] = [
        ("--linger=stdin", PPOLL, |run| run.feed(b"x")),
        ("--linger=fd:0", PPOLL, Run::hang_up),
        ("--linger=file:go", NANOSLEEP, open_go),
    ];
    for (option, call, open) in rows {
        let mut run = waiting(&[option], &[]);
        // Nothing waits before the scenario.
        assert!(begun(run.inside(call)), "{option}: not run");
        assert_eq!(run.child.try_wait().expect("a child"), None);
        open(&mut run);
        assert_eq!(run.end(), End::well(), "{option}");
    }
}

/// Each gate takes one byte and leaves the next to others.
#[test]
fn a_gate_reads_one_byte() {
    let place = Place::new();
    let (mut ours, mut theirs) = io::pipe().expect("a pipe");
    let mut command = place.command(&ioworkload(), &[]);
    command.args(["aio-setup", "--hold=stdin", "--linger=stdin"]);
    command.stdin(ours.try_clone().expect("a descriptor"));
    theirs.write_all(b"123").expect("a pipe has room");
    assert_eq!(Run::of(place, command).end(), End::well());
    drop(theirs);
    let mut rest = String::new();
    ours.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "3");
}

#[test]
fn any_descriptor_is_a_gate() {
    let place = Place::new();
    let mut command = place.command(&ioworkload(), &[]);
    command
        .args(["--hold=fd:7", "aio-setup"])
        .stdin(Stdio::piped());
    // SAFETY: between fork and exec the closure makes one system call; 7 is nobody's there.
    unsafe {
        command.pre_exec(|| {
            dup2_raw(io::stdin(), 7)
                .map(forget)
                .map_err(io::Error::from)
        })
    };
    let mut run = Run::of(place, command);
    run.inside(PPOLL);
    run.feed(b"x");
    assert_eq!(run.end(), End::well());
}

#[test]
fn a_sleep_lasts_as_long_as_told() {
    let rows: [(&[&str], u128); 4] = [
        (&["--hold=sleep:0"], 0),
        (&["--hold=sleep:300"], 300),
        (&["--linger=sleep:300", "--hold=sleep:1"], 301),
        (&["--hold=sleep:300", "--deadline=1"], 300),
    ];
    for (args, ms) in rows {
        let mut run = waiting(args, &[]);
        assert_eq!(run.end(), End::well(), "{args:?}");
        let time = run.started.elapsed().as_millis();
        assert!((ms..ms + 5_000).contains(&time), "{args:?}: {time} ms");
    }
}

#[test]
fn a_pause_stands_between_the_rounds() {
    let args = ["--hold=sleep:0", "--repeat=4", "--interval=100000"];
    let mut run = waiting(&args, &[]);
    assert_eq!(run.end(), End::well());
    let time = run.started.elapsed().as_millis();
    assert!((300..5_000).contains(&time), "{time} ms");
}

struct Shut {
    args: &'static [&'static str],
    env: Env,
    line: &'static str,
    ms: u128,
    begun: bool,
}

const SHUT: &[Shut] = &[
    Shut {
        args: &["aio-submit", "--hold=stdin", "--deadline=300"],
        env: &[],
        line: "aio-submit: nothing to read from fd 0 after 300 ms\n",
        ms: 300,
        begun: false,
    },
    Shut {
        args: &["--scenario=aio-submit", "--hold=fd:0", "--deadline=1000"],
        env: &[],
        line: "scenario aio-submit failed: nothing to read from fd 0 after 1 s\n",
        ms: 1000,
        begun: false,
    },
    Shut {
        args: &["--deadline=0", "--hold=stdin", "aio-submit"],
        env: &[],
        line: "aio-submit: nothing to read from fd 0 after 0 s\n",
        ms: 0,
        begun: false,
    },
    Shut {
        args: &["--deadline=300", "--hold=file:never", "aio-submit"],
        env: &[],
        line: "aio-submit: no such file after 300 ms: never\n",
        ms: 300,
        begun: false,
    },
    Shut {
        args: &["--deadline=0", "--hold=file:never", "aio-submit"],
        env: &[],
        line: "aio-submit: no such file after 0 s: never\n",
        ms: 0,
        begun: false,
    },
    Shut {
        args: &["aio-submit", "--hold=file:/dev/null/x", "--deadline=60"],
        env: &[],
        line: "aio-submit: no such file after 60 ms: /dev/null/x: ENOTDIR (errno 20)\n",
        ms: 60,
        begun: false,
    },
    Shut {
        args: &["aio-submit", "--linger=stdin", "--deadline=50"],
        env: &[],
        line: "aio-submit: nothing to read from fd 0 after 50 ms\n",
        ms: 50,
        begun: true,
    },
    Shut {
        args: &["aio-submit", "--linger=file:never", "--deadline=50"],
        env: &[],
        line: "aio-submit: no such file after 50 ms: never\n",
        ms: 50,
        begun: true,
    },
    Shut {
        args: &["--scenario=aio-submit", "--deadline=60"],
        env: &[(STARTUP, "never")],
        line: "scenario aio-submit failed: no such file after 60 ms: never\n",
        ms: 60,
        begun: false,
    },
    Shut {
        args: &["--scenario=aio-submit", "--deadline=60"],
        env: &[(DELAY, "0"), (HOLD, "never")],
        line: "scenario aio-submit failed: no such file after 60 ms: never\n",
        ms: 60,
        begun: true,
    },
];

#[test]
fn a_gate_that_never_opens_is_a_failure() {
    for row in SHUT {
        let place = Place::new();
        place.leave("aio-submit");
        let mut run = place.held(row.args, row.env);
        let mut wanted = End::with(1, row.line);
        if !row.begun {
            wanted.left = vec![TARGET.into()];
        }
        assert_eq!(run.end(), wanted, "{:?}", row.args);
        let time = run.started.elapsed().as_millis();
        assert!((row.ms..row.ms + 5_000).contains(&time), "{time} ms");
    }
}

#[test]
fn two_minutes_unless_told_otherwise() {
    let rows = [
        (
            "--hold=stdin",
            "ppoll([{fd=0, events=POLLIN}], 1, {tv_sec=120, tv_nsec=0}, NULL, 0",
        ),
        (
            "--linger=stdin",
            "ppoll([{fd=0, events=POLLIN}], 1, {tv_sec=120, tv_nsec=0}, NULL, 0",
        ),
    ];
    for (option, call) in rows {
        let place = Place::new();
        let mut command = place.strace(&[], &[], &["aio-setup", option]);
        command.stdin(Stdio::piped());
        Run::of(place, command).seen(call);
    }
}

/// Who says nothing of an option has the variable's wait, and only by `--scenario`.
#[test]
fn an_option_wins_over_its_variable() {
    let rows: [(&[&str], Env); 5] = [
        (
            &["--scenario=aio-submit", "--hold=stdin"],
            &[(STARTUP, "never")],
        ),
        (
            &["--scenario=aio-submit", "--hold=sleep:0"],
            &[(DELAY, "abc")],
        ),
        (
            &["--scenario=aio-submit", "--hold=sleep:0", "--linger=stdin"],
            &[(HOLD, "never")],
        ),
        (
            &["--scenario=aio-submit", "--hold=sleep:0", "--linger=none"],
            &[(HOLD, "never")],
        ),
        (
            &["aio-submit", "--hold=sleep:0"],
            &[(STARTUP, "never"), (DELAY, "abc"), (HOLD, "never")],
        ),
    ];
    for (args, env) in rows {
        let place = Place::new();
        let mut command = place.command(&ioworkload(), env);
        command.args(args);
        let mut run = Run::of(place, command);
        assert_eq!(run.end(), End::well(), "{args:?} {env:?}");
        assert!(run.started.elapsed().as_secs() < 8, "{args:?} {env:?}");
    }
}

#[test]
fn without_a_gate_there_is_no_pid_line() {
    for args in [
        ["aio-submit", "--hold=none"],
        ["--scenario=aio-submit", "--hold=none"],
    ] {
        let place = Place::new();
        let mut command = place.command(&ioworkload(), &[]);
        let output = command.args(args).output().expect("it starts");
        assert_eq!(
            (output.status.code(), output.stdout),
            (Some(0), vec![]),
            "{args:?}"
        );
    }
}

/// What can be waited for, and not be read.
#[test]
fn a_gate_that_cannot_be_read() {
    type Row = (fn() -> io::Result<File>, &'static str);
    let rows: [Row; 2] = [
        (
            || OpenOptions::new().write(true).open("/dev/null"),
            "read: EBADF (errno 9)",
        ),
        (|| File::open("/"), "read: EISDIR (errno 21)"),
    ];
    for (open, line) in rows {
        let place = Place::new();
        let mut command = place.command(&ioworkload(), &[]);
        command.args(["aio-submit", "--hold=stdin"]);
        command.stdin(open().expect("a file"));
        let wanted = End::with(1, &format!("aio-submit: {line}\n"));
        assert_eq!(Run::of(place, command).end(), wanted);
    }
}

#[test]
fn sigterm_ends_every_wait() {
    let rows: [(&[&str], u32); 5] = [
        (&["--hold=stdin"], PPOLL),
        (&["--hold=sleep:60000"], NANOSLEEP),
        (&["--hold=file:never"], NANOSLEEP),
        (&["--linger=stdin"], PPOLL),
        (
            &["--repeat=2", "--interval=60000000", "--hold=sleep:0"],
            NANOSLEEP,
        ),
    ];
    for (args, call) in rows {
        let mut run = Place::new().held(&[&["aio-submit"], args].concat(), &[]);
        run.inside(call).signal(Signal::SIGTERM);
        assert_eq!(run.end(), End::killed(Signal::SIGTERM), "{args:?}");
    }
}

/// Neither opens it, and the time that is left is not counted anew.
#[test]
fn stops_and_tracers_do_not_move_a_deadline() {
    let mut run = waiting(&["--hold=stdin", "--deadline=1500"], &[]);
    run.inside(PPOLL).stop_and_go(3);
    for _ in 0..3 {
        touch(&run);
    }
    let mut wanted = End::with(1, "aio-submit: nothing to read from fd 0 after 1500 ms\n");
    wanted.left = vec![TARGET.into()];
    assert_eq!(run.end(), wanted);
    let time = run.started.elapsed().as_millis();
    assert!((1_500..4_500).contains(&time), "{time} ms");
}

#[test]
fn stops_and_tracers_do_not_open_a_gate() {
    let mut run = waiting(&["--hold=stdin"], &[]);
    run.inside(PPOLL).stop_and_go(3);
    for _ in 0..3 {
        touch(&run);
    }
    assert!(!begun(run.inside(PPOLL)));
    run.feed(b"x");
    assert_eq!(run.end(), End::well());
}

/// strace attaches, sees the call, and leaves.
fn touch(run: &Run) {
    let mut strace = Command::new("strace");
    strace.args(["-p", &run.pid.to_string()]);
    let mut strace = strace
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace starts");
    let mut said = strace.stderr.take().expect("a pipe");
    let (mut text, mut part) = (Vec::new(), [0; 200]);
    while !String::from_utf8_lossy(&text).contains("ppoll(") {
        let len = said.read(&mut part).expect("it says something");
        assert_ne!(len, 0, "it has not attached");
        text.extend_from_slice(&part[..len]);
    }
    let pid = Pid::from_raw(strace.id() as i32);
    kill(pid, Signal::SIGINT).expect("it is alive");
    strace.wait().expect("it ends");
}

#[test]
fn an_interrupted_wait_is_resumed() {
    let rows = [
        ("inject=ppoll:error=EINTR:when=1..2", [3, 1]),
        ("inject=read:error=EINTR:when=1", [2, 2]),
        ("inject=read:error=EAGAIN:when=1..2", [3, 3]),
    ];
    for (inject, counts) in rows {
        let place = Place::new();
        let options = ["-e", inject];
        let command = place.strace(&[], &options, &["aio-setup", "--hold=stdin"]);
        let mut run = Run::of(place, command);
        assert_eq!(run.end(), End::well());
        let trace = run.place.trace();
        let count = |call| trace.matches(call).count();
        assert_eq!([count(" ppoll("), count(" read(")], counts, "{trace}");
    }
}

/// As an existing harness does it, eight at a time: start, read the PID, look at it, attach to it,
/// let it go, wait for exit 0, and find the calls.
#[test]
fn eight_harnesses_at_once() {
    let rows: [(Env, &[&str]); 4] = [
        (&[(STARTUP, "go")], &["--scenario=aio-submit"]),
        (
            &[(STARTUP, "go"), (DELAY, "60000"), (HOLD, "go")],
            &["-scenario=aio-submit"],
        ),
        (
            &[(DELAY, "60000")],
            &["--scenario", "aio-submit", "--hold=file:go"],
        ),
        (&[], &["--scenario=aio-submit", "--hold=stdin"]),
    ];
    thread::scope(|scope| {
        for (env, args) in rows.iter().chain(&rows) {
            scope.spawn(|| harness(env, args));
        }
    });
}

fn harness(env: Env, args: &[&str]) {
    let mut run = Place::new().held(args, env);
    assert_eq!(run.proc("comm"), "ioworkload\n");
    let tasks = fs::read_dir(format!("/proc/{}/task", run.pid)).expect("it is alive");
    let tasks: Vec<_> = tasks
        .map(|task| task.expect("a task").file_name())
        .collect();
    assert_eq!(tasks, [run.pid.to_string().as_str()]);
    let trace = run.place.gates.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-e", "trace=io_setup,io_submit,io_destroy", "-o"]);
    strace.arg(&trace).args(["-p", &run.pid.to_string()]);
    let mut strace = strace
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace starts");
    // TracerPid is set before the process is stopped, which is too early to open the gate.
    let mut attached = String::new();
    let mut stderr = BufReader::new(strace.stderr.take().expect("a pipe"));
    stderr.read_line(&mut attached).expect("strace says it");
    assert_eq!(attached, format!("strace: Process {} attached\n", run.pid));
    open_go(&mut run);
    run.hang_up();
    assert_eq!(run.end(), End::well());
    assert!(strace.wait().expect("it ends").success());
    let text = fs::read_to_string(trace).expect("a trace");
    let names = text.lines().map(|line| line.split('(').next());
    let names: Vec<_> = names.flatten().collect();
    assert_eq!(
        names,
        [
            "io_setup",
            "io_submit",
            "io_destroy",
            "+++ exited with 0 +++"
        ]
    );
}
