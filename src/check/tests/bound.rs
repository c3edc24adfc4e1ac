//! A million calls are judged in little memory, whether they are as expected or not.

mod stream;

use ioworkload_check::event::{Call, Event, Ret, Value, What};
use ioworkload_check::expected::{Count, Entry, Expected, load};
use ioworkload_check::judge::{Judge, Options, Verdict};
use std::fs;
use std::time::Instant;

const MANY: u64 = 1_000_000;
/// What may be needed beyond what the test needs before the first event.
const KIB: u64 = 48 * 1024;

fn burst() -> Expected {
    let mut expected = load("aio-burst").expect("a scenario");
    for entry in &mut expected.calls {
        if let Entry::Repeat(repeat) = entry {
            repeat.repeat = Count::Exact(MANY);
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

/// Judges a burst whose rounds are these.
fn judged(rounds: impl Iterator<Item = Event>) -> Verdict {
    let expected = burst();
    let mut judge = Judge::new(&expected, Options::default());
    judge.event(zero("io_setup", &[1, 0x7ffd_1000]));
    rounds.for_each(|event| judge.event(event));
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

#[test]
fn a_million_calls() {
    let before = peak();
    let rounds = || 1..=MANY;
    let lost = |lost: fn(u64) -> bool| move |round: &u64| !lost(*round);
    let rows: [(&str, Verdict, &str); 5] = [
        (
            "all",
            timed("all", || judged(rounds().map(|round| get(round, 0)))),
            "exact in",
        ),
        (
            "one in a thousand is lost",
            timed("thousandth", || {
                judged(
                    rounds()
                        .filter(lost(|round| round % 1000 == 7))
                        .map(|round| get(round, 0)),
                )
            }),
            "999003 calls, 1000 missing",
        ),
        (
            "three thousand in a row are lost",
            timed("3000", || {
                judged(
                    rounds()
                        .filter(lost(|round| (5000..8000).contains(&round)))
                        .map(|round| get(round, 0)),
                )
            }),
            "997003 calls, 3000 missing",
        ),
        (
            "half a million in a row is lost",
            timed("half", || {
                judged(
                    rounds()
                        .filter(lost(|round| (5000..505_000).contains(&round)))
                        .map(|round| get(round, 0)),
                )
            }),
            "500003 calls, 500000 missing",
        ),
        (
            "every result is wrong",
            timed("wrong", || judged(rounds().map(|round| get(round, 1)))),
            "1000003 calls, 1000000 wrong results",
        ),
    ];
    for (title, verdict, summary) in rows {
        assert!(
            verdict.summary().starts_with(summary),
            "{title}: {}",
            verdict.summary()
        );
        assert!(verdict.rows.len() <= 1000, "{title}");
    }
    let used = peak() - before;
    println!("{used} KiB");
    assert!(used < KIB, "{used} KiB");
}

fn timed(title: &str, judged: impl FnOnce() -> Verdict) -> Verdict {
    let start = Instant::now();
    let verdict = judged();
    println!("{title}: {:?}, {} KiB", start.elapsed(), peak());
    verdict
}
