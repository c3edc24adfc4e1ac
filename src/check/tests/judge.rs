//! Each rule of the judge, where it holds and where it is broken.

mod stream;

use ioworkload_check::event::{Call, End, Event, Ret, Value, What};
use ioworkload_check::expected::{Expected, Kernel, parse};
use ioworkload_check::judge::{Options, Shown, Start, Verdict};
use ioworkload_check::verdict::Fault;
use stream::{calls, event, events, judge, load};

/// Reads `io_setup(32, 0x7ff0) = 0`: numbers, `?` for what is not shown, `NAME` for a symbol.
fn call(text: &str) -> Call {
    let (name, rest) = text.split_once('(').expect("a call");
    let (args, ret) = rest.split_once(')').expect("a call");
    let args = args.split(", ").filter(|arg| !arg.is_empty());
    let ret = ret.trim().strip_prefix("= ").map(|ret| match ret {
        "?" => Ret::Never,
        "!" => Ret::Interrupted,
        number => Ret::Number(number.parse().expect("a number")),
    });
    Call {
        name: Some(name.into()),
        args: Some(args.map(value).collect()),
        ret,
        ..Call::default()
    }
}

fn value(text: &str) -> Value {
    let hex = text
        .strip_prefix("0x")
        .map(|hex| i128::from_str_radix(hex, 16));
    match (hex, text.parse()) {
        (Some(number), _) => Value::Number(number.expect("hex")),
        (None, Ok(number)) => Value::Number(number),
        (None, Err(_)) if text == "?" => Value::Unknown,
        (None, Err(_)) => Value::Symbol(text.into()),
    }
}

/// Reads one event of thread 1: `> call` begins, `< call` ends, `exec`, `lost 3`, `exit 0`, a call.
fn read(text: &str) -> Event {
    let (tid, text) = match text.split_once(": ") {
        Some((tid, text)) => (tid.parse().expect("a number"), text),
        None => (1, text),
    };
    let number = |text: &str| text.parse().expect("a number");
    let what = match text.split_once(' ') {
        Some((">", text)) => What::Enter(call(text)),
        Some(("<", text)) => What::Exit(Call {
            args: None,
            ..call(text)
        }),
        Some(("exec", comm)) => What::Exec(Some(comm.into())),
        Some(("lost", count)) => What::Lost(Some(number(count) as u64)),
        Some(("exit", code)) => What::End(End::Code(number(code) as u8)),
        Some(("killed", signal)) => What::End(End::Signal(number(signal) as u32)),
        Some(("fork", child)) => What::Fork(number(child)),
        _ if text == "exec" => What::Exec(None),
        _ => What::Whole(call(text)),
    };
    event(tid, what)
}

fn verdict(expected: &Expected, options: Options, lines: &[&str]) -> Verdict {
    judge(
        expected,
        options,
        lines.iter().map(|line| read(line)).collect(),
    )
}

