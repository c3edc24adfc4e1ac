//! The report, in KTAP version 1: the plan, a line per fixture, and the totals, each written to
//! standard output as soon as it is known.

use super::child::{End, LIMIT_S, Printed};
use super::environment::Environment;
use super::names::Refusal;
use crate::report::SKIP;
use crate::text::{Line, Page, SHOWN};

/// Room for a line with what somebody else has written: a name of 255 bytes and all of [`Printed`], four
/// times as long where nothing of it can be shown as it is.
type Row = Page<4096>;

/// What has been reported so far.
pub struct Report {
    environment: Environment,
    pass: u32,
    fail: u32,
    skip: u32,
}

impl Report {
    /// Opens the report: so many results will follow.
    #[must_use]
    pub fn open(plan: usize, environment: Environment) -> Self {
        let mut line = Line::default();
        if environment == Environment::Machine {
            // A parser takes what the firmware has left on the line for a prefix of every line.
            line.text("\n");
        }
        line.text("KTAP version 1\n1..").number(plan as i64);
        environment.print(&mut line);
        Self {
            environment,
            pass: 0,
            fail: 0,
            skip: 0,
        }
    }

    /// Closes it at once: nothing can be run, and this is why. Returns the exit code.
    #[must_use]
    pub fn refused(self, refusal: Refusal) -> u8 {
        let mut line = Line::default();
        match refusal {
            Refusal::Errno(errno) => line.text("# init: can't list /: ").errno(errno),
            Refusal::TooMany => drop(line.text("# init: more than 64 programs")),
            Refusal::TooLong => drop(line.text("# init: too many files in /")),
            Refusal::Nothing => drop(line.text("# init: no program in /")),
        }
        self.environment.print(&mut line);
        self.close()
    }

    /// Adds a fixture's result. What it has printed stands above the line as a diagnostic, or in it as
    /// the reason of a skip.
    pub fn result(&mut self, fixture: &[u8], end: End, printed: &Printed) {
        let number = 1 + self.pass + self.fail + self.skip;
        let printed = printed.split(|byte| *byte == b'\n');
        let mut printed = printed.filter(|text| !text.is_empty());
        let skip = end == End::Exited(SKIP);
        let reason = if skip { printed.next() } else { None };
        for text in printed {
            self.environment
                .print(quote(Row::default().text("# "), text));
        }
        let mut line = Row::default();
        line.text(self.count(end)).number(number.into());
        quote(line.text(" "), fixture);
        describe(end, &mut line);
        self.environment
            .print(quote(&mut line, reason.unwrap_or_default()));
    }

    fn count(&mut self, end: End) -> &'static str {
        let (count, word) = match end {
            End::Exited(0) => (&mut self.pass, "ok "),
            End::Exited(SKIP) => (&mut self.skip, "ok "),
            _ => (&mut self.fail, "not ok "),
        };
        *count += 1;
        word
    }

    /// Adds the totals, as kselftest words them. Returns the exit code: 0 if something has passed
    /// and nothing failed, 77 if all was skipped, otherwise 1.
    #[must_use]
    pub fn close(self) -> u8 {
        let mut line = Line::default();
        line.text("# Totals: pass:").number(self.pass.into());
        line.text(" fail:").number(self.fail.into());
        line.text(" xfail:0 xpass:0 skip:").number(self.skip.into());
        self.environment.print(line.text(" error:0"));
        match self {
            Self {
                fail: 0, pass: 1.., ..
            } => 0,
            Self {
                fail: 0, skip: 1.., ..
            } => SKIP,
            _ => 1,
        }
    }
}

/// Adds what follows the fixture's name.
fn describe(end: End, line: &mut Row) {
    match end {
        End::Exited(0) => {}
        End::Exited(SKIP) => {
            line.text(" # SKIP ");
        }
        End::Exited(code) => line.text(" # exit=").number(code.into()),
        End::Signalled(signal) => line.text(" # signal=").number(signal.into()),
        End::TimedOut | End::Immortal => {
            line.text(" # TIMEOUT ").number(LIMIT_S.into());
            line.text(if end == End::TimedOut {
                " seconds"
            } else {
                " seconds, survives SIGKILL"
            });
        }
        End::Failed(call, errno) => line.text(" # ERROR ").text(call).text(": ").errno(errno),
    }
}

/// Adds what somebody else has written, without what a terminal would not print.
fn quote<'a>(line: &'a mut Row, text: &[u8]) -> &'a mut Row {
    for part in text.chunks(SHOWN) {
        line.foreign(part);
    }
    line
}
