//! A million calls are judged in little memory, whether they are as expected or not.

mod stream;

use ioworkload_check::event::{Call, Event, Ret, Value, What};
use ioworkload_check::expected::{Count, Entry, Expected, load};
use ioworkload_check::judge::{Judge, Options, Verdict};
use std::fs;
use std::time::Instant;

const MANY: u64 = 1_000_000;
const LESS: u64 = MANY / 10;
/// What may be needed beyond what the test has before the first event.
const KIB: u64 = 32 * 1024;

fn burst(rounds: u64) -> Expected {
    let mut expected = load("aio-burst").expect("a scenario");
    for entry in &mut expected.calls {
        if let Entry::Repeat(repeat) = entry {
            repeat.repeat = Count::Exact(rounds);
        }
    }
    expected
}

fn whole(name: &str, args: &[u64], ret: Ret) -> Event {
    let args = args.iter().map(|arg| Value::Number((*arg).into()));
    let call = Call {
        name: Some(name.into()),
        args: Some(args.collect()),
        ret: Some(ret),
        ..Call::default()
    };
    stream::event(1, What::Whole(call))
}

fn zero(name: &str, args: &[u64]) -> Event {
    whole(name, args, Ret::Number(0))
}

fn get(round: u64, ret: i64) -> Event {
    whole(
        "io_getevents",
        &[0x7f00_0000_1000, 0, round, 0, 0],
        Ret::Number(ret),
    )
}

/// Judges a burst of so many rounds, of which each is as this says, or lost.
fn judged(rounds: u64, each: impl Fn(u64) -> Option<Event>) -> Verdict {
    let expected = burst(rounds);
    let mut judge = Judge::new(&expected, Options::default());
    judge.event(zero("io_setup", &[32, 0x7ffd_1000]));
    (1..=rounds)
        .filter_map(each)
        .for_each(|event| judge.event(event));
    judge.event(zero("io_destroy", &[0x7f00_0000_1000]));
    judge.event(whole("exit_group", &[0], Ret::Never));
    judge.finish()
}

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number
        .and_then(|number| number.parse().ok())
        .expect("a number")
}

type Row = (u64, fn(u64) -> Option<Event>, &'static str);

fn lost(round: u64, is: bool) -> Option<Event> {
    (!is).then(|| get(round, 0))
}

const ROWS: [Row; 6] = [
    (
        MANY,
        |round| lost(round, false),
        "exact in numbers, arguments and results; memory not reported",
    ),
    (
        MANY,
        |round| lost(round, (5000..505_000).contains(&round)),
        "500003 calls, 500000 missing",
    ),
    (
        LESS,
        |round| lost(round, (5000..8000).contains(&round)),
        "97003 calls, 3000 missing",
    ),
    (
        LESS,
        |round| lost(round, round % 1000 == 7),
        "99903 calls, 100 missing",
    ),
    (
        LESS,
        |round| Some(get(round, (round % 2) as i64)),
        "100003 calls, 50000 wrong results",
    ),
    (
        LESS,
        |round| Some(get(round, 1)),
        "100003 calls, 100000 wrong results",
    ),
];

#[test]
fn a_million_calls() {
    let before = peak();
    for (rounds, each, summary) in ROWS {
        let start = Instant::now();
        let verdict = judged(rounds, each);
        println!("{:?}, {} KiB: {summary}", start.elapsed(), peak() - before);
        assert_eq!(verdict.summary(), summary);
        assert!(verdict.rows.len() <= 1000, "{} rows", verdict.rows.len());
    }
    let used = peak() - before;
    assert!(used < KIB, "{used} KiB");
}
