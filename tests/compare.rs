//! Does the comparison find every difference, and nothing where there is none?

use ioworkload_check::compare::compare;
use ioworkload_check::expected::{Child, Children, Expected, Kernel, parse};
use ioworkload_check::trace::{Call, Memory, Seen};

const NEW: Kernel = Kernel(6, 12);

/// An expected trace with these calls.
fn expected(calls: &str) -> Expected {
    on(NEW, calls).expect("a trace")
}

fn on(kernel: Kernel, calls: &str) -> anyhow::Result<Expected> {
    let head = r#"{"format": 1, "scenario": "s", "about": "A.", "calls": ["#;
    let end = r#"{"name": "exit_group", "nr": 231, "args": [0], "ret": null}"#;
    parse(&format!("{head}{calls}{end}]}}"), kernel)
}

fn call(name: &str, nr: u64, args: &[u64], ret: i64) -> Call {
    Call {
        name: name.into(),
        nr,
        args: args.into(),
        ret: Some(ret),
        ..Call::default()
    }
}

/// What a witness saw: these calls, and the end.
fn seen(calls: impl IntoIterator<Item = Call>) -> Seen {
    let mut calls: Vec<_> = calls.into_iter().collect();
    calls.push(Call {
        ret: None,
        ..call("exit_group", 231, &[0], 0)
    });
    Seen {
        calls,
        end: "exited with 0".into(),
        children: Vec::new(),
    }
}

/// Compares, and wants these differences and no other.
fn differs(want: &Expected, got: &Seen, differences: &[&str]) {
    assert_eq!(compare(want, got).differences(), differences);
}

fn get(ctx: u64, nr: u64) -> Call {
    call("io_getevents", 208, &[ctx, 0, nr, 0, 0], 0)
}

const BURST: &str = r##"
    {"name": "io_setup", "nr": 206, "args": [1, "&ctx"], "ret": 0, "in": {"&ctx": 0}, "out": {"&ctx": "$ctx"}},
    {"repeat": 1000, "calls": [
        {"name": "io_getevents", "nr": 208, "args": ["$ctx", 0, "#n", 0, 0], "ret": 0}
    ]},"##;

fn burst(numbers: impl Iterator<Item = u64>) -> Seen {
    let setup = call("io_setup", 206, &[1, 0x7ff0], 0);
    seen([setup].into_iter().chain(numbers.map(|nr| get(0x7fa0, nr))))
}

#[test]
fn rounds_have_numbers() {
    differs(&expected(BURST), &burst(1..=1000), &[]);
}

#[test]
fn a_round_is_missed() {
    let lost = burst((1..=1000).filter(|nr| *nr != 500));
    differs(&expected(BURST), &lost, &["missing: io_getevents"]);
}

#[test]
fn a_round_is_too_many() {
    let twice = burst((1..=1000).flat_map(|nr| vec![nr; 1 + usize::from(nr == 7)]));
    let line = "not asked for: io_getevents(0x7fa0, 0x0, 0x7, 0x0, 0x0) = 0";
    differs(&expected(BURST), &twice, &[line]);
}

#[test]
fn two_rounds_in_another_order() {
    let swap = |nr| match nr {
        500 => 501,
        501 => 500,
        nr => nr,
    };
    let found = compare(&expected(BURST), &burst((1..=1000).map(swap)));
    assert_eq!((found.missing(), found.noise()), (1, 1), "{found}");
}

const WAIT: &str = r#"
    {"repeat": {"min": 0, "max": 5}, "why": "as it comes", "calls": [
        {"name": "faccessat", "nr": 269, "args": [4294967196, "&path", 0], "ret": -2},
        {"name": "nanosleep", "nr": 35, "args": ["&time", "&time"], "ret": 0}
    ]},
    {"name": "faccessat", "nr": 269, "args": [4294967196, "&path", 0], "ret": 0},"#;

fn wait(rounds: usize) -> Seen {
    let look = |ret| call("faccessat", 269, &[0xffff_ff9c, 0x7ff0, 0], ret);
    let sleep = call("nanosleep", 35, &[0x7ff8, 0x7ff8], 0);
    let each = (0..rounds).flat_map(|_| [look(-2), sleep.clone()]);
    seen(each.chain([look(0)]))
}

