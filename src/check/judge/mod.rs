//! The judge: takes a tracer's events as they come, in bounded memory, and says in the end how they
//! relate to what is expected.

use crate::event::Event;
use crate::expected::Expected;
pub use crate::verdict::Verdict;

/// How to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many arguments the tracer shows at most: audit shows 4.
    pub args: Option<usize>,
    /// Which result of an interrupted call it shows.
    pub ret: Shown,
    /// Only calls of these names, globs (`io_*`) or families (`aio`); none: all.
    pub only: Vec<String>,
    /// Whether arguments are whole registers of 64 bits, whatever their C type.
    pub registers: bool,
    /// Where the program starts.
    pub start: Start,
    /// How many calls that are as expected are kept on each side of one that is not.
    pub context: usize,
    /// How many rows are kept of a process; more differences are only counted.
    pub rows: usize,
    /// Over how many calls the two sides are aligned again after a difference.
    pub window: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            args: None,
            ret: Shown::Either,
            only: Vec::new(),
            registers: false,
            start: Start::Any,
            context: 3,
            rows: 1000,
            window: 4096,
        }
    }
}

/// The result that a tracer shows of a call that the kernel restarts or ends with EINTR.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Shown {
    /// The kernel's own code, -512 to -516.
    SysExit,
    /// What the program gets.
    Program,
    /// Whichever.
    #[default]
    Either,
}

/// Where the program starts in what a tracer reports.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Start {
    /// With the last execve, if one is reported; with the first event otherwise.
    #[default]
    Any,
    /// With the last execve, which has to be there.
    Exec,
    /// The tracer came while the program waited in a call: that is not the scenario's.
    Attached,
}

/// Takes events, and judges.
pub struct Judge<'a> {
    expected: &'a Expected,
}

impl<'a> Judge<'a> {
    /// A judge who has seen nothing yet.
    #[must_use]
    pub fn new(expected: &'a Expected, _options: Options) -> Self {
        Self { expected }
    }

    /// Takes the next event.
    pub fn event(&mut self, _event: Event) {
        let _ = &self.expected.calls;
    }

    /// There are no more.
    #[must_use]
    pub fn finish(self) -> Verdict {
        todo!()
    }
}
