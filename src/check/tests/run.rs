//! Does `ioworkload-check` judge a stranger's tracer, whatever that does, and leave nothing behind?

use ioworkload_check::expected;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const STRACE: [&str; 6] = ["strace", "-f", "-e", "raw=all", "-o", "{events}"];

/// The program, with a directory for temporary files that is looked at afterwards.
struct Check {
    place: TempDir,
    command: Command,
}

impl Check {
    fn new(args: &[&str]) -> Self {
        let place = TempDir::new().expect("a temporary directory");
        let mut command = Command::new(env!("CARGO_BIN_EXE_ioworkload-check"));
        command
            .args(args)
            .env("TMPDIR", place.path())
            .stdin(Stdio::null());
        Self { place, command }
    }

    fn run(tracer: &[&str], options: &[&str]) -> Self {
        let args: Vec<_> = [&["run"], options, &["--"], tracer].concat();
        Self::new(&args)
    }

    /// Exit code, output and errors; nothing is left, no file and no process.
    fn output(mut self) -> (i32, String, String) {
        let output = self.command.output().expect("it starts");
        assert_eq!(
            self.place.path().read_dir().map(Iterator::count).ok(),
            Some(0)
        );
        assert_eq!(users(self.place.path()), Vec::<String>::new());
        said(&output)
    }
}

fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap_or(-1);
    (code, text(&output.stdout), text(&output.stderr))
}

/// The processes that were started with this directory for temporary files.
fn users(place: &Path) -> Vec<String> {
    let named = format!("TMPDIR={}", place.display());
    let processes = fs::read_dir("/proc").expect("proc").filter_map(Result::ok);
    let theirs = processes.filter(|process| {
        let environment = fs::read(process.path().join("environ")).unwrap_or_default();
        environment
            .split(|byte| *byte == 0)
            .any(|word| word == named.as_bytes())
    });
    theirs
        .map(|process| process.file_name().to_string_lossy().into_owned())
        .collect()
}

fn with_fixture<'a>(words: &[&'a str]) -> Vec<&'a str> {
    [words, &["{fixture}"]].concat()
}

#[test]
fn strace_is_exact_over_all_scenarios() {
    for (tracer, options) in [
        (with_fixture(&STRACE), vec![]),
        (vec!["strace", "-f", "-o", "{events}", "{fixture}"], vec![]),
        (
            [&STRACE[..], &["-p", "{pid}"]].concat(),
            vec!["--ready", "attached"],
        ),
        (
            [&STRACE[..], &["-p", "{pid}"]].concat(),
            vec!["--ready", "ptrace"],
        ),
    ] {
        let (code, output, errors) = Check::run(&tracer, &options).output();
        let lines: Vec<_> = output.lines().collect();
        let names = lines.iter().filter_map(|line| {
            line.split_once(' ')?
                .1
                .trim_start()
                .starts_with("exact ")
                .then_some(line.split_once(' ')?.0)
        });
        let wanted: Vec<_> = expected::ALL.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.collect::<Vec<_>>(), wanted, "{output}");
        assert_eq!(
            lines.last().copied(),
            Some(format!("{} exact", wanted.len()).as_str())
        );
        assert_eq!((code, errors.as_str()), (0, ""));
    }
}

/// What is said of a tracer that is none, and the exit code.
#[test]
fn a_tracer_that_fails_is_told_so() {
    let rows: [(&[&str], &str); 6] = [
        (
            &["sh", "-c", "sleep 100; : {fixture}"],
            "the tracer did not end in time",
        ),
        (
            &[
                "sh",
                "-c",
                "trap '' INT TERM; while :; do sleep 1; done; : {fixture}",
            ],
            "the tracer did not end in time",
        ),
        (&["false", "{fixture}"], "the tracer has written nothing"),
        (
            &["sh", "-c", "echo no right >&2; exit 1; : {fixture}"],
            "the tracer has written nothing; its last line: no right",
        ),
        (
            &["/nowhere/tracer", "{fixture}"],
            "/nowhere/tracer: No such file or directory",
        ),
        (
            &["sh", "-c", "setsid sleep 1000 & : {fixture}"],
            "the tracer has written nothing",
        ),
    ];
    for (tracer, line) in rows {
        let (code, output, errors) = Check::run(tracer, &["aio-setup", "--timeout=1"]).output();
        let start = format!("{:24} ERROR    {line}", "aio-setup");
        assert!(output.starts_with(&start), "{tracer:?}: {output}");
        assert_eq!((code, errors.as_str()), (1, ""), "{tracer:?}");
    }
}

#[test]
fn what_a_tracer_leaves_running_is_ended() {
    let script = "setsid sleep 1000 & sleep 1000 & strace -f -e raw=all -o {events} {fixture}";
    let (code, output, _) = Check::run(&["sh", "-c", script], &["aio-setup"]).output();
    assert_eq!((code, output.lines().last()), (0, Some("1 exact")));
}

