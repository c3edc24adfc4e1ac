//! Every syscall fails: each call of a scenario gets each error that its man page has, ENOSYS and
//! EPERM in the kernel's place, and every other wrong answer that could be taken for a right one.
//!
//! The rule: up to that call the trace is the expected one. If the answer is none that the expected
//! trace allows, all that was held at that moment (contexts, descriptors, the target's name) is
//! given back, each once, and nothing else; then come the three calls of a failure, with the one
//! line that names the call and the answer. What the failing call would have given back itself is
//! not tried twice: a context whose io_destroy failed lasts until the exit, a file whose unlinkat
//! failed stays. The same holds if the releases fail too, and if the line can't be written.

use crate::driven::{
    CLOSE, Driven, EXIT_GROUP, Held, IO_DESTROY, OPENAT, RT_SIGPROCMASK, UNLINKAT, WRITE, drive,
    released_by,
};
use crate::errors::{answers, word};
use crate::places::{Place, places};
use crate::tally::{Cases, area};
use anyhow::{Context, Result, ensure};
use ioworkload_check::expected::{Kernel, Ret, Shape, Word, load, load_on};
use ioworkload_tests::driver::{Act, End, Made};
use libtest_mimic::Trial;
use nix::errno::Errno::{
    self, EACCES, EAGAIN, EEXIST, EINVAL, EIO, EMFILE, ENOENT, ENOMEM, ENOSYS, ENOTDIR, EPERM,
    EROFS,
};
use nix::sys::signal::Signal;
use std::fmt::{self, Write};

const O_CREAT: u64 = 0o100;

const AREA: &str = "1 faults";

pub fn trials() -> Vec<Trial> {
    let mut trials = area(AREA, each_call, control);
    trials.push(Trial::test(format!("{AREA}::tries"), || Ok(tries()?)));
    trials
}

/// Some of the lines and codes that are predicted, by heart: scenario, call, answer, code, line.
#[rustfmt::skip]
const LINES: &[(&str, &str, i64, i32, &str)] = &[
    ("aio-submit", "openat", -1, 77, "openat: EPERM (errno 1): /tmp/ioworkload-aio-submit"),
    ("aio-submit", "openat", -38, 1, "openat: ENOSYS (errno 38): /tmp/ioworkload-aio-submit"),
    ("aio-submit", "openat", -28, 1, "openat: ENOSPC (errno 28): /tmp/ioworkload-aio-submit"),
    ("aio-submit", "openat", -80, 1, "openat: unknown (errno 80): /tmp/ioworkload-aio-submit"),
    ("aio-submit", "unlinkat", -1, 1, "unlinkat: EPERM (errno 1): /tmp/ioworkload-aio-submit"),
    ("aio-submit", "unlinkat", -30, 77, "unlinkat: EROFS (errno 30): /tmp/ioworkload-aio-submit"),
    ("aio-submit", "io_setup", -11, 77, "io_setup: EAGAIN (errno 11): raise fs.aio-max-nr"),
    ("aio-submit", "io_setup", -12, 1, "io_setup: ENOMEM (errno 12)"),
    ("aio-submit", "io_submit", -11, 1, "io_submit: EAGAIN (errno 11)"),
    ("aio-submit", "io_submit", -38, 77, "io_submit: ENOSYS (errno 38)"),
    ("aio-submit", "io_submit", -13, 77, "io_submit: EACCES (errno 13)"),
    ("aio-submit", "io_submit", 0, 1, "io_submit: 0, expected 1"),
    ("aio-submit", "io_destroy", -22, 1, "io_destroy: EINVAL (errno 22)"),
    ("aio-submit", "close", -1, 1, "close: EPERM (errno 1)"),
    ("aio-getevents", "io_getevents", -4, 1, "io_getevents: EINTR (errno 4)"),
    ("aio-cancel", "io_cancel", -11, 1, "io_cancel: EAGAIN (errno 11), expected -EINVAL"),
    ("aio-setup-einval", "io_setup", 0, 1, "io_setup: 0, expected -EINVAL"),
    ("aio-setup-einval", "io_setup", -38, 77, "io_setup: ENOSYS (errno 38), expected -EINVAL"),
];

/// The answers of a name that is always in the way: openat is tried 64 times, and what is there is
/// removed in between.
fn tries() -> Result<()> {
    let driven = drive("aio-submit", "aio-submit", |stop| {
        match (stop.call.nr, stop.entry) {
            (OPENAT, true) => Act::Answer(-(EEXIST as i64)),
            _ => Act::Go,
        }
    })?;
    let line = "aio-submit: openat: EEXIST (errno 17): /tmp/ioworkload-aio-submit\n";
    ends(&driven, 1, line)?;
    let count = |nr| {
        driven.run.calls[0]
            .iter()
            .filter(|call| call.nr == nr)
            .count()
    };
    let counts = (count(OPENAT), count(UNLINKAT));
    ensure!(counts == (64, 63), "tried and removed {counts:?} times");
    Ok(())
}