#[test]
fn as_many_rounds_as_there_may_be() {
    for rounds in 0..=5 {
        differs(&expected(WAIT), &wait(rounds), &[]);
    }
    let found = compare(&expected(WAIT), &wait(6));
    assert_eq!((found.missing(), found.noise()), (0, 2), "{found}");
}

/// As many closes as opens.
const PAIRS: &str = r#"
    {"repeat": {"min": 1, "max": 9}, "as": "$opened", "why": "as it comes", "calls": [
        {"name": "openat", "nr": 257, "args": ["&path"], "ret": 3}
    ]},
    {"repeat": {"min": 1, "max": 9}, "as": "$opened", "why": "as it comes", "calls": [
        {"name": "close", "nr": 3, "args": [3], "ret": 0}
    ]},"#;

#[test]
fn repetitions_of_one_name_are_equally_long() {
    let opened = |count| vec![call("openat", 257, &[0x7f0], 3); count];
    let closed = |count| vec![call("close", 3, &[3], 0); count];
    let pairs = |opens, closes| seen([opened(opens), closed(closes)].concat());
    let want = expected(PAIRS);
    differs(&want, &pairs(1, 1), &[]);
    differs(&want, &pairs(9, 9), &[]);
    differs(&want, &pairs(4, 3), &["missing: close"]);
    differs(&want, &pairs(3, 4), &["not asked for: close(0x3) = 0"]);
}

const ROUND: &str = r#"
    {"repeat": 2, "calls": [
        {"name": "openat", "nr": 257, "args": ["&path"], "ret": "$fd"},
        {"name": "close", "nr": 3, "args": ["$fd"], "ret": 0}
    ]},"#;

#[test]
fn a_name_ends_with_its_round() {
    let open = |path, fd| call("openat", 257, &[path], fd);
    let close = |fd| call("close", 3, &[fd], 0);
    let each = seen([open(0x7f0, 3), close(3), open(0x7f8, 4), close(4)]);
    differs(&expected(ROUND), &each, &[]);
    let other = seen([open(0x7f0, 3), close(3), open(0x7f8, 4), close(3)]);
    let line = "close(0x3) = 0: argument 0 should be $fd, which is 0x4";
    differs(&expected(ROUND), &other, &[line]);
}

const FORK: &str = r#"
    {"name": "io_setup", "nr": 206, "args": [1, "&ctx"], "ret": 0, "out": {"&ctx": "$ctx"}},
    {"name": "io_destroy", "nr": 207, "args": ["$ctx"], "ret": 0},"#;

fn family() -> Expected {
    let mut expected = expected(FORK);
    expected.children = vec![Child::Calls(expected.calls[1..].to_vec())];
    expected
}

#[test]
fn children_are_compared_too() {
    let setup = call("io_setup", 206, &[1, 0x7ff0], 0);
    let destroy = |ctx| call("io_destroy", 207, &[ctx], 0);
    let mut got = seen([setup, destroy(0x7fa0)]);
    got.children = vec![seen([destroy(0x7fa0)])];
    differs(&family(), &got, &[]);
    got.children = vec![seen([destroy(0x7fb0)])];
    let line = "child 1: io_destroy(0x7fb0) = 0: argument 0 should be $ctx, which is 0x7fa0";
    differs(&family(), &got, &[line]);
    got.children = vec![];
    let line = "missing: a child that starts with io_destroy";
    differs(&family(), &got, &[line]);
    got.children = vec![seen([destroy(0x7fa0)]), seen([])];
    let line = "not asked for: another thread or process, which did exit_group(0x0) = ?";
    differs(&family(), &got, &[line]);
}

