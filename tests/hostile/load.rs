//! Load: every scenario again and again, 8 at a time, beside what takes the CPUs and what floods the
//! disk; and with a neighbour who has used up nearly all of fs.aio-max-nr.
//!
//! The rule: a run succeeds, and every tenth (of aio-burst every thousandth), which is watched call by
//! call, makes its expected trace to the last argument; where the neighbour leaves too little, it says so in its one line and ends
//! with 77. What takes longer than three minutes counts as hung.

use crate::faults::Fault;
use crate::length::{self, progress, rounds};
use crate::places::{Place, places};
use crate::run::{Ended, fixture, run};
use crate::tally::{Cases, trial};
use anyhow::{Result, ensure};
use ioworkload_check::compare::compare;
use ioworkload_check::expected::{Call, Expected, Ret, load};
use ioworkload_check::trace::Seen;
use ioworkload_tests::hoard::Hoard;
use ioworkload_tests::room::Room;
use ioworkload_tests::{ptrace, scenarios, shipped};
use libtest_mimic::Trial;
use nix::errno::Errno;
use std::any::Any;
use std::hint;
use std::io::{Seek, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};

const AREA: &str = "6 load, runs";
const SCARCE: &str = "6 load, aio-max-nr";

pub fn trials() -> Vec<Trial> {
    let each = |name: &String| trial(AREA, name, loaded);
    let mut trials: Vec<_> = scenarios().iter().map(each).collect();
    trials.push(Trial::test("6 load::control", || Ok(control()?)));
    trials
}

/// The whole machine feels these, so nothing runs beside them.
pub fn trials_alone() -> Vec<Trial> {
    let leaves = |events: &str| trial(SCARCE, events, scarce);
    ["0", "32", "64", "128"].map(leaves).into()
}

fn loaded(scenario: &str, cases: &mut Cases) -> Result<()> {
    let expected = load(scenario)?;
    let _hogs = Hogs::here();
    // To watch a hundred thousand calls takes seconds.
    let watched_every = if scenario == "aio-burst" { 1_000 } else { 10 };
    let mut numbers = rounds(24, |count| count).peekable();
    while numbers.peek().is_some() {
        let some: Vec<_> = numbers.by_ref().take(240).collect();
        cases.each(&some, |number| match number % watched_every {
            0 => watched(scenario, &expected),
            _ => well(scenario),
        });
        progress(AREA, scenario, some.last().map_or(0, |last| last + 1));
    }
    Ok(())
}

/// What takes all it can get: a thread for each of two CPUs, and one that writes a file out to the
/// disk all the time.
struct Hogs {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Hogs {
    /// Those that are there already, if somebody else runs beside them. They end with the last who
    /// does.
    fn here() -> Arc<Self> {
        static THERE: Mutex<Weak<Hogs>> = Mutex::new(Weak::new());
        let mut there = THERE.lock().unwrap_or_else(PoisonError::into_inner);
        there.upgrade().unwrap_or_else(|| {
            let hogs = Arc::new(Self::new());
            *there = Arc::downgrade(&hogs);
            hogs
        })
    }

    fn new() -> Self {
        let stop = Arc::<AtomicBool>::default();
        let hog = |deed: fn(&AtomicBool)| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || deed(&stop))
        };
        let threads = [spin, spin, flood].map(hog).into();
        Self { stop, threads }
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().expect("a hog goes on");
        }
    }
}

fn spin(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        hint::spin_loop();
    }
}

fn flood(stop: &AtomicBool) {
    let mut file = tempfile::tempfile().expect("a disk");
    let megabyte = vec![0; 1 << 20];
    while !stop.load(Ordering::Relaxed) {
        file.rewind().expect("a file");
        file.write_all(&megabyte).expect("a disk with room");
        file.sync_all().expect("a disk");
    }
}

fn well(scenario: &str) -> Result<()> {
    let room = Room::new();
    let ended = run(&mut fixture(scenario, &room))?;
    ensure!(ended == Ended::with(0, ""), "{ended:?}");
    ensure!(room.names().is_empty(), "left {:?}", room.names());
    Ok(())
}

fn watched(scenario: &str, expected: &Expected) -> Result<()> {
    let room = Room::new();
    let seen = ptrace::witness(&shipped(scenario), &|command| room.as_tmp(command))?;
    exact(&seen, expected)?;
    ensure!(room.names().is_empty(), "left {:?}", room.names());
    Ok(())
}

fn exact(seen: &Seen, expected: &Expected) -> Result<()> {
    let differences = compare(expected, seen).differences();
    let few: Vec<_> = differences.iter().take(3).collect();
    ensure!(few.is_empty(), "{few:?}");
    Ok(())
}

/// 8 copies share what the neighbour has left; the quick form tries one scenario, or all that get nothing.
fn scarce(events: &str, cases: &mut Cases) -> Result<()> {
    let events = events.parse()?;
    let mut names = scenarios();
    names.retain(|name| events == 0 || length::long() || name == "aio-getevents");
    let _hoard = Hoard::all_but(events);
    for name in names {
        let expected = load(&name)?;
        cases.each(&[name.as_str(); 8], |name| {
            enough_or_not(name, &expected, events)
        });
    }
    Ok(())
}

/// Of nothing no context is made, so there the line has to come.
fn enough_or_not(scenario: &str, expected: &Expected, events: u32) -> Result<()> {
    let room = Room::new();
    let ended = run(&mut fixture(scenario, &room))?;
    let places = places(&expected.calls);
    let line = |place: Place| {
        let (code, text) = Fault::new(scenario, place, Errno::EAGAIN).line();
        Ended::with(code, &format!("{scenario}: {text}"))
    };
    let setups = places
        .into_iter()
        .filter(|place| place.call.name == "io_setup");
    let clean = setups.map(line).any(|line| line == ended);
    let makes = |call: &&Call| call.name == "io_setup" && matches!(call.ret, Some(Ret::Number(0)));
    let cant = events == 0 && expected.each().iter().any(makes);
    ensure!(clean || !cant && ended == Ended::with(0, ""), "{ended:?}");
    ensure!(room.names().is_empty(), "left {:?}", room.names());
    Ok(())
}

/// A run that is not the expected one is noticed, and so is a neighbour.
fn control() -> Result<()> {
    let room = Room::new();
    let witness = |name| ptrace::witness(&shipped(name), &|command| room.as_tmp(command));
    let expected = load("aio-submit")?;
    let mut seen = witness("aio-submit")?;
    exact(&seen, &expected)?;
    let other = load("aio-getevents")?;
    ensure!(exact(&seen, &other).is_err(), "one call too few");
    seen.children.push(witness("aio-setup")?);
    ensure!(exact(&seen, &expected).is_err(), "another process");
    seen.children.clear();
    seen.calls[2].ret = Some(2);
    ensure!(exact(&seen, &expected).is_err(), "another answer");
    seen.calls.truncate(2);
    ensure!(exact(&seen, &expected).is_err(), "an end in the middle");
    // The hogs end even so: otherwise this is never over.
    let panics = || {
        let _hogs = Hogs::new();
        panic::resume_unwind(Box::new(()))
    };
    ensure!(panic::catch_unwind(panics).is_err_and(|what: Box<dyn Any + Send>| what.is::<()>()));
    Ok(())
}
