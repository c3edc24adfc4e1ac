//! Is the account of what a tracer has lost exact?

use ioworkload_tests::cpu;
use ioworkload_tests::loss::{Account, Burst, Ledger, Nap, Report, Tracer};
use nix::sched::sched_setaffinity;
use nix::unistd::{Pid, Uid};
use std::collections::BTreeSet;

fn account(sent: u64, numbers: impl IntoIterator<Item = u64>) -> Account {
    let mut ledger = Ledger::new(sent);
    numbers.into_iter().for_each(|number| ledger.note(number));
    ledger.close()
}

#[test]
fn by_hand() {
    type Row = (u64, &'static [u64], u64, &'static [(u64, u64)], [u64; 3]);
    let rows: &[Row] = &[
        (5, &[1, 2, 3, 4, 5], 5, &[], [0, 0, 0]),
        (5, &[], 0, &[(1, 5)], [0, 0, 0]),
        (1, &[1], 1, &[], [0, 0, 0]),
        (1, &[], 0, &[(1, 1)], [0, 0, 0]),
        (9, &[2, 3, 7], 3, &[(1, 1), (4, 6), (8, 9)], [0, 0, 0]),
        (3, &[1, 1, 2, 3, 2], 3, &[], [2, 0, 0]),
        (4, &[1, 3, 2, 4], 4, &[], [0, 1, 0]),
        (4, &[4, 3, 2, 1], 4, &[], [0, 3, 0]),
        (4, &[1, 4, 2, 2], 3, &[(3, 3)], [1, 1, 0]),
        (3, &[0, 1, 4, 3, 99], 2, &[(2, 2)], [0, 0, 3]),
        (64, &[63, 64], 2, &[(1, 62)], [0, 0, 0]),
        (
            128,
            &[64, 65, 127],
            3,
            &[(1, 63), (66, 126), (128, 128)],
            [0, 0, 0],
        ),
    ];
    for (sent, numbers, seen, gaps, [duplicated, out_of_order, strange]) in rows {
        let wanted = Account {
            sent: *sent,
            seen: *seen,
            gaps: gaps.iter().map(|(first, last)| *first..=*last).collect(),
            duplicated: *duplicated,
            out_of_order: *out_of_order,
            strange: *strange,
        };
        let got = account(*sent, numbers.iter().copied());
        assert_eq!(got, wanted, "{numbers:?}");
        assert_eq!(got.lost(), sent - seen, "{numbers:?}");
    }
}

/// The same by sets, of runs with losses of every length.
#[test]
fn as_slow_but_plain_code_has_it() {
    let mut random = 1_u64;
    for run in 0..200 {
        let mut numbers = Vec::new();
        let mut number = 0;
        while number < 1000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let dice = random >> 40;
            number += 1 + if dice % 7 < run % 7 { dice / 7 % 40 } else { 0 };
            numbers.push(number);
            if dice.is_multiple_of(11) {
                numbers.push(number.saturating_sub(dice % 90));
            }
        }
        let distinct: BTreeSet<_> = numbers.iter().filter(|n| (1..=1000).contains(*n)).collect();
        let missing: Vec<_> = (1..=1000).filter(|n| !distinct.contains(n)).collect();
        let got = account(1000, numbers.iter().copied());
        assert_eq!(got.seen, distinct.len() as u64);
        assert_eq!(
            got.gaps.iter().cloned().flatten().collect::<Vec<_>>(),
            missing
        );
        let apart = |pair: &[std::ops::RangeInclusive<u64>]| pair[0].end() + 1 < *pair[1].start();
        assert!(got.gaps.windows(2).all(apart), "{:?}", got.gaps);
        assert_eq!(
            got.seen + got.duplicated + got.strange,
            numbers.len() as u64
        );
    }
}

#[test]
fn as_it_is_printed() {
    let text = "gap          2 to 3: 2\ngap          5 to 5: 1\nsent         5\nseen         2\n\
                lost         3 in 2 gaps\nduplicated   1\nout of order 1";
    assert_eq!(account(5, [4, 1, 4]).to_string(), text);
    let strange = text.to_owned() + "\nnever sent   1";
    assert_eq!(account(5, [4, 1, 4, 6]).to_string(), strange);
}

fn report(tracer: Tracer, burst: Burst) -> Report {
    assert!(
        tracer == Tracer::Strace || Uid::effective().is_root(),
        "{tracer:?} needs root: run as root"
    );
    let report = tracer.run(burst, &|_| ());
    report.unwrap_or_else(|error| panic!("{tracer:?}: {error:#}"))
}

const CALLS: u32 = 20_000;

/// With room for all of them nothing is lost, and what counts it says so.
#[test]
fn with_room_for_all() {
    let rows = [
        (Tracer::Strace, None),
        (Tracer::Perf, Some(16384)),
        (Tracer::Bpftrace, Some(16384)),
        (Tracer::Ftrace, Some(16384)),
    ];
    for (tracer, kib) in rows {
        let burst = Burst {
            count: CALLS,
            kib,
            nap: None,
        };
        let Report { account, own } = report(tracer, burst);
        let all = Account {
            sent: CALLS.into(),
            seen: CALLS.into(),
            // bpftrace reads CPU by CPU; perf record 6.1 can store an event twice.
            out_of_order: if tracer == Tracer::Bpftrace {
                account.out_of_order
            } else {
                0
            },
            duplicated: if tracer == Tracer::Perf {
                account.duplicated
            } else {
                0
            },
            ..Account::default()
        };
        assert_eq!(account, all, "{tracer:?}");
        // strace stops the process: there is nothing to count.
        let counted = tracer != Tracer::Strace;
        assert_eq!(own, counted.then_some(0), "{tracer:?}");
    }
}

/// With room for next to none, and asleep for a while, it loses some, and what is seen and the gaps
/// make up all that was sent. The kernel's counts for ftrace and perf are the same to the last event;
/// bpftrace hears of a loss only with the next event that finds room, so that it may miss the last.
#[test]
fn with_room_for_next_to_none() {
    let burst = Burst {
        count: 10_000,
        kib: Some(4),
        nap: Some(Nap::Thousand),
    };
    for tracer in [Tracer::Perf, Tracer::Bpftrace, Tracer::Ftrace] {
        let Report { account, own } = report(tracer, burst);
        let lost = account.lost();
        assert_eq!(account.seen + lost, 10_000, "{tracer:?}");
        assert!(lost > 0 && account.seen > 0, "{tracer:?}: {account}");
        assert_eq!(account.strange, 0, "{tracer:?}");
        // As above.
        assert!(
            account.duplicated == 0 || tracer == Tracer::Perf,
            "{tracer:?}: {account}"
        );
        let own = own.expect("a count");
        let right = if tracer == Tracer::Bpftrace {
            own > 0 && own <= lost
        } else {
            own == lost
        };
        assert!(right, "{tracer:?} says {own} were lost: {account}");
    }
}

/// perf sleeps to the end: no event comes after the loss, and yet it is counted. On one CPU the record
/// of the workload's end finds no room either, and is counted too.
#[test]
fn a_loss_at_the_very_end() {
    let one = cpu::first().expect("a CPU");
    sched_setaffinity(Pid::from_raw(0), &one).expect("our own thread");
    let burst = Burst {
        count: 3_000,
        kib: Some(4),
        nap: Some(Nap::ToTheEnd),
    };
    let Report { account, own } = report(Tracer::Perf, burst);
    let last = account.gaps.last().map(|gap| *gap.end());
    assert_eq!(last, Some(3_000), "{account}");
    assert_eq!(own, Some(account.lost() + 1), "{account}");
}
