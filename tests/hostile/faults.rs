//! Every syscall fails: each call of a scenario gets each error that its man page has, ENOSYS and
//! EPERM in the kernel's place, and every other wrong answer that could be taken for a right one.
//!
//! The rule: up to that call the trace is the expected one. If the answer is none that the expected
//! trace allows, all that was held at that moment (contexts, descriptors, the target's name) is
//! given back, each once, and nothing else; then come the three calls of a failure, with the one
//! line that names the call and the answer. What the failing call would have given back itself is
//! not tried twice: a context whose io_destroy failed lasts until the exit, a file whose unlinkat
//! failed stays. The same holds if the releases fail too, and if the line can't be written.

use crate::tally::{Cases, trial};
use anyhow::{Context, Result, ensure};
use ioworkload_tests::expected::{Call, Count, Entry, Ret, Shape, load};
use ioworkload_tests::hand::{self, Act, End, Made, Run, Stop, peek};
use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use libtest_mimic::Trial;
use nix::errno::Errno::{self, *};
use nix::sys::signal::Signal;
use std::cmp::Ordering;
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::process::Command;

const AREA: &str = "1 faults";

pub fn trials() -> Vec<Trial> {
    let trial = |name: String| trial(AREA, &name, each_call);
    let mut trials: Vec<_> = scenarios().into_iter().map(trial).collect();
    trials.push(Trial::test("1 faults::control", || Ok(control()?)));
    trials
}

/// What each call may answer, by its man page. ENOSYS and EPERM come to all.
const ERRORS: &[(&str, &[Errno])] = &[
    ("close", &[EBADF, EINTR, EIO, ENOSPC, EDQUOT]),
    ("eventfd2", &[EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM]),
    ("fork", &[EAGAIN, ENOMEM]),
    ("io_cancel", &[EAGAIN, EFAULT, EINPROGRESS, EINVAL]),
    ("io_destroy", &[EFAULT, EINVAL]),
    ("io_getevents", &[EFAULT, EINTR, EINVAL]),
    ("io_pgetevents", &[EFAULT, EINTR, EINVAL]),
    ("io_setup", &[EAGAIN, EFAULT, EINVAL, ENOMEM]),
    ("io_submit", &[EAGAIN, EBADF, EFAULT, EINVAL, EOPNOTSUPP]),
    ("kill", &[EINVAL, ESRCH]),
    (
        "mmap",
        &[EACCES, EAGAIN, EBADF, EINVAL, ENFILE, ENODEV, ENOMEM],
    ),
    ("mprotect", &[EACCES, EINVAL, ENOMEM]),
    ("munmap", &[EINVAL, ENOMEM]),
    (
        "openat",
        &[
            EACCES,
            EBUSY,
            EDQUOT,
            EFAULT,
            EFBIG,
            EINTR,
            EINVAL,
            EISDIR,
            ELOOP,
            EMFILE,
            ENAMETOOLONG,
            ENFILE,
            ENODEV,
            ENOENT,
            ENOMEM,
            ENOSPC,
            ENOTDIR,
            ENXIO,
            EOPNOTSUPP,
            EOVERFLOW,
            EROFS,
            ETXTBSY,
            EAGAIN,
            EBADF,
            EEXIST,
        ],
    ),
    ("pipe2", &[EFAULT, EINVAL, EMFILE, ENFILE]),
    (
        "pread64",
        &[EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EIO, EISDIR],
    ),
    ("read", &[EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EIO, EISDIR]),
    ("rt_sigaction", &[EFAULT, EINVAL]),
    ("rt_sigprocmask", &[EFAULT, EINVAL]),
    ("setitimer", &[EFAULT, EINVAL]),
    (
        "unlinkat",
        &[
            EACCES,
            EBADF,
            EBUSY,
            EFAULT,
            EIO,
            EISDIR,
            ELOOP,
            ENAMETOOLONG,
            ENOENT,
            ENOMEM,
            ENOTDIR,
            EROFS,
            EINVAL,
        ],
    ),
    ("vfork", &[EAGAIN, ENOMEM]),
    ("wait4", &[ECHILD, EINTR, EINVAL]),
    (
        "write",
        &[
            EAGAIN, EBADF, EDQUOT, EFAULT, EFBIG, EINTR, EINVAL, EIO, ENOSPC, EPIPE,
        ],
    ),
];

/// Those whose names are in a fixture; any other is `unknown`.
const NAMED: &[Errno] = &[
    EPERM,
    ENOENT,
    EINTR,
    EIO,
    EBADF,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    EEXIST,
    ENOTDIR,
    EISDIR,
    EINVAL,
    ENFILE,
    EMFILE,
    ENOSPC,
    EROFS,
    ENOSYS,
    ELOOP,
    EOPNOTSUPP,
    EINPROGRESS,
    EDQUOT,
];

