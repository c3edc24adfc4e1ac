//! Killed anywhere: at the entry and at the exit of each call, and at random moments, by SIGKILL,
//! SIGTERM and SIGINT, and stopped by SIGSTOP and continued.
//!
//! The rule: a signal that kills, kills; what is left is at most the target file, and the next run
//! succeeds and leaves nothing. SIGSTOP and SIGCONT change nothing, with one exception that is the
//! kernel's: io_getevents that waits is interrupted, and answers EINTR. Of each
//! scenario that does not end at once somebody is killed alive, but for aio-exit-live, which spends
//! its time in the exit.

use crate::length::{SEED, rounds};
use crate::places::{Place, places};
use crate::run::{Ended, finish, fixture, next_run, start};
use crate::tally::{Cases, trial};
use anyhow::{Context, Result, ensure};
use ioworkload_check::expected::load;
use ioworkload_tests::driver::{self, Act, End, Run, Stop};
use ioworkload_tests::gated::{has_stopped, until};
use ioworkload_tests::random::Random;
use ioworkload_tests::room::Room;
use ioworkload_tests::scenarios;
use libtest_mimic::Trial;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const BOUNDARY: &str = "2 kills, boundary";
const RANDOM: &str = "2 kills, random";

const SIGNALS: [Signal; 4] = [
    Signal::SIGKILL,
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGSTOP,
];

pub fn trials() -> Vec<Trial> {
    let both = |name: String| {
        let boundary = trial(BOUNDARY, &name, each_boundary);
        [boundary, trial(RANDOM, &name, random_moments)]
    };
    let mut trials: Vec<_> = scenarios().into_iter().flat_map(both).collect();
    trials.push(Trial::test("2 kills::timer", || Ok(timer()?)));
    trials.push(Trial::test("2 kills::ignored", || Ok(ignored()?)));
    trials.push(Trial::test("2 kills::restarted", || Ok(restarted()?)));
    trials.push(Trial::test("2 kills::control", || Ok(control()?)));
    trials
}

fn each_boundary(scenario: &str, cases: &mut Cases) -> Result<()> {
    let expected = load(scenario)?;
    let mut hits = Vec::new();
    for place in places(&expected.calls) {
        for entry in [true, false] {
            let returns = place.call.name != "exit_group";
            let hit = |signal| Hit {
                scenario,
                place,
                entry,
                signal,
            };
            hits.extend(
                SIGNALS
                    .map(hit)
                    .into_iter()
                    .filter(|hit| hit.entry || returns),
            );
        }
    }
    cases.each(&hits, Hit::check);
    Ok(())
}

struct Hit<'a> {
    scenario: &'a str,
    place: Place<'a>,
    entry: bool,
    signal: Signal,
}

impl fmt::Debug for Hit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.entry { "entry" } else { "exit" };
        let (signal, nth, name) = (self.signal, self.place.nth + 1, &self.place.call.name);
        write!(f, "{signal} at the {side} of {name} number {nth}")
    }
}

impl Hit<'_> {
    fn check(&self) -> Result<()> {
        let room = Room::new();
        let run = self.drive(&room)?;
        let place = run.place(self.place.call.nr, self.place.nth);
        ensure!(place.is_some(), "ended before");
        self.ended(&run, &room)?;
        only_target(self.scenario, &room)?;
        next_run(self.scenario, &room)
    }

    fn drive(&self, room: &Room) -> Result<Run> {
        driver::drive(fixture(self.scenario, room), |stop| {
            if self.place.is(stop) && stop.entry == self.entry {
                Act::Signal(self.signal)
            } else {
                Act::Go
            }
        })
    }

    fn ended(&self, run: &Run, room: &Room) -> Result<()> {
        // A process that has begun to exit is out of the reach of all signals but one.
        let exits = self.place.call.name == "exit_group" && self.signal != Signal::SIGKILL;
        let (end, stops) = match self.signal {
            _ if exits => (End::Exited(0), 0),
            Signal::SIGSTOP => return self.went_on(run, room),
            signal => (End::Killed(signal), 0),
        };
        let wanted = (Some(end), stops, "", "");
        let got = (
            run.ends[0],
            run.stops,
            run.stdout.as_str(),
            run.stderr.as_str(),
        );
        ensure!(got == wanted, "{got:?}, expected {wanted:?}");
        Ok(())
    }

    /// Stopped and continued: as if nothing had been, or interrupted where the kernel does that.
    fn went_on(&self, run: &Run, room: &Room) -> Result<()> {
        ensure!(run.stops == 1, "stopped {} times", run.stops);
        ensure!(room.names().is_empty(), "left {:?}", room.names());
        let said = (run.ends[0], run.stdout.as_str(), run.stderr.as_str());
        let line = interrupted_line(self.scenario) + "\n";
        let interrupted = self.entry
            && self.place.call.name == "io_getevents"
            && said == (Some(End::Exited(1)), "", line.as_str());
        ensure!(
            interrupted || said == (Some(End::Exited(0)), "", ""),
            "{said:?}"
        );
        Ok(())
    }
}

