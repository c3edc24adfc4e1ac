//! Every syscall fails: each call of a scenario gets each error that its man page has, ENOSYS and
//! EPERM in the kernel's place, and every other wrong answer that could be taken for a right one.
//!
//! The rule: up to that call the trace is the expected one. If the answer is none that the expected
//! trace allows, all that was held at that moment (contexts, descriptors, the target's name) is
//! given back, each once, and nothing else; then come the three calls of a failure, with the one
//! line that names the call and the answer. What the failing call would have given back itself is
//! not tried twice: a context whose io_destroy failed lasts until the exit, a file whose unlinkat
//! failed stays. The same holds if the releases fail too, and if the line can't be written.

use crate::errors::{NAMED, answers};
use crate::led::{
    CLOSE, EXIT_GROUP, Held, IO_DESTROY, Led, RT_SIGPROCMASK, UNLINKAT, WRITE, lead, released_by,
};
use crate::places::places;
use crate::tally::{Cases, trial};
use anyhow::{Context, Result, ensure};
use ioworkload_tests::expected::{Call, Ret, Shape, load};
use ioworkload_tests::hand::{Act, End, Made};
use ioworkload_tests::scenarios;
use libtest_mimic::Trial;
use nix::errno::Errno::{self, EAGAIN, EEXIST, EINVAL, EIO, EMFILE, ENOENT, ENOMEM, ENOSYS, EPERM};
use nix::sys::signal::Signal;
use std::cmp::Ordering;
use std::fmt::{self, Write};

const AREA: &str = "1 faults";

pub fn trials() -> Vec<Trial> {
    let trial = |name: String| trial(AREA, &name, each_call);
    let mut trials: Vec<_> = scenarios().into_iter().map(trial).collect();
    trials.push(Trial::test("1 faults::control", || Ok(control()?)));
    trials
}

fn each_call(scenario: &str, cases: &mut Cases) -> Result<()> {
    let expected = load(scenario)?;
    let whole = lead(scenario, scenario, |_| Act::Go)?.run;
    ensure!(whole.ends[0] == Some(End::Exited(0)), "{whole:?}");
    let made = &whole.calls[0];
    let mut faults = Vec::new();
    for (at, call) in places(&expected.calls, made.len()) {
        ensure!(made[at].nr == call.nr, "call {at} is no {}", call.name);
        for (number, answer) in answers(call).into_iter().enumerate() {
            // What follows a failure does not depend on the answer: one is enough.
            let then = if number == 0 {
                &Then::ALL[..]
            } else {
                &Then::ALL[..1]
            };
            let fault = |then: &Then| Fault {
                scenario,
                call,
                at,
                answer,
                then: *then,
            };
            faults.extend(then.iter().map(fault));
        }
    }
    cases.each(&faults, |fault| fault.check(made));
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
struct Fault<'a> {
    scenario: &'a str,
    call: &'a Call,
    at: usize,
    answer: i64,
    then: Then,
}

impl fmt::Debug for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (at, answer, then) = (self.at, self.answer, self.then);
        write!(
            f,
            "call {at}, {}, answers {answer}, then {then:?}",
            self.call.name
        )
    }
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
        ends(led, 0, "")?;
        self.leaves(led, &[])
    }

    fn fails(&self, led: &Led, rest: &[Made]) -> Result<()> {
        let (code, text) = self.line();
        let line = match self.then {
            Then::Unheard => String::new(),
            _ => format!("{}: {text}\n", self.scenario),
        };
        ends(led, code, &line)?;
        let released = rest.len().checked_sub(3).context("less than three calls")?;
        let (released, end) = rest.split_at(released);
        let mut released: Vec<_> = released.iter().map(released_by).collect();
        let held = led.held(self.at);
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

    /// At the exit it holds what could not be given back, and that is all it leaves.
    fn leaves(&self, led: &Led, held: &[Held]) -> Result<()> {
        let kept: Vec<_> = held.iter().copied().chain(led.lost(self.at)).collect();
        let count = |like: fn(&Held) -> bool| kept.iter().filter(|held| like(held)).count();
        let wanted = (
            count(|held| matches!(held, Held::Context(_))),
            count(|held| matches!(held, Held::Descriptor(_))),
        );
        let holds = led.exit.context("no exit")?;
        ensure!(
            holds == wanted,
            "contexts, descriptors: {holds:?}, expected {wanted:?}"
        );
        let left = kept
            .contains(&Held::Name)
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
            let _ = write!(text, ", expected {wanted}");
        }
        if self.about_target() {
            let _ = write!(text, ": /tmp/ioworkload-{}", self.scenario);
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
}

/// Code, stdout and stderr.
fn ends(led: &Led, code: i32, line: &str) -> Result<()> {
    let said = (
        led.run.ends[0],
        led.run.stdout.as_str(),
        led.run.stderr.as_str(),
    );
    let wanted = (Some(End::Exited(code)), "", line);
    ensure!(said == wanted, "ended with {said:?}, expected {wanted:?}");
    Ok(())
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