fn each_call(scenario: &str, cases: &mut Cases) -> Result<()> {
    let expected = load(scenario)?;
    let whole = lead(scenario, scenario, |_| Act::Go)?.run;
    ensure!(whole.ends[0] == Some(End::Exited(0)), "{whole:?}");
    let made = &whole.calls[0];
    for (at, call) in places(&expected.calls, made.len()) {
        ensure!(made[at].nr == call.nr, "call {at} is no {}", call.name);
        for (number, answer) in answers(call).into_iter().enumerate() {
            // What follows a failure does not depend on the answer: one is enough.
            let then = if number == 0 {
                &Then::ALL[..]
            } else {
                &[Then::Well]
            };
            for then in then {
                let title = format!("call {at}, {}, answers {answer}, then {then:?}", call.name);
                let fault = Fault {
                    scenario,
                    call,
                    at,
                    answer,
                    then: *then,
                };
                cases.add(&title, fault.check(made));
            }
        }
    }
    Ok(())
}

/// What goes wrong after the first failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Then {
    /// Nothing.
    Well,
    /// Each call that gives something back answers EIO, and is not made.
    NothingReleased,
    /// The calls that write the line answer EPERM.
    Unheard,
}

impl Then {
    const ALL: [Self; 3] = [Self::Well, Self::NothingReleased, Self::Unheard];

    fn act(self, call: &Made) -> Act {
        match (self, call.nr) {
            (Self::NothingReleased, IO_DESTROY | CLOSE | UNLINKAT) => Act::Answer(-(EIO as i64)),
            (Self::Unheard, RT_SIGPROCMASK | WRITE) => Act::Answer(-(EPERM as i64)),
            _ => Act::Go,
        }
    }
}

/// The calls and where they stand in the trace of a run with `total` calls. Of a repetition the
/// first two rounds and the last.
pub fn places(entries: &[Entry], total: usize) -> Vec<(usize, &Call)> {
    let mut places = Vec::new();
    lay(entries, total - fixed(entries), true, &mut 0, &mut places);
    places
}

/// How many calls there are besides those of a repetition whose count differs.
fn fixed(entries: &[Entry]) -> usize {
    let count = |entry: &Entry| match entry {
        Entry::Call(_) => 1,
        Entry::Repeat(repeat) => match repeat.repeat {
            Count::Exact(rounds) => rounds as usize * fixed(&repeat.calls),
            Count::Range(_) => 0,
        },
    };
    entries.iter().map(count).sum()
}

fn lay<'a>(
    entries: &'a [Entry],
    rest: usize,
    wanted: bool,
    at: &mut usize,
    places: &mut Vec<(usize, &'a Call)>,
) {
    for entry in entries {
        match entry {
            Entry::Call(call) => {
                if wanted {
                    places.push((*at, call));
                }
                *at += 1;
            }
            Entry::Repeat(repeat) => {
                let rounds = match repeat.repeat {
                    Count::Exact(rounds) => rounds as usize,
                    Count::Range(_) => rest / fixed(&repeat.calls),
                };
                for round in 0..rounds {
                    let wanted = wanted && (round < 2 || round + 1 == rounds);
                    lay(&repeat.calls, rest, wanted, at, places);
                }
            }
        }
    }
}

/// The answers to try: errors, and numbers that are not the right one.
fn answers(call: &Call) -> Vec<i64> {
    if call.name == "exit_group" {
        return vec![-(EPERM as i64)];
    }
    let row = ERRORS.iter().find(|(name, _)| *name == call.name);
    let errors = row.map_or(&[][..], |(_, errors)| errors);
    let errors = errors.iter().chain(&[ENOSYS, EPERM]);
    let mut answers: Vec<_> = errors.map(|errno| -(*errno as i64)).collect();
    if let Some(Ret::Number(right)) = call.ret {
        let short = [0, right - 1, right + 1];
        answers.extend(
            short
                .iter()
                .filter(|wrong| **wrong >= 0 && **wrong != right),
        );
    }
    answers.retain(|answer| !is_right(call, *answer));
    answers.dedup();
    answers
}

fn is_right(call: &Call, answer: i64) -> bool {
    matches!(call.ret, Some(Ret::Number(right)) if right == answer)
}

/// A run that was led, and what it was seen to hold at its end.
struct Led {
    run: Run,
    /// At the entry of the first process's exit_group: contexts mapped, descriptors that it was not
    /// started with.
    held: Option<(usize, usize)>,
    /// What the calls of the first process have written: a context's handle, two descriptors.
    given: Vec<(usize, u64)>,
    left: Vec<String>,
}