fn trace(calls: &str) -> Expected {
    let text = format!(r#"{{"format": 1, "scenario": "s", "about": "A.", "calls": [{calls}]}}"#);
    parse(&text, Kernel(6, 18)).expect("a trace")
}

const SETUP: [&str; 3] = [
    "io_setup(32, 0x7ff0) = 0",
    "io_destroy(0x7fa0) = 0",
    "exit_group(0) = ?",
];

/// Events, options, and the summary of the verdict on them, of aio-setup.
type Row = (&'static str, Options, &'static [&'static str], &'static str);

const EXACT: &str = "exact in numbers, arguments and results; memory not reported";

fn with(change: impl FnOnce(&mut Options)) -> Options {
    let mut options = Options::default();
    change(&mut options);
    options
}

#[test]
fn events_are_put_together() {
    let rows: &[Row] = &[
        ("whole", Options::default(), &SETUP, EXACT),
        (
            "with its end",
            Options::default(),
            &[SETUP[0], SETUP[1], SETUP[2], "exit 0"],
            EXACT,
        ),
        (
            "another end",
            Options::default(),
            &[SETUP[0], SETUP[1], SETUP[2], "killed 9"],
            "3 calls, 1 wrong end",
        ),
        (
            "halves",
            Options::default(),
            &[
                "> io_setup(32, 0x7ff0)",
                "< io_setup() = 0",
                "> io_destroy(0x7fa0)",
                "< io_destroy() = 0",
                "> exit_group(0)",
            ],
            EXACT,
        ),
        (
            "an end is missing",
            Options::default(),
            &[
                "> io_setup(32, 0x7ff0)",
                "> io_destroy(0x7fa0)",
                "< io_destroy() = 0",
                "> exit_group(0)",
            ],
            "3 calls, 1 wrong result",
        ),
        (
            "a beginning is missing",
            Options::default(),
            &[
                "> io_setup(32, 0x7ff0)",
                "< io_setup() = 0",
                "< io_destroy() = 0",
                "> exit_group(0)",
            ],
            "3 calls, 1 wrong result",
        ),
        (
            "only beginnings",
            Options::default(),
            &[
                "> io_setup(32, 0x7ff0)",
                "> io_destroy(0x7fa0)",
                "> exit_group(0)",
            ],
            "exact in numbers and arguments; results and memory not reported",
        ),
    ];
    check("aio-setup", rows);
}

#[test]
fn the_program_starts() {
    let rows: &[Row] = &[
        (
            "after the launcher",
            Options::default(),
            &[
                "brk(0) = 5",
                "2: brk(0) = 5",
                "exec",
                SETUP[0],
                "2: brk(0) = 5",
                SETUP[1],
                SETUP[2],
            ],
            EXACT,
        ),
        (
            "the launcher goes on",
            Options::default(),
            &[
                "2: brk(0) = 5",
                "exec",
                SETUP[0],
                "2: brk(0) = 5",
                SETUP[1],
                SETUP[2],
            ],
            EXACT,
        ),
        (
            "no execve is there",
            with(|options| options.start = Start::Exec),
            &SETUP,
            "nothing was seen, 3 missing",
        ),
        (
            "a program of another name comes later",
            Options::default(),
            &[
                "exec aio-setup",
                SETUP[0],
                "7: exec sleep",
                "7: brk(0) = 5",
                SETUP[1],
                SETUP[2],
            ],
            EXACT,
        ),
        (
            "attached within a read",
            with(|options| options.start = Start::Attached),
            &["< read() = 1", SETUP[0], SETUP[1], SETUP[2]],
            EXACT,
        ),
        (
            "not attached",
            Options::default(),
            &["read(0, 0x7ff8, 1) = 1", SETUP[0], SETUP[1], SETUP[2]],
            "4 calls, 1 not expected",
        ),
        (
            "attached, and it is not the first",
            with(|options| options.start = Start::Attached),
            &[SETUP[0], "read(0, 0x7ff8, 1) = 1", SETUP[1], SETUP[2]],
            "4 calls, 1 not expected",
        ),
        (
            "another thread",
            Options::default(),
            &[SETUP[0], "2: brk(0) = 5", SETUP[1], SETUP[2]],
            "3 calls, 1 child not expected",
        ),
        (
            "lost",
            Options::default(),
            &[SETUP[0], "lost 3", SETUP[1], "lost 0", SETUP[2]],
            "3 calls, 3 events lost",
        ),
        (
            "nothing",
            Options::default(),
            &[],
            "nothing was seen, 3 missing",
        ),
    ];
    check("aio-setup", rows);
}

fn check(scenario: &str, rows: &[Row]) {
    for (title, options, lines, summary) in rows {
        let verdict = verdict(&load(scenario), options.clone(), lines);
        assert_eq!(verdict.summary(), *summary, "{title}: {verdict}");
        assert_eq!(verdict.exact(), summary.starts_with("exact"), "{title}");
    }
}

#[test]
fn what_is_not_reported_is_not_compared() {
    let rows: &[Row] = &[
        (
            "hidden",
            Options::default(),
            &["io_setup(?, 0x7ff0)", "io_destroy(?)", "exit_group(0)"],
            "exact in numbers and arguments; some arguments, results and memory not reported",
        ),
        (
            "fewer",
            Options::default(),
            &["io_setup(32) = 0", SETUP[1], SETUP[2]],
            "exact in numbers, arguments and results; arguments from number 1 on and memory not reported",
        ),
        (
            "six registers",
            Options::default(),
            &["io_setup(32, 0x7ff0, 1, 2, 3, 4) = 0", SETUP[1], SETUP[2]],
            EXACT,
        ),
        (
            "three of two",
            Options::default(),
            &["io_setup(32, 0x7ff0, 1) = 0", SETUP[1], SETUP[2]],
            "3 calls, 1 wrong argument",
        ),
        (
            "one of one",
            with(|options| options.args = Some(1)),
            &["io_setup(32, 5) = 0", SETUP[1], SETUP[2]],
            "exact in numbers, arguments and results; arguments from number 1 on and memory not reported",
        ),
        (
            "none of one",
            with(|options| options.args = Some(1)),
            &["io_setup() = 0", SETUP[1], SETUP[2]],
            "3 calls, 1 wrong argument",
        ),
        (
            "only these",
            with(|options| options.only = vec!["io_d*".into()]),
            &SETUP,
            "exact in numbers, arguments and results; other calls left out",
        ),
        (
            "only these, and one is wrong",
            with(|options| options.only = vec!["aio".into()]),
            &["io_setup(32, 0x7ff0) = 1", SETUP[1]],
            "2 calls, 1 wrong result",
        ),
        (
            "only what there is not",
            with(|options| options.only = vec!["mmap".into()]),
            &SETUP,
            "nothing was seen",
        ),
    ];
    check("aio-setup", rows);
}

#[test]
fn symbols_and_types() {
    let open = |dirfd: &str, flags: &str| format!("openat({dirfd}, 0x7ff0, {flags}, 384) = 3");
    let want = trace(
        r#"{"name": "openat", "nr": 257, "args": [4294967196, "&path", 655554, 384], "ret": 3}"#,
    );
    let flags = "O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC";
    let rows = [
        ("-100", "655554", false, true),
        ("AT_FDCWD", flags, false, true),
        ("0xffffffffffffff9c", flags, false, true),
        ("0xffffffffffffff9c", flags, true, false),
        ("4294967196", "655554", true, true),
        ("0x1ffffff9c", flags, false, false),
        ("AT_FDCWD", "O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW", false, false),
        ("AT_FDCWD", "O_RDWR|O_ODD", false, true),
    ];
    for (dirfd, flags, registers, exact) in rows {
        let options = with(|options| options.registers = registers);
        let found = verdict(&want, options, &[&open(dirfd, flags)]);
        assert_eq!(found.exact(), exact, "{dirfd} {flags}: {found}");
    }
    let found = verdict(
        &want,
        Options::default(),
        &[&open("AT_FDCWD", "O_RDWR|O_ODD")],
    );
    let known = "exact in numbers, arguments and results; O_RDWR|O_ODD not understood";
    assert_eq!(found.summary(), known);
}

#[test]
fn results_of_restarts() {
    let want =
        trace(r#"{"name": "io_pgetevents", "nr": 333, "args": [], "ret": -4, "sys_exit": -514}"#);
    let rows = [
        ("= -514", Shown::Either, true),
        ("= -4", Shown::Either, true),
        ("= !", Shown::Either, true),
        ("= -513", Shown::Either, false),
        ("= -514", Shown::SysExit, true),
        ("= -4", Shown::SysExit, false),
        ("= -514", Shown::Program, false),
        ("= -4", Shown::Program, true),
    ];
    for (ret, shown, exact) in rows {
        let options = with(|options| options.ret = shown);
        let found = verdict(&want, options, &[&format!("io_pgetevents() {ret}")]);
        assert_eq!(found.exact(), exact, "{ret} {shown:?}: {found}");
        let fault = found.rows.first().and_then(|row| row.differences[0].fault);
        assert_eq!(fault, (!exact).then_some(Fault::Restart), "{ret} {shown:?}");
    }
}

/// An iocb, its event and paths, as strace prints them.
#[test]
fn decoded_values() {
    let iocb = |data: i128, buf: &str, nbytes: i128| {
        let fields = [
            ("aio_data", Value::Number(data)),
            ("aio_lio_opcode", Value::Symbol("IOCB_CMD_PWRITE".into())),
            ("aio_fildes", Value::Number(1001)),
            ("aio_buf", Value::Bytes(buf.into(), true)),
            ("aio_nbytes", Value::Number(nbytes)),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        Value::List(vec![Value::Struct(fields.into())])
    };
    let text = "ior-aio-submit\n";
    let rows = [
        (2, 2, iocb(3_665_428_481, text, 15), ""),
        (
            2,
            2,
            iocb(3_665_428_482, text, 15),
            "aio_data is 0xda7a0002",
        ),
        (
            2,
            2,
            iocb(3_665_428_481, "ior-aio-submit!", 15),
            r#"aio_buf is "ior-aio-submit!""#,
        ),
        (
            2,
            2,
            iocb(3_665_428_481, "ior-aio", 15),
            r#"aio_buf is "ior-aio""#,
        ),
        (2, 2, iocb(3_665_428_481, text, 16), "aio_nbytes is 0x10"),
        (2, 2, Value::List(vec![]), "0 elements"),
        (
            0,
            1,
            Value::Bytes("/tmp/ioworkload-aio-submit".into(), true),
            "",
        ),
        (0, 1, Value::Bytes("/tmp/iow".into(), false), ""),
        (
            0,
            1,
            Value::Bytes("/tmp/iox".into(), false),
            r#""/tmp/iox""#,
        ),
        (0, 1, Value::Symbol("NULL".into()), "NULL"),
        (1, 1, Value::List(vec![Value::Number(1002)]), ""),
        (1, 1, Value::List(vec![Value::Number(1004)]), "0x3eb"),
    ];
    let expected = load("aio-submit");
    for (at, arg, value, wrong) in rows {
        let mut made = calls(&expected);
        let ctx = made[2].call.args.as_ref().expect("args")[0].clone();
        let value = match (at, value) {
            (1, Value::List(list)) if list == [Value::Number(1002)] => Value::List(vec![ctx]),
            (_, value) => value,
        };
        for each in &mut made {
            each.call.before.clear();
            each.call.after.clear();
        }
        let shown = format!("{value:?}");
        made[at].call.args.as_mut().expect("args")[arg] = value;
        let found = judge(&expected, Options::default(), events(&made));
        let all = found.rows.iter().flat_map(|row| &row.differences);
        let first = all.map(|each| each.got.as_str()).next().unwrap_or("");
        assert_eq!(
            (first, found.exact()),
            (wrong, wrong.is_empty()),
            "{shown}: {found}"
        );
    }
}

const GOOD: [&str; 4] = [
    "munmap(0x7f0012345000, 4096) = 0",
    "io_getevents(7, -1, 1, 0, 0) = -4",
    "rt_sigreturn() = -4",
    "close(3) = 0",
];

#[test]
fn faults_have_names() {
    let want = trace(
        r#"{"name": "munmap", "nr": 11, "args": ["0x7f0012345000", 4096], "ret": 0},
        {"name": "io_getevents", "nr": 208, "args": [7, -1, 1, 0, 0], "ret": -4},
        {"name": "rt_sigreturn", "nr": 15, "args": [], "ret": -4},
        {"name": "close", "nr": 3, "args": [3], "ret": 0}"#,
    );
    let change = |at: usize, line: &'static str| {
        let mut lines = GOOD.to_vec();
        lines[at] = line;
        lines
    };
    let rows: [(Vec<&str>, &[Option<Fault>]); 9] = [
        (GOOD.to_vec(), &[]),
        (
            change(0, "munmap(0x12345000, 4096) = 0"),
            &[Some(Fault::Cut)],
        ),
        (
            change(1, "io_getevents(7, 0xffffffff, 1, 0, 0) = -4"),
            &[Some(Fault::Sign)],
        ),
        (
            change(1, "io_getevents(7, -1, 1, 0, 0) = 4294967292"),
            &[Some(Fault::Sign)],
        ),
        (change(1, "io_getevents(7, 5, 1, 0, 0) = -4"), &[None]),
        (
            [&GOOD[..2], &GOOD[3..]].concat(),
            &[Some(Fault::AfterSignal)],
        ),
        ([&GOOD[..3]].concat(), &[Some(Fault::AfterSignal)]),
        ([&GOOD[..1], &GOOD].concat(), &[Some(Fault::Doubled)]),
        (
            vec![GOOD[1], GOOD[0], GOOD[2], GOOD[3]],
            &[Some(Fault::Swapped), Some(Fault::Swapped)],
        ),
    ];
    for (lines, faults) in rows {
        let found = verdict(&want, Options::default(), &lines);
        let all = found.rows.iter().flat_map(|row| &row.differences);
        let all: Vec<_> = all.map(|each| each.fault).collect();
        assert_eq!(all, faults, "{lines:?}: {found}");
    }
}

/// Children: by event or by the result of fork, before or after it returns, and with its end.
#[test]
fn children_are_found() {
    let expected = load("aio-fork");
    let made = calls(&expected);
    let all = events(&made);
    let forks = |event: &Event| matches!(event.what, What::Fork(_));
    let without: Vec<_> = all.iter().filter(|event| !forks(event)).cloned().collect();
    let exact = |events: Vec<Event>| {
        let found = judge(&expected, Options::default(), events);
        assert!(found.complete(), "{}: {found}", found.summary());
    };
    exact(all.clone());
    exact(without.clone());
    let (first, others): (Vec<Event>, _) =
        without.iter().cloned().partition(|event| event.tid != 4000);
    let late: Vec<_> = others.iter().chain(&first).cloned().collect();
    exact(late);
    let mut seen: Vec<_> = others.clone();
    let place = seen.iter().position(
        |event| matches!(&event.what, What::Whole(call) if call.name.as_deref() == Some("fork")),
    );
    seen.splice(place.expect("fork")..place.expect("fork"), first.clone());
    exact(seen);
    let found = judge(&expected, Options::default(), others);
    assert_eq!(found.summary(), "10 calls, 2 children missing");
}

/// A repetition's number of rounds is forgotten with the round around it.
#[test]
fn rounds_in_rounds() {
    let want = trace(
        r#"{"repeat": 2, "calls": [
            {"repeat": {"min": 1, "max": 9}, "as": "$n", "why": "as it comes", "calls": [
                {"name": "close", "nr": 3, "args": [3], "ret": 0}
            ]},
            {"name": "getpid", "nr": 39, "args": [], "ret": 7},
            {"repeat": {"min": 1, "max": 9}, "as": "$n", "why": "as it comes", "calls": [
                {"name": "close", "nr": 3, "args": [4], "ret": 0}
            ]}
        ]}"#,
    );
    let round = |first: usize, second: usize| {
        let closes = |fd: &'static str, count| vec![fd; count];
        let (one, two) = (
            closes("close(3) = 0", first),
            closes("close(4) = 0", second),
        );
        [one, vec!["getpid() = 7"], two].concat()
    };
    let rows = [
        ((2, 2), (5, 5), true),
        ((2, 2), (5, 4), false),
        ((2, 3), (5, 5), false),
    ];
    for (one, two, exact) in rows {
        let lines = [round(one.0, one.1), round(two.0, two.1)].concat();
        let found = verdict(&want, Options::default(), &lines);
        assert_eq!(found.exact(), exact, "{one:?} {two:?}: {found}");
    }
}