/// Where a scenario holds two answers against each other, the line is in its own words.
const OWN_WORDS: &[(&str, &str, usize, i64, &str)] = &[(
    "aio-rw-flags",
    "io_getevents",
    4,
    0,
    "io_getevents: 0, expected 1",
)];

fn each_call(scenario: &str, cases: &mut Cases) -> Result<()> {
    let expected = load(scenario)?;
    let elsewhere = load_on(scenario, Kernel(5, 10))?;
    let whole = drive(scenario, scenario, |_| Act::Go)?;
    ensure!(
        whole.run.ends[0] == Some(End::Exited(0)),
        "{:?}",
        whole.run.ends
    );
    let mut faults = Vec::new();
    let old = places(&elsewhere.calls);
    for (place, old) in places(&expected.calls).into_iter().zip(old) {
        for (number, answer) in answers(place.call).into_iter().enumerate() {
            // What follows a failure does not depend on the answer: one is enough.
            let then = if number == 0 {
                &Then::ALL[..]
            } else {
                &Then::ALL[..1]
            };
            let fault = |then: &Then| Fault {
                scenario,
                place,
                old,
                answer,
                then: *then,
            };
            faults.extend(then.iter().map(fault));
        }
    }
    cases.each(&faults, |fault| fault.check(&whole));
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

/// `call` is not made, and `answer` is what the program gets.
pub struct Fault<'a> {
    scenario: &'a str,
    place: Place<'a>,
    /// The same on another kernel: what that may answer is no failure here.
    old: Place<'a>,
    answer: i64,
    then: Then,
}

impl fmt::Debug for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nth, answer, then) = (self.place.nth + 1, self.answer, self.then);
        let name = &self.place.call.name;
        write!(f, "{name} number {nth} answers {answer}, then {then:?}")
    }
}

impl<'a> Fault<'a> {
    /// This error, and nothing else.
    pub fn new(scenario: &'a str, place: Place<'a>, errno: Errno) -> Self {
        Self::answered(scenario, place, -(errno as i64))
    }

    /// This answer, and nothing else.
    pub fn answered(scenario: &'a str, place: Place<'a>, answer: i64) -> Self {
        let then = Then::Well;
        Self {
            scenario,
            place,
            old: place,
            answer,
            then,
        }
    }

    fn check(&self, whole: &Driven) -> Result<()> {
        self.judge(&self.drive()?, whole)
    }

    fn drive(&self) -> Result<Driven> {
        let program = match self.then {
            Then::Well => self.scenario,
            _ => "ioworkload",
        };
        let mut failed = false;
        drive(program, self.scenario, |stop| {
            if stop.process > 0 || !stop.entry {
                Act::Go
            } else if failed {
                self.then.act(stop.call)
            } else if self.place.is(stop) {
                failed = true;
                Act::Answer(self.answer)
            } else {
                Act::Go
            }
        })
    }

    fn judge(&self, driven: &Driven, whole: &Driven) -> Result<()> {
        let Place { call, nth } = self.place;
        let (here, there) = (
            driven.run.place(call.nr, nth),
            whole.run.place(call.nr, nth),
        );
        let (at, there) = here.zip(there).context("ended before")?;
        let same = steps(&driven.run.calls[0][..at]) == steps(&whole.run.calls[0][..there]);
        ensure!(same && !driven.run.calls[0][at].real, "differs before");
        let kept = whole.held(whole.run.calls[0].len() - 1);
        if call.name == "exit_group" {
            return self.never_ends(driven, at, &kept);
        }
        if self.own_words().is_none() && self.is_fine() {
            ends(driven, 0, "")?;
            return leaves(self.scenario, driven, at, &kept);
        }
        self.fails(driven, at)
    }

    /// The kernel's choice, a name in the way, or one that is gone already.
    fn is_fine(&self) -> bool {
        let errno = Errno::from_raw(-self.answer as i32);
        let may = |place: Place| match &place.call.ret {
            Some(Ret::Number(answer)) => *answer == self.answer,
            Some(Ret::Any(answers)) => answers.contains(&self.answer),
            Some(Ret::Range(range)) => (range.min..=range.max).contains(&self.answer),
            _ => false,
        };
        let call = self.place.call;
        let gone = call.name == "unlinkat" && errno == ENOENT;
        let in_the_way = call.name == "openat" && errno == EEXIST;
        may(self.place) || may(self.old) || self.about_target() && (gone || in_the_way)
    }