/// Runs a scenario in a room of its own: the fixture, or `ioworkload`, whose calls are the same.
fn lead(program: &str, scenario: &str, mut act: impl FnMut(&Stop) -> Act + Send) -> Result<Led> {
    let room = Room::new();
    let mut command = Command::new(shipped(program));
    command.arg(scenario);
    room.as_tmp(&mut command);
    let (mut started, mut held, mut given) = (None, None, Vec::new());
    let run = hand::lead(command, |stop| {
        if stop.process == 0 {
            let started = started.get_or_insert_with(|| descriptors(stop));
            if stop.entry && stop.call.nr == EXIT_GROUP {
                let new = descriptors(stop).difference(started).count();
                held = Some((contexts(stop), new));
            }
            given.extend(written(stop));
        }
        act(stop)
    })?;
    Ok(Led {
        run,
        held,
        given,
        left: room.names(),
    })
}

const IO_SETUP: u64 = 206;
const IO_DESTROY: u64 = 207;
const OPENAT: u64 = 257;
const CLOSE: u64 = 3;
const UNLINKAT: u64 = 263;
const PIPE2: u64 = 293;
const EVENTFD2: u64 = 290;
const EXIT_GROUP: u64 = 231;
const RT_SIGPROCMASK: u64 = 14;
const WRITE: u64 = 1;

/// What a call has just written that its answer does not say.
fn written(stop: &Stop) -> Option<(usize, u64)> {
    let call = stop.call;
    let address = match call.nr {
        IO_SETUP => call.args[1],
        PIPE2 => call.args[0],
        _ => return None,
    };
    let done = call.real && call.ret == Some(0);
    let word = done.then(|| peek(stop.pid, address).expect("the kernel has just written there"));
    Some((stop.at, u64::from_le_bytes(word?)))
}

/// How many contexts a process has mapped.
fn contexts(stop: &Stop) -> usize {
    let maps = fs::read_to_string(format!("/proc/{}/maps", stop.pid)).expect("it is stopped");
    maps.lines().filter(|line| line.contains("[aio]")).count()
}

/// The descriptors that a process has open.
fn descriptors(stop: &Stop) -> HashSet<OsString> {
    let open = fs::read_dir(format!("/proc/{}/fd", stop.pid)).expect("it is stopped");
    open.map(|fd| fd.expect("it is stopped").file_name())
        .collect()
}

/// Something that a run holds, and the call that gives it back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Held {
    Context(u64),
    Descriptor(u64),
    Name,
}

fn released_by(call: &Made) -> Option<Held> {
    match call.nr {
        IO_DESTROY => Some(Held::Context(call.args[0])),
        CLOSE => Some(Held::Descriptor(call.args[0])),
        UNLINKAT => Some(Held::Name),
        _ => None,
    }
}

struct Fault<'a> {
    scenario: &'a str,
    call: &'a Call,
    at: usize,
    answer: i64,
    then: Then,
}