#[test]
fn children_repeat() {
    let mut want = family();
    let children = vec![want.calls[1..].to_vec()];
    want.children = vec![Child::Repeat(Children {
        repeat: 3,
        children,
    })];
    let setup = call("io_setup", 206, &[1, 0x7ff0], 0);
    let destroy = call("io_destroy", 207, &[0x7fa0], 0);
    let mut got = seen([setup, destroy.clone()]);
    got.children = vec![seen([destroy]); 3];
    differs(&want, &got, &[]);
    got.children.pop();
    differs(
        &want,
        &got,
        &["missing: a child that starts with io_destroy"],
    );
    got.children = vec![got.children[0].clone(); 4];
    let line = "not asked for: another thread or process, which did io_destroy(0x7fa0) = 0";
    differs(&want, &got, &[line]);
}

const SUBMIT: &str = r#"
    {"name": "io_submit", "nr": 209, "args": [7, 1, "&iocbpp"], "ret": 1, "in": {"&iocbpp": ["&iocb"], "&iocb": {"aio_data": "0xda7a000000000001", "aio_lio_opcode": 1, "aio_fildes": "$fd", "aio_buf": "&payload", "aio_nbytes": 2}, "&payload": "ab"}},
    {"name": "io_getevents", "nr": 208, "args": [7, 1, 1, "&event", 0], "ret": 1, "out": {"&event": [{"data": "0xda7a000000000001", "obj": "&iocb", "res": -5}]}},"#;

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The memory of a submit and a getevents, and the calls.
fn submitted() -> [Call; 2] {
    let iocb = words(&[0xda7a_0000_0000_0001, 0, 0x3_0000_0001, 0x90, 2, 0, 0, 0]);
    let event = words(&[0xda7a_0000_0000_0001, 0x80, -5_i64 as u64, 0]);
    let mut submit = call("io_submit", 209, &[7, 1, 0x70], 1);
    submit.before = Memory::from([
        (0x70, words(&[0x80])),
        (0x80, iocb),
        (0x90, b"abc".to_vec()),
    ]);
    let mut get = call("io_getevents", 208, &[7, 1, 1, 0xa0, 0], 1);
    get.after = Memory::from([(0xa0, event)]);
    [submit, get]
}

#[test]
fn memory_is_as_expected() {
    let verdict = compare(&expected(SUBMIT), &seen(submitted()));
    assert!(verdict.exact(), "{verdict}");
    assert!(verdict.unread.is_empty(), "{:?}", verdict.unread);
}

#[test]
fn every_byte_of_memory_counts() {
    let [submit, get] = submitted();
    assert_eq!((submit.before.len(), get.after.len()), (3, 1));
    for (address, bytes) in submitted()[0].before.clone() {
        // A pointer and the descriptor may have any value, as long as it is the same everywhere.
        let free = match address {
            0x80 => 20..32,
            0x90 => 2..3,
            _ => 0..0,
        };
        for at in (0..bytes.len()).filter(|at| !free.contains(at)) {
            let mut calls = submitted();
            calls[0].before.get_mut(&address).expect("there")[at] ^= 1;
            let verdict = compare(&expected(SUBMIT), &seen(calls));
            assert!(
                !verdict.exact() || !verdict.unread.is_empty(),
                "{address:#x}, {at}"
            );
        }
    }
    for at in 0..32 {
        let mut calls = submitted();
        calls[1].after.get_mut(&0xa0).expect("there")[at] ^= 1;
        let verdict = compare(&expected(SUBMIT), &seen(calls));
        assert_eq!(verdict.differences().len(), 1, "{at}: {verdict}");
    }
}

#[test]
fn memory_that_was_not_read_is_noted() {
    let [mut submit, get] = submitted();
    submit.before.clear();
    let verdict = compare(&expected(SUBMIT), &seen([submit, get]));
    assert!(verdict.exact(), "{verdict}");
    let noted = ["&iocbpp", "&iocb", "&payload"].map(|name| format!("io_submit: in {name}"));
    assert_eq!(verdict.unread, noted);
}

#[test]
fn memory_that_was_read_in_part_is_a_difference() {
    let [submit, mut get] = submitted();
    get.after.get_mut(&0xa0).expect("there").truncate(31);
    let line = "io_getevents: out &event: 31 of 32 bytes were read";
    differs(&expected(SUBMIT), &seen([submit, get]), &[line]);
}