    /// It makes or removes the target.
    fn about_target(&self) -> bool {
        let call = self.place.call;
        let path = format!("/tmp/ioworkload-{}", self.scenario);
        let is_it = |(_, shape): &(_, _)| matches!(shape, Shape::Bytes(text) if *text == path);
        let makes = |flags: &Word| matches!(flags, Word::Number(flags) if flags & O_CREAT != 0);
        let does = call.name == "unlinkat" || call.name == "openat" && makes(&call.args[2]);
        does && call.before.0.iter().any(is_it)
    }

    /// A process that can't exit is ended by its own next instruction.
    fn never_ends(&self, driven: &Driven, at: usize, kept: &[Held]) -> Result<()> {
        let end = driven.run.ends[0];
        ensure!(end == Some(End::Killed(Signal::SIGILL)), "{end:?}");
        leaves(self.scenario, driven, at, kept)
    }

    fn fails(&self, driven: &Driven, at: usize) -> Result<()> {
        let (code, text) = self.line();
        let line = match self.then {
            Then::Unheard => String::new(),
            _ => format!("{}: {text}\n", self.scenario),
        };
        ends(driven, code, &line)?;
        let lost = self.then == Then::NothingReleased;
        let held = gives_back(driven, at, code)?;
        leaves(self.scenario, driven, at, if lost { &held } else { &[] })
    }

    fn own_words(&self) -> Option<&'static str> {
        let Place { call, nth } = self.place;
        let this = (self.scenario, call.name.as_str(), nth, self.answer);
        let mut rows = OWN_WORDS.iter();
        let row =
            rows.find(|(scenario, call, nth, answer, _)| this == (*scenario, *call, *nth, *answer));
        row.map(|(.., words)| *words)
    }

    /// The exit code, and what the line says after the scenario's name.
    pub fn line(&self) -> (i32, String) {
        if let Some(words) = self.own_words() {
            return (1, words.into());
        }
        let name = &self.place.call.name;
        let errno = Errno::from_raw(-self.answer as i32);
        let mut text = if self.answer < 0 {
            format!("{name}: {} (errno {})", word(errno), errno as i32)
        } else {
            format!("{name}: {}", self.answer)
        };
        if let Some(wanted) = self.wanted() {
            let _ = write!(text, ", expected {wanted}");
        }
        if self.about_target() {
            let _ = write!(text, ": /tmp/ioworkload-{}", self.scenario);
        }
        let used_up = name == "io_setup" && errno == EAGAIN && self.answer < 0;
        if used_up {
            text += ": raise fs.aio-max-nr";
        }
        let skips = used_up || self.answer < 0 && this_machine_cannot(name).contains(&errno);
        (if skips { 77 } else { 1 }, text)
    }

    /// The right answer, where the line says it: where that is an error, or where a number came.
    fn wanted(&self) -> Option<String> {
        let right = match &self.place.call.ret {
            Some(Ret::Number(right)) => *right,
            Some(Ret::Any(answers)) => answers[0],
            _ => return None,
        };
        if right < 0 {
            return Some(format!("-{:?}", Errno::from_raw(-right as i32)));
        }
        (self.answer >= 0).then(|| right.to_string())
    }
}

/// After the call at this place all that is held is given back: the contexts, and then the rest, the
/// youngest first. Then come the three calls of a failure. Returns what was held.
pub fn gives_back(driven: &Driven, at: usize, code: i32) -> Result<Vec<Held>> {
    let rest = &driven.run.calls[0][at + 1..];
    let released = rest.len().checked_sub(3).context("less than three calls")?;
    let (released, end) = rest.split_at(released);
    let mut released: Vec<_> = released.iter().map(released_by).collect();
    let held = driven.held(at);
    let context = |one: &Held| matches!(one, Held::Context(_));
    let (contexts, others): (Vec<_>, Vec<_>) = held.iter().rev().copied().partition(context);
    // Of several contexts none needs another.
    let (first, mut contexts) = (contexts.len().min(released.len()), contexts);
    released[..first].sort();
    contexts.sort();
    let wanted: Vec<_> = contexts.into_iter().chain(others).map(Some).collect();
    ensure!(released == wanted, "held {held:?}, gave back {released:?}");
    let end: Vec<_> = end.iter().map(|call| (call.nr, call.args[0])).collect();
    let wanted = [(RT_SIGPROCMASK, 0), (WRITE, 2), (EXIT_GROUP, code as u64)];
    ensure!(end == wanted, "{end:?}");
    Ok(held)
}