impl Fault<'_> {
    fn check(&self, whole: &[Made]) -> Result<()> {
        self.judge(&self.lead()?, whole)
    }

    fn lead(&self) -> Result<Led> {
        let program = match self.then {
            Then::Well => self.scenario,
            _ => "ioworkload",
        };
        lead(program, self.scenario, |stop| match stop.at.cmp(&self.at) {
            _ if stop.process > 0 || !stop.entry => Act::Go,
            Ordering::Less => Act::Go,
            Ordering::Equal => Act::Answer(self.answer),
            Ordering::Greater => self.then.act(stop.call),
        })
    }

    fn judge(&self, led: &Led, whole: &[Made]) -> Result<()> {
        let calls = led.run.calls[0].as_slice();
        ensure!(calls.len() > self.at, "ended before: {:?}", led.run);
        let (before, rest) = calls.split_at(self.at);
        let same = before
            .iter()
            .zip(whole)
            .all(|(got, want)| got.nr == want.nr);
        ensure!(same && !rest[0].real, "went otherwise before: {calls:?}");
        if self.call.name == "exit_group" {
            return self.never_ends(led);
        }
        if self.is_fine() {
            return self.goes_well(led);
        }
        self.fails(led, &rest[1..])
    }

    /// The kernel's choice, a name in the way, or one that is gone already.
    fn is_fine(&self) -> bool {
        let errno = Errno::from_raw(-self.answer as i32);
        match &self.call.ret {
            Some(Ret::Any(answers)) if answers.contains(&self.answer) => true,
            Some(Ret::Range(range)) if (range.min..=range.max).contains(&self.answer) => true,
            _ => {
                let gone = self.call.name == "unlinkat" && errno == ENOENT;
                self.about_target() && (gone || self.call.name == "openat" && errno == EEXIST)
            }
        }
    }

    fn about_target(&self) -> bool {
        let path = format!("/tmp/ioworkload-{}", self.scenario);
        let is_it = |(_, shape): &(_, _)| matches!(shape, Shape::Bytes(text) if *text == path);
        ["openat", "unlinkat"].contains(&self.call.name.as_str())
            && self.call.before.0.iter().any(is_it)
    }

    /// A process that can't exit is ended by its own next instruction.
    fn never_ends(&self, led: &Led) -> Result<()> {
        ensure!(
            led.run.ends[0] == Some(End::Killed(Signal::SIGILL)),
            "{:?}",
            led.run
        );
        self.leaves(led, &[])
    }

    fn goes_well(&self, led: &Led) -> Result<()> {
        self.ends(led, 0, "")?;
        self.leaves(led, &[])
    }

    fn fails(&self, led: &Led, rest: &[Made]) -> Result<()> {
        let (code, text) = self.line();
        let line = match self.then {
            Then::Unheard => String::new(),
            _ => format!("{}: {text}\n", self.scenario),
        };
        self.ends(led, code, &line)?;
        let released = rest.len().checked_sub(3).context("less than three calls")?;
        let (released, end) = rest.split_at(released);
        let mut released: Vec<_> = released.iter().map(|call| released_by(call)).collect();
        let held = self.held(led);
        let mut wanted: Vec<_> = held.iter().copied().map(Some).collect();
        released.sort();
        wanted.sort();
        ensure!(released == wanted, "held {held:?}, gave back {released:?}");
        let end: Vec<_> = end.iter().map(|call| (call.nr, call.args[0])).collect();
        let wanted = [(RT_SIGPROCMASK, 0), (WRITE, 2), (EXIT_GROUP, code as u64)];
        ensure!(end == wanted, "{end:?}");
        let lost = self.then == Then::NothingReleased;
        self.leaves(led, if lost { &held } else { &[] })
    }

    /// Code, stdout and stderr.
    fn ends(&self, led: &Led, code: i32, line: &str) -> Result<()> {
        let said = (
            led.run.ends[0],
            led.run.stdout.as_str(),
            led.run.stderr.as_str(),
        );
        let wanted = (Some(End::Exited(code)), "", line);
        ensure!(said == wanted, "ended with {said:?}, expected {wanted:?}");
        Ok(())
    }

    /// At the exit it holds what could not be given back, and that is all it leaves.
    fn leaves(&self, led: &Led, held: &[Held]) -> Result<()> {
        let gave = released_by(&led.run.calls[0][self.at]);
        let gave = gave.filter(|what| *what != Held::Name || self.about_target());
        let kept: Vec<_> = held.iter().chain(&gave).collect();
        let count = |like: fn(&Held) -> bool| kept.iter().filter(|held| like(held)).count();
        let wanted = (
            count(|held| matches!(held, Held::Context(_))),
            count(|held| matches!(held, Held::Descriptor(_))),
        );
        let holds = led.held.context("no exit")?;
        ensure!(
            holds == wanted,
            "contexts, descriptors: {holds:?}, expected {wanted:?}"
        );
        let left = kept
            .contains(&&Held::Name)
            .then(|| format!("ioworkload-{}", self.scenario));
        ensure!(led.left.iter().eq(&left), "left behind: {:?}", led.left);
        Ok(())
    }

    /// The exit code, and what the line says behind the scenario's name.
    fn line(&self) -> (i32, String) {
        let name = &self.call.name;
        let aio = name.starts_with("io_");
        let errno = Errno::from_raw(-self.answer as i32);
        let mut text = if self.answer < 0 {
            let known = NAMED.contains(&errno);
            let word = if known {
                format!("{errno:?}")
            } else {
                "unknown".into()
            };
            format!("{name}: {word} (errno {})", errno as i32)
        } else {
            format!("{name}: {}", self.answer)
        };
        if let Some(wanted) = self.wanted() {
            text += &format!(", expected {wanted}");
        }
        if self.about_target() {
            text += &format!(": /tmp/ioworkload-{}", self.scenario);
        }
        let used_up = name == "io_setup" && errno == EAGAIN && self.answer < 0;
        if used_up {
            text += ": raise fs.aio-max-nr";
        }
        let cant = aio && self.answer < 0 && [ENOSYS, EPERM].contains(&errno);
        (if cant || used_up { 77 } else { 1 }, text)
    }

    /// The right answer, where the line says it: where that is an error, or where a number came.
    fn wanted(&self) -> Option<String> {
        let right = match &self.call.ret {
            Some(Ret::Number(right)) => *right,
            Some(Ret::Any(answers)) => answers[0],
            _ => return None,
        };
        if right < 0 {
            return Some(format!("-{:?}", Errno::from_raw(-right as i32)));
        }
        (self.answer >= 0).then(|| right.to_string())
    }

    /// What the run held when the call began, less what the call itself gives back.
    fn held(&self, led: &Led) -> Vec<Held> {
        let mut held = Vec::new();
        for (at, call) in led.run.calls[0][..=self.at].iter().enumerate() {
            if let Some(gone) = released_by(call) {
                held.retain(|one| *one != gone);
            }
            held.extend(self.taken(led, at, call));
        }
        held
    }

    fn taken(&self, led: &Led, at: usize, call: &Made) -> Vec<Held> {
        let given = led.given.iter().find(|(place, _)| *place == at);
        let ret = call
            .ret
            .filter(|ret| call.real && *ret >= 0)
            .map(|ret| ret as u64);
        match (call.nr, ret, given) {
            (IO_SETUP, _, Some((_, ctx))) => vec![Held::Context(*ctx)],
            (PIPE2, _, Some((_, both))) => {
                vec![
                    Held::Descriptor(both & 0xffff_ffff),
                    Held::Descriptor(both >> 32),
                ]
            }
            (EVENTFD2, Some(fd), _) => vec![Held::Descriptor(fd)],
            (OPENAT, Some(fd), _) if call.args[2] & 0o100 == 0 => vec![Held::Descriptor(fd)],
            (OPENAT, Some(fd), _) => vec![Held::Descriptor(fd), Held::Name],
            _ => vec![],
        }
    }
}

