//! Every call of a child fails, or a signal ends the child there: its parent ends with one line and
//! an exit code of the README, and gives back what it holds.
//!
//! Two kinds of children: after `fork` one that says itself what went wrong, so that its parent only
//! passes the code on; after `vfork` one that makes a single call and says nothing, so that its
//! parent says it.

use crate::driven::{EXIT_GROUP, drive};
use crate::errors::answers;
use crate::faults::{Fault, ends};
use crate::places::{Place, places};
use crate::tally::{Cases, trial};
use anyhow::{Result, ensure};
use ioworkload_check::expected::load;
use ioworkload_tests::driver::Act;
use ioworkload_tests::scenarios;
use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use std::fmt;

const AREA: &str = "1 faults";

pub fn trials() -> Vec<Trial> {
    vec![trial(AREA, "children", each_call)]
}

fn each_call(_: &str, cases: &mut Cases) -> Result<()> {
    for scenario in scenarios() {
        let expected = load(&scenario)?;
        let children = expected.children().enumerate();
        for (child, calls) in children {
            let ends = places(calls).into_iter().flat_map(wrongs);
            let of_child = |(place, wrong)| Case {
                scenario: &scenario,
                process: child + 1,
                place,
                wrong,
            };
            cases.each(&ends.map(of_child).collect::<Vec<_>>(), Case::check);
        }
    }
    Ok(())
}

/// What can go wrong at a call. The program does not see a signal that comes with its last call, so
/// there only the one that nothing holds back is certain.
fn wrongs(place: Place<'_>) -> Vec<(Place<'_>, Act)> {
    let last = place.call.nr == EXIT_GROUP;
    let signals = if last { &SIGNALS[..1] } else { &SIGNALS[..] };
    let signals = signals.iter().map(|signal| Act::Signal(*signal));
    let answers = answers(place.call).into_iter().map(Act::Answer);
    answers.chain(signals).map(|wrong| (place, wrong)).collect()
}

const SIGNALS: [Signal; 3] = [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGSEGV];

/// At this call of this process it goes wrong.
struct Case<'a> {
    scenario: &'a str,
    process: usize,
    place: Place<'a>,
    wrong: Act,
}

impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scenario, name) = (self.scenario, &self.place.call.name);
        let (process, nth) = (self.process, self.place.nth + 1);
        write!(
            f,
            "{scenario}, child {process}, {name} number {nth}: {:?}",
            self.wrong
        )
    }
}

impl Case<'_> {
    fn check(&self) -> Result<()> {
        let mut done = false;
        let driven = drive(self.scenario, self.scenario, |stop| {
            let here = stop.entry && stop.process == self.process;
            if done || !here || (stop.call.nr, stop.nth) != (self.place.call.nr, self.place.nth) {
                return Act::Go;
            }
            done = true;
            self.wrong
        })?;
        ensure!(done, "the child has not come so far");
        let (code, text) = self.end();
        let line = format!("{}: {text}\n", self.scenario);
        ends(&driven, code, &line)?;
        ensure!(
            driven.exit == Some((0, 0)),
            "it still holds {:?}",
            driven.exit
        );
        ensure!(driven.left.is_empty(), "left: {:?}", driven.left);
        Ok(())
    }

    /// The parent's code, and the line of the process that says it.
    fn end(&self) -> (i32, String) {
        let by = |signal| {
            (
                1,
                format!("wait4: the child's signal is {signal}, expected 0"),
            )
        };
        match self.wrong {
            Act::Signal(signal) => by(signal as i32),
            // Who can't exit is ended by the next instruction.
            Act::Answer(_) if self.place.call.nr == EXIT_GROUP => by(Signal::SIGILL as i32),
            Act::Answer(answer) => Fault::answered(self.scenario, self.place, answer).line(),
            Act::Go | Act::Free | Act::Flip(_) => (0, String::new()),
        }
    }
}