/// At the exit it holds what could not be given back, and that is all it leaves.
pub fn leaves(scenario: &str, driven: &Driven, at: usize, held: &[Held]) -> Result<()> {
    let kept: Vec<_> = held.iter().copied().chain(driven.lost(at)).collect();
    let count = |like: fn(&Held) -> bool| kept.iter().filter(|held| like(held)).count();
    let wanted = (
        count(|held| matches!(held, Held::Context(_))),
        count(|held| matches!(held, Held::Descriptor(_))),
    );
    let holds = driven.exit.context("no exit")?;
    ensure!(
        holds == wanted,
        "contexts, descriptors: {holds:?}, expected {wanted:?}"
    );
    let left = kept
        .contains(&Held::Name)
        .then(|| format!("ioworkload-{scenario}"));
    ensure!(driven.left.iter().eq(&left), "left: {:?}", driven.left);
    Ok(())
}

/// The errors of a call for which a scenario is skipped.
fn this_machine_cannot(call: &str) -> &'static [Errno] {
    match call {
        "openat" => &[EACCES, ENOENT, ENOTDIR, EPERM, EROFS],
        "unlinkat" => &[EROFS],
        "memfd_create" => &[EACCES, ENOSYS, EPERM],
        _ if call.starts_with("io_") => &[EACCES, ENOSYS, EPERM],
        _ => &[],
    }
}

/// The numbers of calls, each repeated one once: how often some are repeated differs.
fn steps(calls: &[Made]) -> Vec<u64> {
    let mut steps: Vec<_> = calls.iter().map(|call| call.nr).collect();
    steps.dedup();
    steps
}

/// Code, stdout and stderr.
pub fn ends(driven: &Driven, code: i32, line: &str) -> Result<()> {
    let said = (
        driven.run.ends[0],
        driven.run.stdout.as_str(),
        driven.run.stderr.as_str(),
    );
    let wanted = (Some(End::Exited(code)), "", line);
    ensure!(said == wanted, "ended with {said:?}, expected {wanted:?}");
    Ok(())
}

/// The prediction by heart; and a run after one fault is not what another predicts.
fn control() -> Result<()> {
    use Then::{NothingReleased, Unheard, Well};
    for (scenario, name, answer, code, line) in LINES {
        let expected = load(scenario)?;
        let mut places = places(&expected.calls).into_iter();
        let place = places
            .find(|place| place.call.name == *name)
            .context(*name)?;
        let predicted = Fault::answered(scenario, place, *answer).line();
        ensure!(
            predicted == (*code, (*line).into()),
            "{line}: {predicted:?}"
        );
    }
    let expected = load("aio-getevents")?;
    let whole = drive("aio-getevents", "aio-getevents", |_| Act::Go)?;
    let calls = places(&expected.calls);
    let fault = |at: usize, errno, then| {
        let fault = Fault::new("aio-getevents", calls[at], errno);
        Fault { then, ..fault }
    };
    // What is done, what is predicted, and what is then said of it.
    #[rustfmt::skip]
    let rows = [
        ((1, EINVAL, Well), (1, ENOMEM, Well), "ended with"),
        ((1, EINVAL, Well), (1, EAGAIN, Well), "ended with"),
        ((1, EINVAL, Well), (1, EINVAL, Unheard), "ended with"),
        ((2, EINVAL, Well), (2, EINVAL, NothingReleased), "contexts, desc"),
        ((2, EINVAL, NothingReleased), (2, EINVAL, Well), "contexts, desc"),
        ((2, EINVAL, Well), (1, EINVAL, Well), "differs before"),
        ((2, EINVAL, Well), (3, EINVAL, Well), "ended before"),
        ((0, EEXIST, Well), (0, EMFILE, Well), "ended with"),
        ((6, ENOENT, Well), (5, ENOENT, Well), "differs before"),
        ((7, EPERM, Well), (6, ENOENT, Well), "differs before"),
    ];
    for (done, predicted, said) in rows {
        let [done, predicted] = [done, predicted].map(|(at, errno, then)| fault(at, errno, then));
        let verdict = predicted.judge(&done.drive()?, &whole);
        let error = verdict.expect_err("the prediction is wrong").to_string();
        ensure!(error.starts_with(said), "{done:?}, {predicted:?}: {error}");
    }
    // A release too few, and one too many.
    let fault = fault(2, EINVAL, Well);
    let mut driven = fault.drive()?;
    let destroy = driven.run.calls[0].remove(3);
    let error = fault.judge(&driven, &whole).expect_err("a context is kept");
    ensure!(error.to_string().starts_with("held"), "{error}");
    driven.run.calls[0].splice(3..3, [destroy.clone(), destroy]);
    let error = fault
        .judge(&driven, &whole)
        .expect_err("a context is destroyed twice");
    ensure!(error.to_string().starts_with("held"), "{error}");
    driven.run.calls[0].remove(3);
    fault.judge(&driven, &whole)
}