/// A run after one fault is not what another predicts.
fn control() -> Result<()> {
    let expected = load("aio-getevents")?;
    let whole = lead("aio-getevents", "aio-getevents", |_| Act::Go)?.run;
    let calls = places(&expected.calls, whole.calls[0].len());
    let fault = |at: usize, answer: Errno, then| Fault {
        scenario: "aio-getevents",
        call: calls[at].1,
        at,
        answer: -(answer as i64),
        then,
    };
    // What is done, what is predicted, and what is then said of it.
    let rows = [
        (
            fault(1, EINVAL, Then::Well),
            fault(1, ENOMEM, Then::Well),
            "ended with",
        ),
        (
            fault(1, EINVAL, Then::Well),
            fault(1, EAGAIN, Then::Well),
            "ended with",
        ),
        (
            fault(1, EINVAL, Then::Well),
            fault(1, EINVAL, Then::Unheard),
            "ended with",
        ),
        (
            fault(2, EINVAL, Then::Well),
            fault(2, EINVAL, Then::NothingReleased),
            "contexts, desc",
        ),
        (
            fault(2, EINVAL, Then::NothingReleased),
            fault(2, EINVAL, Then::Well),
            "contexts, desc",
        ),
        (
            fault(2, EINVAL, Then::Well),
            fault(1, EINVAL, Then::Well),
            "went otherwise before",
        ),
        (
            fault(0, EEXIST, Then::Well),
            fault(0, EMFILE, Then::Well),
            "ended with",
        ),
        (
            fault(6, ENOENT, Then::Well),
            fault(5, ENOENT, Then::Well),
            "went otherwise before",
        ),
        (
            fault(7, EPERM, Then::Well),
            fault(6, ENOENT, Then::Well),
            "went otherwise before",
        ),
    ];
    for (done, predicted, said) in rows {
        let verdict = predicted.judge(&done.lead()?, &whole.calls[0]);
        let error = verdict.expect_err("the prediction is wrong").to_string();
        ensure!(error.starts_with(said), "{error}");
    }
    // A release too few, and one too many.
    let fault = fault(2, EINVAL, Then::Well);
    let mut led = fault.lead()?;
    let destroy = led.run.calls[0].remove(3);
    let error = fault
        .judge(&led, &whole.calls[0])
        .expect_err("a context is kept");
    ensure!(error.to_string().starts_with("held"), "{error}");
    led.run.calls[0].splice(3..3, [destroy.clone(), destroy]);
    let error = fault
        .judge(&led, &whole.calls[0])
        .expect_err("a context is destroyed twice");
    ensure!(error.to_string().starts_with("held"), "{error}");
    led.run.calls[0].remove(3);
    fault.judge(&led, &whole.calls[0])
}