#[test]
fn files_in_tmp_are_its_own() {
    let mark = format!("/tmp/of-a-tracer-{}", std::process::id());
    let script = format!("echo >{mark}; exec strace -f -e raw=all -o {{events}} {{fixture}}");
    let run = |options: &[&str]| Check::run(&["sh", "-c", &script], options).output().0;
    assert_eq!(run(&["aio-submit"]), 0);
    assert!(!Path::new(&mark).exists());
    assert_eq!(run(&["aio-submit", "--shared-tmp"]), 0);
    fs::remove_file(&mark).expect("that one is shared");
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut check = Check::run(&["sh", "-c", "sleep 1000; : {fixture}"], &["aio-setup"]);
        let child = check
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let child = child.expect("it starts");
        // Until the tracer sleeps.
        let started = Instant::now();
        while users(check.place.path()).len() < 3 {
            assert!(started.elapsed().as_secs() < 30, "no tracer sleeps");
            std::thread::sleep(Duration::from_millis(5));
        }
        kill(Pid::from_raw(child.id().cast_signed()), signal).expect("it is ours");
        let (code, _, errors) = said(&child.wait_with_output().expect("it ends"));
        assert_eq!(
            (code, errors.as_str()),
            (2, "ioworkload-check: interrupted\n")
        );
        assert_eq!(users(check.place.path()), Vec::<String>::new());
        assert_eq!(
            check.place.path().read_dir().map(Iterator::count).ok(),
            Some(0)
        );
    }
}

/// A sandbox that refuses io_setup: every fixture that asks for it says 77.
#[test]
fn what_can_not_run_is_a_skip() {
    let filter: BpfProgram = SeccompFilter::new(
        [(206, vec![])].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(1),
        TargetArch::x86_64,
    )
    .and_then(TryInto::try_into)
    .expect("a filter");
    let mut check = Check::run(&with_fixture(&STRACE), &["aio-setup", "aio-submit"]);
    // SAFETY: between fork and exec the closure makes system calls on data made before the fork.
    unsafe {
        check
            .command
            .pre_exec(move || apply_filter(&filter).map_err(std::io::Error::other))
    };
    let (code, output, _) = check.output();
    let line = |name: &str| format!("{name:24} skipped  {name}: io_setup: EPERM (errno 1)\n");
    let wanted = line("aio-setup") + &line("aio-submit") + "2 skipped\n";
    assert_eq!((code, output), (77, wanted));
}

#[test]
fn misuse_is_one_line() {
    let rows: [(&[&str], &str); 6] = [
        (
            &["run", "aio-x", "--", "true", "{fixture}"],
            "unknown scenario: aio-x",
        ),
        (
            &["run", "--", "true"],
            "the tracer's command needs {fixture} or {pid}",
        ),
        (
            &["run", "--", "true", "{fixture}", "{pid}"],
            "the tracer's command needs {fixture} or {pid}",
        ),
        (
            &["run", "--", "true", "{pid}"],
            "--ready belongs to {pid}: by which line does the tracer show that it has attached?",
        ),
        (
            &["compare", "aio-x"],
            "neither a scenario nor a file: aio-x: No such file or directory (os error 2)",
        ),
        (&["compare", "aio-setup"], "there are no events"),
    ];
    for (args, line) in rows {
        let (code, output, errors) = Check::new(args).output();
        let wanted = format!("ioworkload-check: {line}\n");
        assert_eq!((code, output.as_str(), errors), (2, "", wanted), "{args:?}");
    }
}

#[test]
fn events_of_a_file_are_judged() {
    let place = TempDir::new().expect("a temporary directory");
    let file = place.path().join("events");
    let good = "[206, 32, 140729412104, 0]\n[207, 139636736, 0]\n[231, 0, null]\n";
    let more = good.replace("[231", "[39, 4242]\n[231");
    let rows = [
        (good.to_owned(), 0, "1 exact"),
        (more, 1, "1 differs"),
        (good.replace("[206, 32", "[206, 33"), 1, "1 differs"),
        (good.replace("[231, 0, null]\n", ""), 1, "1 differs"),
    ];
    for (events, code, last) in rows {
        fs::write(&file, &events).expect("it is ours");
        let path = file.to_str().expect("a path");
        let (got, output, _) = Check::new(&["compare", "aio-setup", path]).output();
        assert_eq!((got, output.lines().last()), (code, Some(last)), "{events}");
    }
    fs::write(&file, format!("{good}[231 0]\n")).expect("it is ours");
    let path = file.to_str().expect("a path");
    let (code, _, errors) = Check::new(&["compare", "aio-setup", path]).output();
    let line = "line 4, column 6: expected JSON (expected `,` or `]` at line 1 column 6)";
    assert_eq!(
        (code, errors),
        (2, format!("ioworkload-check: {path}: {line}\n"))
    );
}

#[test]
fn events_and_verdicts_are_kept() {
    let place = TempDir::new().expect("a temporary directory");
    let keep = place.path().join("kept");
    let option = format!("--keep={}", keep.display());
    let (code, ..) = Check::run(&with_fixture(&STRACE), &["aio-setup", &option]).output();
    let events = fs::read_to_string(keep.join("aio-setup.events")).expect("events");
    let verdict = fs::read_to_string(keep.join("aio-setup.verdict")).expect("a verdict");
    assert_eq!(
        (code, events.lines().count(), verdict.lines().last()),
        (0, 5, Some("1 exact"))
    );
}

#[test]
fn fixtures_and_traces_are_unpacked() {
    let place = TempDir::new().expect("a temporary directory");
    let to = place.path().join("all");
    let (code, ..) = Check::new(&["unpack", to.to_str().expect("a path")]).output();
    assert_eq!(code, 0);
    let status = Command::new(to.join("aio-setup"))
        .status()
        .expect("a fixture");
    assert!(status.success());
    for (name, text) in expected::ALL {
        let trace = fs::read_to_string(to.join(name).with_extension("json"));
        assert_eq!(trace.expect("a trace"), *text);
    }
    let (code, output, _) = Check::new(&["list"]).output();
    assert_eq!((code, output.lines().count()), (0, expected::ALL.len()));
}
