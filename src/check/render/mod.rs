//! Verdicts as text for people, and as JSON, TAP and JUnit for machines.

mod machine;
mod text;

use crate::verdict::Verdict;

/// How verdicts are written.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Output {
    /// A line for each scenario, and what differs.
    #[default]
    Text,
    /// One object with everything.
    Json,
    /// Test Anything Protocol, version 14.
    Tap,
    /// JUnit's XML.
    Junit,
}

/// A scenario, and what came of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// The scenario's name.
    pub scenario: String,
    /// What came of it.
    pub outcome: Outcome,
    /// How long that took.
    pub seconds: f64,
}

/// What came of a scenario.
// There is one for each scenario: a box would save nothing.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// The tracer's events were judged.
    Judged(Verdict),
    /// It can't run here: why.
    Skip(String),
    /// There are no events to judge: why.
    Error(String),
}

impl Case {
    /// `exact`, `differs`, `skipped` or `error`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match &self.outcome {
            Outcome::Judged(verdict) if verdict.exact() => "exact",
            Outcome::Judged(_) => "differs",
            Outcome::Skip(_) => "skipped",
            Outcome::Error(_) => "error",
        }
    }

    /// `9 calls, 1 missing, 1 wrong argument`, or why there is no verdict.
    #[must_use]
    pub fn note(&self) -> String {
        match &self.outcome {
            Outcome::Judged(verdict) => verdict.summary(),
            Outcome::Skip(why) | Outcome::Error(why) => why.clone(),
        }
    }
}

pub use text::{details, line, summary};

/// All cases, with a newline at the end. Colour is for [`Output::Text`] only.
///
/// ```
/// use ioworkload_check::render::{Case, Outcome, Output, report};
///
/// let case = Case {
///     scenario: "aio-setup".into(),
///     outcome: Outcome::Skip("no io_setup here".into()),
///     seconds: 0.0,
/// };
/// assert_eq!(
///     report(&[case], Output::Tap, false),
///     "TAP version 14\n1..1\nok 1 - aio-setup # SKIP no io_setup here\n"
/// );
/// ```
#[must_use]
pub fn report(cases: &[Case], output: Output, colour: bool) -> String {
    match output {
        Output::Text => text::report(cases, colour),
        Output::Json => machine::json(cases),
        Output::Tap => machine::tap(cases),
        Output::Junit => machine::junit(cases),
    }
}