const SINCE: &str = r#"
    {"name": "io_submit", "nr": 209, "args": [7], "ret": -95, "since": [{"kernel": "6.4", "ret": 1}, {"kernel": "6.20", "ret": 2}]},"#;

#[test]
fn kernels_differ_as_stated() {
    let submit = |ret| seen([call("io_submit", 209, &[7], ret)]);
    let rows = [
        ("5.10.0-32-cloud-amd64", -95),
        ("6.3", -95),
        ("6.4", 1),
        ("6.12", 1),
        ("6.20.1", 2),
        ("7.0", 2),
    ];
    for (kernel, ret) in rows {
        let want = on(kernel.parse().expect("a version"), SINCE).expect("a trace");
        differs(&want, &submit(ret), &[]);
        assert!(!compare(&want, &submit(0)).exact(), "{kernel}");
    }
}

#[test]
fn the_number_of_arguments_counts() {
    let want = expected(r#"{"name": "close", "nr": 3, "args": [7], "ret": 0},"#);
    let line = "close(0x7, 0x8) = 0: expected 1 arguments";
    let got = seen([call("close", 3, &[7, 8], 0)]);
    differs(&want, &got, &[line]);
    let got = seen([call("close", 3, &[], 0)]);
    differs(&want, &got, &["close() = 0: expected 1 arguments"]);
}

#[test]
fn the_kernel_may_show_more_than_the_program_gets() {
    let want = expected(
        r#"{"name": "io_pgetevents", "nr": 333, "args": [], "ret": -4, "sys_exit": -514},"#,
    );
    differs(&want, &seen([call("io_pgetevents", 333, &[], -514)]), &[]);
    let line = "io_pgetevents() = -4: should return -4, and show -514";
    differs(&want, &seen([call("io_pgetevents", 333, &[], -4)]), &[line]);
}

#[test]
fn a_range_has_two_ends() {
    let want = expected(
        r#"{"name": "io_submit", "nr": 209, "args": [], "ret": {"min": 120, "max": 126}, "why": "CPUs"},"#,
    );
    for (ret, exact) in [(119, false), (120, true), (126, true), (127, false)] {
        let got = seen([call("io_submit", 209, &[], ret)]);
        assert_eq!(compare(&want, &got).exact(), exact, "{ret}");
    }
}

#[test]
fn what_is_no_trace_is_refused() {
    let rows = [
        (
            r#"{"name": "close", "nr": 3, "args": [0]},"#,
            "missing field `ret`",
        ),
        (
            r#"{"name": "close", "nr": 3, "args": ["fd"], "ret": 0},"#,
            "no argument: \"fd\"",
        ),
        (
            r#"{"name": "close", "nr": 3, "args": [0], "ret": 0, "arg": 1},"#,
            "unknown field `arg`",
        ),
        (
            r#"{"name": "close", "nr": 3, "args": [0], "ret": "0"},"#,
            "any variant of untagged enum Ret",
        ),
        (
            r#"{"repeat": 3, "calls": [], "ret": 0},"#,
            "unknown field `ret`",
        ),
        (
            r#"{"name": "close", "nr": 3, "args": [0], "ret": 0, "since": [{"ret": 1}]},"#,
            "since has no kernel",
        ),
    ];
    for (row, why) in rows {
        let error = on(NEW, row).expect_err(row);
        assert!(format!("{error:#}").contains(why), "{row}: {error:#}");
    }
}

/// A descriptor can have the number that a line has as its length, but not that of another.
#[test]
fn a_length_is_no_handle() {
    let want = |name: &str| {
        expected(&format!(
            r#"{{"name": "write", "nr": 1, "args": [1, "&line", "{name}"], "ret": "{name}"}},
            {{"name": "openat", "nr": 257, "args": ["&path"], "ret": "$fd"}},"#
        ))
    };
    let write = call("write", 1, &[1, 0x7ff0, 5], 5);
    let got = seen([write, call("openat", 257, &[0x7ff8], 5)]);
    differs(&want("$gate_len"), &got, &[]);
    let line = "openat(0x7ff8) = 5: should return $fd";
    differs(&want("$other"), &got, &[line]);
}