/// A stop ends the second wait of aio-getevents-eintr in the timer's place. Nothing of the timer is
/// left when SIGALRM kills again, however long the next call takes.
fn timer() -> Result<()> {
    let scenario = "aio-getevents-eintr";
    let expected = load(scenario)?;
    let places = places(&expected.calls);
    let find = |name, nth| {
        let mut found = places.iter().filter(move |place| place.call.name == name);
        found.nth(nth).context("the scenario has this call")
    };
    let (wait, last) = (find("io_getevents", 1)?, find("io_destroy", 0)?);
    let room = Room::new();
    let run = driver::drive(fixture(scenario, &room), |stop| {
        if stop.entry && last.is(stop) {
            thread::sleep(Duration::from_millis(300));
        }
        if stop.entry && wait.is(stop) {
            Act::Signal(Signal::SIGSTOP)
        } else {
            Act::Go
        }
    })?;
    let got = (run.ends[0], run.stops, run.stderr.as_str());
    ensure!(got == (Some(End::Exited(0)), 1, ""), "{got:?}");
    Ok(())
}

/// What a scenario says when a wait was interrupted.
fn interrupted_line(scenario: &str) -> String {
    format!("{scenario}: io_getevents: EINTR (errno 4)")
}

/// A signal that is ignored by default ends a wait in io_getevents under ptrace, and only there.
fn ignored() -> Result<()> {
    let scenario = "aio-getevents-timeout";
    let line = interrupted_line(scenario);
    for signal in [Signal::SIGWINCH, Signal::SIGCHLD] {
        let room = Room::new();
        let at_the_wait = |stop: &Stop| match (stop.call.nr, stop.entry) {
            (IO_GETEVENTS, true) => Act::Signal(signal),
            _ => Act::Go,
        };
        let run = driver::drive(fixture(scenario, &room), at_the_wait)?;
        let got = (run.ends[0], run.stderr.trim_end());
        ensure!(
            got == (Some(End::Exited(1)), line.as_str()),
            "{signal}: {got:?}"
        );

        let mut child = start(&mut fixture(scenario, &room))?;
        while child.try_wait()?.is_none() {
            kill(Pid::from_raw(child.id().cast_signed()), signal)?;
            thread::sleep(Duration::from_millis(1));
        }
        let ended = finish(child)?;
        ensure!(ended == Ended::with(0, ""), "untraced, {signal}: {ended:?}");
    }
    Ok(())
}

/// io_pgetevents is restarted, after a stop as after a signal that is ignored. Its own signal is
/// kept from aio-pgetevents-eintr until then, so that it waits.
fn restarted() -> Result<()> {
    let scenario = "aio-pgetevents-eintr";
    for signal in [Signal::SIGSTOP, Signal::SIGWINCH, Signal::SIGCHLD] {
        let room = Room::new();
        let run = driver::drive(fixture(scenario, &room), |stop| {
            match (stop.call.nr, stop.nth, stop.entry) {
                (KILL, 0, true) => Act::Answer(0),
                (IO_PGETEVENTS, 0, true) => Act::Signal(signal),
                (IO_PGETEVENTS, 1, true) => Act::Signal(Signal::SIGUSR1),
                _ => Act::Go,
            }
        })?;
        let waits = run.calls[0].iter().filter(|call| call.nr == IO_PGETEVENTS);
        let answers: Vec<_> = waits.map(|call| call.ret).collect();
        let wanted = [ERESTARTNOHAND, ERESTARTNOHAND, ERESTARTNOHAND, 1].map(Some);
        ensure!(answers == wanted, "{signal}: {answers:?}");
        let got = (run.ends[0], run.stderr.as_str());
        ensure!(got == (Some(End::Exited(0)), ""), "{signal}: {got:?}");
    }
    Ok(())
}

const IO_GETEVENTS: u64 = libc::SYS_io_getevents.cast_unsigned();
const IO_PGETEVENTS: u64 = 333;
const KILL: u64 = libc::SYS_kill.cast_unsigned();
/// What the exit of a call shows that is restarted unless a handler runs.
const ERESTARTNOHAND: i64 = -514;

