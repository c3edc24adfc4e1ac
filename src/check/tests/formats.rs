//! Does each reader say what its tracer has written, and name whatever is wrong in it? The samples are
//! what the tracers themselves have written about aio-sentinels, shortened in front of its execve; those
//! of json and audit are made of bpftrace's.

mod stream;

use ioworkload_check::event::{Call, End, Event, Ret, Value, What};
use ioworkload_check::expected::{self, Expected};
use ioworkload_check::formats::{Format, read};
use ioworkload_check::judge::{Judge, Options};
use ioworkload_check::verdict::Verdict;
use proptest::prelude::*;

use std::process::Command;
use std::sync::LazyLock;

/// A tracer's text.
struct Sample {
    name: &'static str,
    format: Format,
    text: &'static str,
    /// So many lines in front of the first call, and for each call.
    head: usize,
    lines: usize,
    exact: &'static str,
    /// How it says that it has lost events, and what the verdict says.
    lost: (&'static str, &'static str),
    /// An argument in its spelling, of calls of this text: -1 too low, another sign, cut to 32 bits.
    wrong: [(&'static str, &'static str); 3],
    /// A result, and another.
    result: (&'static str, &'static str),
}

const SAMPLES: &[Sample] = &[
    Sample {
        name: "json",
        format: Format::Json,
        text: include_str!("samples/json"),
        head: 0,
        lines: 1,
        exact: "exact",
        lost: (r#"{"lost": 3}"#, "3 events lost"),
        wrong: [
            ("0xa10a00d000000003", "0xa10a00d000000002"),
            (r#""0xface1e55deadbeef"]"#, "374328364868190481]"),
            ("0xa10a00d000000003", "0x3"),
        ],
        result: (r#""ret": -14"#, r#""ret": -22"#),
    },
    Sample {
        name: "strace",
        format: Format::Strace,
        text: include_str!("samples/strace"),
        head: 1,
        lines: 1,
        exact: "exact",
        lost: ("", ""),
        wrong: [
            ("-6842655790482849789,", "-6842655790482849788,"),
            (", -6842655790482849789", ", 6842655790482849789"),
            ("0xa10a00cf00000001", "0x1"),
        ],
        result: ("-1 EFAULT", "-1 EINVAL"),
    },
    Sample {
        name: "perf",
        format: Format::Perf,
        text: include_str!("samples/perf"),
        head: 2,
        lines: 2,
        exact: "exact",
        lost: ("x 1 [000] 1.0: PERF_RECORD_LOST lost 3", "3 events lost"),
        wrong: KERNEL,
        result: ("NR 206 = -14", "NR 206 = -22"),
    },
    Sample {
        name: "ftrace",
        format: Format::Ftrace,
        text: include_str!("samples/ftrace"),
        head: 3,
        lines: 2,
        exact: "exact",
        lost: ("CPU:1 [LOST 3 EVENTS]", "3 events lost"),
        wrong: KERNEL,
        result: ("NR 206 = -14", "NR 206 = -22"),
    },
    Sample {
        name: "perf-trace",
        format: Format::PerfTrace,
        text: include_str!("samples/perf-trace"),
        head: 1,
        lines: 1,
        exact: "exact in numbers, arguments and results; some arguments not reported",
        lost: ("LOST 3 events!", "3 events lost"),
        wrong: [
            ("-6842655790482849789", "-6842655790482849790"),
            ("-374328364868190481)", "374328364868190481)"),
            ("-6842655790482849789", "3"),
        ],
        result: ("-1 EFAULT", "-1 EINVAL"),
    },
    Sample {
        name: "bpftrace",
        format: Format::Bpftrace,
        text: include_str!("samples/bpftrace"),
        head: 1,
        lines: 1,
        exact: "exact",
        lost: ("Lost 3 events", "3 events lost"),
        wrong: BPFTRACE,
        result: ("-14]", "-22]"),
    },
    Sample {
        name: "bpftrace -f json",
        format: Format::Bpftrace,
        text: include_str!("samples/bpftrace-json"),
        head: 1,
        lines: 2,
        exact: "exact",
        lost: (
            r#"{"type": "lost_events", "data": {"events": 3}}"#,
            "3 events lost",
        ),
        wrong: BPFTRACE,
        result: (r#""-14]"#, r#""-22]"#),
    },
    Sample {
        name: "audit",
        format: Format::Audit,
        text: include_str!("samples/audit"),
        head: 0,
        lines: 1,
        exact: "exact in numbers, arguments and results; arguments from number 4 on not reported",
        lost: ("", ""),
        wrong: [
            ("a2=a10a00d000000003", "a2=a10a00d000000002"),
            ("a0=face1e55deadbeef a1=a", "a0=531e1aa21524111 a1=a"),
            (
                "a2=a10a00d000000003 a3=a10a00d000000004",
                "a2=3 a3=a10a00d000000004",
            ),
        ],
        result: ("exit=-14", "exit=-22"),
    },
];

const KERNEL: [(&str, &str); 3] = [
    (
        "a10a00d000000002, a10a00d000000003, a10a00d000000004, a10a00d000000005",
        "a10a00d000000002, a10a00d000000002, a10a00d000000004, a10a00d000000005",
    ),
    ("NR 207 (face1e55deadbeef", "NR 207 (531e1aa21524111"),
    ("NR 207 (face1e55deadbeef", "NR 207 (deadbeef"),
];

const BPFTRACE: [(&str, &str); 3] = [
    ("[208, 11604088283226701825", "[208, 11604088283226701824"),
    ("[207, 18072415708841361135", "[207, 374328364868190481"),
    ("[207, 18072415708841361135", "[207, 3735928559"),
];

const CALLS: usize = 9;

static EXPECTED: LazyLock<Expected> =
    LazyLock::new(|| expected::load("aio-sentinels").expect("a scenario"));

fn judge(format: Format, text: &str) -> Result<Verdict, String> {
    let mut judge = Judge::new(&EXPECTED, Options::default());
    for event in read(format, text.as_bytes()) {
        judge.event(event.map_err(|error| error.to_string())?);
    }
    Ok(judge.finish())
}

impl Sample {
    fn judge(&self, text: &str) -> String {
        let verdict = judge(self.format, text);
        verdict.map_or_else(|error| error, |verdict| verdict.summary())
    }

    /// The lines in front, those of each call, and those after.
    fn parts(&self) -> Vec<String> {
        let lines: Vec<_> = self.text.split_inclusive('\n').collect();
        let (head, rest) = lines.split_at(self.head);
        let most = (CALLS * self.lines).min(rest.len());
        let calls = rest[..most].chunks(self.lines).map(<[&str]>::concat);
        let parts = std::iter::once(head.concat()).chain(calls);
        parts.chain([rest[most..].concat()]).collect()
    }

    /// The whole, after a change of the parts.
    fn changed(&self, change: impl FnOnce(&mut Vec<String>)) -> String {
        let mut parts = self.parts();
        change(&mut parts);
        self.judge(&parts.concat())
    }
}

#[test]
fn samples_are_exact_and_their_format_is_known() {
    for sample in SAMPLES {
        assert_eq!(sample.judge(sample.text), sample.exact, "{}", sample.name);
        let format = Format::of(sample.text).expect("known");
        assert_eq!(format, sample.format, "{}", sample.name);
    }
}

#[test]
fn a_call_more_or_less_or_in_another_place_is_named() {
    for sample in SAMPLES {
        let name = sample.name;
        // The end of a process is its last call.
        for at in 1..CALLS {
            let more = sample.changed(|parts| parts.insert(at, parts[at].clone()));
            assert_eq!(more, "10 calls, 1 not expected", "{name}: {at} twice");
            let less = sample.changed(|parts| drop(parts.remove(at)));
            assert_eq!(less, "8 calls, 1 missing", "{name}: without {at}");
        }
        let swapped = sample.changed(|parts| parts.swap(5, 6));
        let want = "9 calls, 1 missing, 1 not expected";
        assert_eq!(swapped, want, "{name}: swapped");
    }
}

#[test]
fn a_wrong_argument_or_result_is_named() {
    for sample in SAMPLES {
        let changes = sample
            .wrong
            .iter()
            .map(|pair| (pair, "9 calls, 1 wrong argument"));
        let result = (&sample.result, "9 calls, 1 wrong result");
        for ((from, to), want) in changes.chain([result]) {
            let text = sample.text.replacen(from, to, 1);
            assert_ne!(text, sample.text, "{}: no {from}", sample.name);
            assert_eq!(sample.judge(&text), want, "{}: {to}", sample.name);
        }
    }
}

#[test]
fn a_loss_that_the_tracer_reports_is_named() {
    for sample in SAMPLES.iter().filter(|sample| !sample.lost.0.is_empty()) {
        let (mark, lost) = sample.lost;
        let verdict = sample.changed(|parts| parts.insert(4, format!("{mark}\n")));
        assert_eq!(verdict, format!("9 calls, {lost}"), "{}", sample.name);
    }
}

/// Cut anywhere before the last call has begun, a text is not exact: it can't be read, or calls are
/// missing.
#[test]
fn a_cut_text_is_never_exact() {
    for sample in SAMPLES {
        let last = sample.parts()[..CALLS].concat().len();
        for end in 0..last {
            let verdict = sample.judge(&sample.text[..end]);
            assert!(
                !verdict.starts_with("exact"),
                "{}: {end}: {verdict}",
                sample.name
            );
        }
    }
}

/// What can't be read, and the error, with line and column.
const ERRORS: &[(Format, &str, &str)] = &[
    (
        Format::Json,
        "[1, 0]\n[",
        "line 2, column 1: expected JSON (EOF while parsing a list at line 1 column 1)",
    ),
    (
        Format::Json,
        "[]",
        "line 1, column 1: expected a number, arguments and a result",
    ),
    (
        Format::Json,
        "{\"nr\": 1, \"x\": 1}",
        "line 1, column 1: expected an event (unknown field `x`, expected one of `pid`, `tid`, `nr`, `name`, `args`, `ret`, `ns`, `before`, `after`, `fork`, `exec`, `signal`, `exit`, `killed`, `lost`)",
    ),
    (
        Format::Json,
        "{}",
        "line 1, column 1: expected one of nr, name, fork, exec, signal, exit, killed, lost",
    ),
    (
        Format::Json,
        "{\"nr\": 1, \"exit\": 1}",
        "line 1, column 1: expected one of nr, name, fork, exec, signal, exit, killed, lost",
    ),
    (
        Format::Json,
        "[1, 1.5, 0]",
        "line 1, column 1: expected an argument, not 1.5",
    ),
    (
        Format::Json,
        "[1, \"0xg\", 0]",
        "line 1, column 1: expected an argument, not \"0xg\"",
    ),
    (
        Format::Strace,
        "close(3) = 0\nclose(3",
        "line 2, column 8: expected \")\"",
    ),
    (
        Format::Strace,
        "close(3) 0",
        "line 1, column 10: expected \"= \"",
    ),
    (
        Format::Strace,
        "close(3) = x",
        "line 1, column 12: expected a result",
    ),
    (
        Format::Strace,
        "close(3) = -1 ENOPE (No)",
        "line 1, column 12: expected an errno that is known",
    ),
    (
        Format::Strace,
        "open(\"a",
        "line 1, column 8: expected the end of a text",
    ),
    (
        Format::Strace,
        "open(\"\\q\") = 0",
        "line 1, column 8: expected an escape sequence",
    ),
    (
        Format::Strace,
        "[pid x] close(3) = 0",
        "line 1, column 6: expected a thread",
    ),
    (
        Format::Strace,
        "--- SIGNOPE {} ---",
        "line 1, column 5: expected a signal",
    ),
    (
        Format::Strace,
        "+++ exited with 300 +++",
        "line 1, column 17: expected an exit code",
    ),
    (
        Format::Perf,
        "hello",
        "line 1, column 1: expected an event of raw_syscalls or sched",
    ),
    (
        Format::Perf,
        "a x: raw_syscalls:sys_exit: NR 3 = 0",
        "line 1, column 1: expected a thread",
    ),
    (
        Format::Perf,
        "a 1 2.0: raw_syscalls:sys_enter: NR 3 (3, z)",
        "line 1, column 40: expected hexadecimal numbers",
    ),
    (
        Format::Perf,
        "a 1 2.0: raw_syscalls:sys_exit: NR 3 = 0 1",
        "line 1, column 42: expected the end of the line",
    ),
    (
        Format::Ftrace,
        "a-1 [000] .... 1.0: sys_exit: NR x = 0",
        "line 1, column 34: expected the number of a call",
    ),
    (
        Format::PerfTrace,
        "hello",
        "line 1, column 1: expected milliseconds",
    ),
    (
        Format::PerfTrace,
        "1.000 ( 0.001 ms): a/1 close(3)",
        "line 1, column 31: expected \": \"",
    ),
    (
        Format::PerfTrace,
        "1.000 ( 0.001 ms): a/1 close(fd: 3) 0",
        "line 1, column 37: expected \"= \"",
    ),
    (
        Format::PerfTrace,
        "1.000 ( 0.001 ms): a/1 close(fd: ) = 0",
        "line 1, column 34: expected a value",
    ),
    (
        Format::Bpftrace,
        "{\"type\": \"printf\"}",
        "line 1, column 1: expected text as data",
    ),
    (
        Format::Bpftrace,
        "{\"type\": \"nope\"}",
        "line 1, column 1: expected a type of bpftrace's output",
    ),
    (
        Format::Bpftrace,
        "Lost x events",
        "line 1, column 6: expected how many events",
    ),
    (
        Format::Audit,
        "type=NOPE msg",
        "line 1, column 10: expected SYSCALL or another known type before here",
    ),
    (
        Format::Audit,
        "type=SYSCALL msg=audit(1.0:1): arch=c0",
        "line 1, column 32: expected \"arch=c000003e \"",
    ),
];

#[test]
fn errors_have_their_place() {
    for (format, text, want) in ERRORS {
        let error = judge(*format, text).expect_err(text);
        assert_eq!(error, *want, "{text}");
    }
}

fn events(format: Format, text: &str) -> Vec<Event> {
    let all: Result<_, _> = read(format, text.as_bytes()).collect();
    all.unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn only(format: Format, text: &str) -> What {
    let mut all = events(format, text);
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0).what
}

/// The results that strace and perf trace spell in their own ways.
#[test]
fn results_in_every_spelling() {
    for (text, want) in [
        ("= 0x7f00", Ret::Number(0x7f00)),
        ("= 3</tmp/x>", Ret::Number(3)),
        (
            "= -1 EAGAIN (Resource temporarily unavailable)",
            Ret::Number(-11),
        ),
        ("= -1 (errno 22)", Ret::Number(-22)),
        ("= -22", Ret::Number(-22)),
        ("= ?", Ret::Never),
        ("= ? ERESTARTSYS (To be restarted)", Ret::Number(-512)),
        ("= ? ERESTARTNOINTR (To be restarted)", Ret::Number(-513)),
        (
            "= ? ERESTARTNOHAND (To be restarted if no handler)",
            Ret::Number(-514),
        ),
        (
            "= ? ERESTART_RESTARTBLOCK (Interrupted by signal)",
            Ret::Number(-516),
        ),
        (
            "= -1 (unknown) (INTERNAL ERROR: strerror_r(514, [buf], 128)=22)",
            Ret::Number(-514),
        ),
    ] {
        for (format, head) in [
            (Format::Strace, "close(3) "),
            (Format::PerfTrace, "1.000 ( 0.001 ms): a/1 close(fd: 3) "),
        ] {
            let what = only(format, &format!("{head}{text}"));
            let What::Whole(Call { ret, .. }) = what else {
                panic!("{what:?}")
            };
            assert_eq!(ret, Some(want.clone()), "{text}");
        }
    }
}

/// What a line of strace's says beside a call from its beginning to its end.
#[test]
fn what_strace_says_beside_calls() {
    let text = "1 read(3,  <unfinished ...>\n\
        2 execve(\"/a\", [\"a\"], 0x7ffc /* 1 var */ <unfinished ...>\n\
        1 <... read resumed>\"a\\tb\\0\\x7f\"..., 9) = 9 <0.000012>\n\
        2 +++ superseded by execve in pid 1 +++\n\
        1 --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---\n\
        1 --- stopped by SIGSTOP ---\n\
        1 exit_group(7)    = ?\n\
        1 +++ killed by SIGSEGV (core dumped) +++\n\
        3 +++ exited with 7 +++\n";
    let execve = vec![
        Value::Bytes(b"/a".into(), true),
        Value::List(vec![Value::Bytes(b"a".into(), true)]),
        Value::Number(0x7ffc),
    ];
    let text_read = Value::Bytes(b"a\tb\0\x7f".into(), false);
    let begun = vec![Value::Number(3)];
    let read_all = vec![Value::Number(3), text_read, Value::Number(9)];
    let nine = Some(Ret::Number(9));
    let mut resumed = call("read", read_all, nine);
    resumed.ns = Some(12_000);
    let never = Some(Ret::Never);
    let want = [
        (1, 1, What::Enter(call("read", begun, None))),
        (2, 2, What::Enter(call("execve", execve, None))),
        (1, 3, What::Exit(resumed)),
        (1, 5, What::Signal(14)),
        (
            1,
            7,
            What::Whole(call("exit_group", vec![Value::Number(7)], never)),
        ),
        (1, 8, What::End(End::Signal(11))),
        (3, 9, What::End(End::Code(7))),
    ];
    let want = want.map(|(tid, line, what)| Event { tid, line, what });
    assert_eq!(events(Format::Strace, text), want);
}

fn call(name: &str, args: Vec<Value>, ret: Option<Ret>) -> Call {
    Call {
        name: Some(name.into()),
        args: Some(args),
        ret,
        ..Call::default()
    }
}

/// The parts of a line of perf trace's: a name with `/` and blanks, what a descriptor leads to, a
/// process's name, constants without the front of their names, a duration.
#[test]
fn what_perf_trace_says_of_arguments() {
    let line = "1.000 ( 0.012 ms): a/1 b/7 mmap(addr: 0x10, prot: READ|WRITE, flags: PRIVATE|0x40, \
        fd: 4</memfd:a (deleted)>) = 0x10";
    let want = Call {
        ns: Some(12_000),
        ..call(
            "mmap",
            vec![
                Value::Number(0x10),
                Value::Unknown,
                Value::Symbol("PROT_READ|PROT_WRITE".into()),
                Value::Symbol("MAP_PRIVATE|0x40".into()),
                Value::Number(4),
                Value::Unknown,
            ],
            Some(Ret::Number(0x10)),
        )
    };
    assert_eq!(only(Format::PerfTrace, line), What::Whole(want));
}

/// A tracer as it is run, on all scenarios.
struct Live {
    command: &'static [&'static str],
    /// What `run` says of a scenario that is exact: with memory in its expected trace, and without.
    exact: [&'static str; 2],
    /// What it says of those that this tracer gets wrong.
    differs: &'static [(&'static str, &'static str)],
    /// Those that it gets wrong in another way each time.
    left_out: &'static [&'static str],
}

const WHOLE: [&str; 2] = [
    "exact in numbers, arguments and results; memory not reported",
    "exact",
];

const PERF: &str = "perf record -q -B -N -c 1 -m 4096 -o $2.data \\
    -e raw_syscalls:sys_enter,raw_syscalls:sys_exit,sched:sched_process_fork,sched:sched_process_exec \\
    $1 >/dev/null && perf script -i $2.data --ns -F comm,tid,time,event,trace >$2";

const TRACEFS: &str = r#"
set -e
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing
instance=/sys/kernel/tracing/instances/ioworkload-$$-check
mkdir $instance
trap 'rmdir $instance' EXIT
cd $instance
echo 16384 >buffer_size_kb
echo 1 >options/event-fork
for event in raw_syscalls/sys_enter raw_syscalls/sys_exit sched/sched_process_fork sched/sched_process_exec; do
    echo 1 >events/$event/enable
done
sh -c 'echo $$ >set_event_pid; exec "$1"' - "$1"
echo 0 >tracing_on
cat trace >"$2""#;

const EVENTS_BT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/examples/events.bt"
);

/// The program of the example watches one process.
const ONE_PROCESS: &[(&str, &str)] = &[("aio-fork", "10 calls, 2 children missing")];

const LIVE: &[Live] = &[
    Live {
        command: &["sh", "-c", PERF, "-", "{fixture}", "{events}"],
        exact: WHOLE,
        differs: &[],
        left_out: &[],
    },
    Live {
        command: &["sh", "-c", TRACEFS, "-", "{fixture}", "{events}"],
        exact: WHOLE,
        differs: &[],
        left_out: &[],
    },
    Live {
        command: &["perf", "trace", "-o", "{events}", "{fixture}"],
        exact: [
            "exact in numbers, arguments and results; some arguments and memory not reported",
            "exact in numbers, arguments and results; some arguments not reported",
        ],
        // It does not know an rt_sigreturn's end, because the number there is -1.
        differs: &[
            ("aio-getevents-eintr", "13 calls, 2 wrong results"),
            ("aio-pgetevents-eintr", "20 calls, 3 wrong results"),
        ],
        // It loses the beginning or the end of a few calls, and does not say so.
        left_out: &["aio-burst"],
    },
    Live {
        command: &["bpftrace", "-o", "{events}", "-c", "{fixture}", EVENTS_BT],
        exact: WHOLE,
        differs: ONE_PROCESS,
        left_out: &[],
    },
    Live {
        command: &[
            "bpftrace",
            "-f",
            "json",
            "-o",
            "{events}",
            "-c",
            "{fixture}",
            EVENTS_BT,
        ],
        exact: WHOLE,
        differs: ONE_PROCESS,
        left_out: &[],
    },
];

/// What each tracer gets right and wrong of every scenario.
#[test]
fn live_tracers_are_judged_rightly() {
    if !nix::unistd::Uid::effective().is_root() {
        assert!(std::env::var_os("CI").is_none(), "the tracers need root");
        eprintln!("SKIPPED: live_tracers_are_judged_rightly: perf, bpftrace and tracefs need root");
        return;
    }
    LIVE.iter().for_each(Live::check);
}

impl Live {
    fn check(&self) {
        let all = expected::ALL.iter().map(|(name, _)| *name);
        let names: Vec<_> = all.filter(|name| !self.left_out.contains(name)).collect();
        let notes = self.run(&names);
        let seen: Vec<_> = notes.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(seen, names);
        for (name, note) in &notes {
            let differs = self.differs.iter().find(|(other, _)| other == name);
            match differs {
                Some((_, want)) => assert_eq!(note, want, "{:?}: {name}", self.command),
                None => assert_eq!(note, self.exact(name), "{:?}: {name}", self.command),
            }
        }
    }

    fn exact(&self, scenario: &str) -> &str {
        let expected = stream::load(scenario);
        let calls = stream::calls(&expected);
        let memory = calls
            .iter()
            .any(|made| !made.call.before.is_empty() || !made.call.after.is_empty());
        self.exact[usize::from(!memory)]
    }

    /// Each scenario's verdict in a line.
    fn run(&self, names: &[&str]) -> Vec<(String, String)> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ioworkload-check"));
        command.env("BPFTRACE_PERF_RB_PAGES", "8192");
        command.args(["run", "--output", "json"]).args(names);
        let output = command.arg("--").args(self.command).output();
        let text = output.expect("it runs").stdout;
        let report: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        let cases = report["cases"].as_array().expect("a list").iter();
        let word =
            |case: &serde_json::Value, key: &str| case[key].as_str().expect("text").to_owned();
        cases
            .map(|case| (word(case, "scenario"), word(case, "note")))
            .collect()
    }
}

const QUICK: u32 = 10_000;

/// How often each reader is fuzzed.
fn cases() -> ProptestConfig {
    let count = std::env::var("FUZZ_COUNT").ok();
    ProptestConfig {
        cases: count.map_or(QUICK, |count| count.parse().expect("a number")),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A sample with some bytes replaced, put in, or taken out, and cut.
fn mutated() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    let changes = prop::collection::vec(change, 1..8);
    (0..SAMPLES.len(), changes).prop_map(|(at, changes)| {
        let mut bytes = SAMPLES[at].text.as_bytes().to_vec();
        for (place, byte, kind) in changes {
            let place = place.index(bytes.len());
            match kind {
                0 => bytes[place] = byte,
                1 => bytes.insert(place, byte),
                _ => drop(bytes.remove(place)),
            }
        }
        (at, bytes)
    })
}

/// Reads and judges it, to its end or the first error.
fn all(format: Format, bytes: &[u8]) -> u64 {
    let mut judge = Judge::new(&EXPECTED, Options::default());
    read(format, bytes)
        .map_while(Result::ok)
        .for_each(|event| judge.event(event));
    let verdict = judge.finish();
    let _ = verdict.summary();
    verdict.calls()
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for format in Format::ALL {
            prop_assert!(all(format, &bytes) <= 200);
        }
    }

    #[test]
    fn a_mutated_sample_is_read_or_refused((at, bytes) in mutated()) {
        prop_assert!(all(SAMPLES[at].format, &bytes) <= 40);
    }
}
