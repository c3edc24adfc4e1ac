//! Verdicts as text for people, and as JSON, TAP and JUnit for machines.

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
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// The tracer's events were judged.
    Judged(Verdict),
    /// It can't run here: why.
    Skip(String),
    /// There are no events to judge: why.
    Error(String),
}

/// `aio-cancel  DIFFERS  9 calls, 1 missing, 1 wrong argument`: one case, one line, without a newline.
#[must_use]
pub fn line(_case: &Case, _colour: bool) -> String {
    todo!()
}

/// Everything that differs in a case: indented lines, none if it is exact.
#[must_use]
pub fn details(_case: &Case, _colour: bool) -> String {
    todo!()
}

/// `38 exact, 1 differs, 1 skipped`: the last line of the text.
#[must_use]
pub fn summary(_cases: &[Case], _colour: bool) -> String {
    todo!()
}

/// All cases, with a newline at the end. Colour is for [`Output::Text`] only.
#[must_use]
pub fn report(_cases: &[Case], _output: Output, _colour: bool) -> String {
    todo!()
}