/// What a killed run leaves: at most its target.
fn only_target(scenario: &str, room: &Room) -> Result<()> {
    let target = format!("ioworkload-{scenario}");
    let others: Vec<_> = room
        .names()
        .into_iter()
        .filter(|name| *name != target)
        .collect();
    ensure!(others.is_empty(), "left {others:?}");
    Ok(())
}

fn random_moments(scenario: &str, cases: &mut Cases) -> Result<()> {
    let (whole, alive) = (alone(scenario)?, AtomicUsize::new(0));
    let mut random = Random::from(*SEED);
    let mut numbers = rounds(24, |count| count / 10).peekable();
    while numbers.peek().is_some() {
        let mut moment = || Duration::from_micros(random.below(whole.as_micros() as u64));
        let case = |round| (SIGNALS[round % SIGNALS.len()], moment());
        let some: Vec<_> = numbers.by_ref().take(240).map(case).collect();
        cases.each(&some, |(signal, moment)| {
            hit_at(scenario, *signal, *moment, &alive)
        });
    }
    if whole > LONG && scenario != "aio-exit-live" {
        meets(scenario, whole, &alive)?;
    }
    Ok(())
}

/// What runs for so long can be met; but not what spends its time in the exit, out of reach.
const LONG: Duration = Duration::from_millis(5);

/// Somebody was killed alive, or is now. Who took the time on a busy machine aims too late: so aim
/// earlier and earlier.
fn meets(scenario: &str, whole: Duration, alive: &AtomicUsize) -> Result<()> {
    let mut moment = whole;
    while alive.load(Ordering::SeqCst) == 0 {
        ensure!(!moment.is_zero(), "nobody was killed alive, of {whole:?}");
        moment /= 2;
        hit_at(scenario, Signal::SIGKILL, moment, alive)?;
    }
    Ok(())
}

/// How long a run takes that nobody disturbs.
fn alone(scenario: &str) -> Result<Duration> {
    let child = start(&mut fixture(scenario, &Room::new()))?;
    let begin = Instant::now();
    finish(child)?;
    Ok(begin.elapsed())
}

/// Counts who was killed `alive`.
fn hit_at(scenario: &str, signal: Signal, moment: Duration, alive: &AtomicUsize) -> Result<()> {
    let room = &Room::new();
    let child = start(&mut fixture(scenario, room))?;
    let pid = Pid::from_raw(child.id().cast_signed());
    thread::sleep(moment);
    // Not yet waited for, so the number is still its own.
    kill(pid, signal)?;
    if signal == Signal::SIGSTOP {
        until("it has stopped", || has_stopped(pid));
        kill(pid, Signal::SIGCONT)?;
    }
    let ended = finish(child)?;
    let killed = by(signal);
    let fine = if signal == Signal::SIGSTOP {
        ended == Ended::with(1, &interrupted_line(scenario))
    } else {
        ended == killed
    };
    ensure!(fine || ended == Ended::with(0, ""), "{ended:?}");
    alive.fetch_add(usize::from(ended == killed), Ordering::SeqCst);
    only_target(scenario, room)?;
    next_run(scenario, room)
}

/// Killed by this signal, silent.
fn by(signal: Signal) -> Ended {
    Ended {
        code: None,
        signal: Some(signal as i32),
        ..Ended::with(0, "")
    }
}

/// A signal is not taken for another, and a room that stops the next run is noticed.
fn control() -> Result<()> {
    let expected = load("aio-submit")?;
    let calls = places(&expected.calls);
    let hit = |signal| Hit {
        scenario: "aio-submit",
        place: calls[2],
        entry: true,
        signal,
    };
    for done in SIGNALS {
        for predicted in SIGNALS {
            let room = Room::new();
            let run = hit(done).drive(&room)?;
            let verdict = hit(predicted).ended(&run, &room);
            ensure!(
                verdict.is_ok() == (done == predicted),
                "{done}, {predicted}: {verdict:?}"
            );
        }
    }
    let room = Room::new();
    fs::create_dir(room.path().join("ioworkload-aio-submit"))?;
    ensure!(
        next_run("aio-submit", &room).is_err(),
        "a directory is no hindrance"
    );
    fs::write(room.path().join("other"), "")?;
    ensure!(
        only_target("aio-submit", &room).is_err(),
        "a stranger is nothing"
    );
    Ok(())
}
