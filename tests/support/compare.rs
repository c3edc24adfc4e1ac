//! The comparison of what a witness has seen with what is expected: whole, in order, to the last
//! argument.

use crate::expected::{self, Arg, Expected, Ret};
use crate::trace::{Call, Seen};
use std::collections::HashMap;

/// How the two relate.
#[derive(Default, Debug)]
pub struct Verdict {
    /// Calls that were made and that nobody asked for.
    pub noise: usize,
    /// Calls that were asked for and not made.
    pub missing: usize,
    /// Every difference, a line each; empty if there is none.
    pub differences: Vec<String>,
}

impl Verdict {
    /// No difference.
    #[must_use]
    pub fn exact(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Holds what was seen against what is expected.
#[must_use]
pub fn compare(expected: &Expected, seen: &Seen) -> Verdict {
    let mut verdict = Verdict::default();
    let mut names = Names::default();
    for pair in align(&expected.calls, &seen.calls) {
        match pair {
            (Some(want), Some(got)) => verdict.differences.extend(names.differences(want, got)),
            (Some(want), None) => {
                verdict.missing += 1;
                verdict.differences.push(format!("missing: {}", want.name));
            }
            (None, Some(got)) => {
                verdict.noise += 1;
                verdict.differences.push(format!("not asked for: {got}"));
            }
            (None, None) => {}
        }
    }
    let end = end(expected);
    if seen.end != end {
        verdict
            .differences
            .push(format!("it {}; expected: {end}", seen.end));
    }
    verdict
}

/// The end that the last call brings about.
fn end(expected: &Expected) -> String {
    match expected.calls.last().map(|call| call.args.as_slice()) {
        Some([Arg::Number(code)]) => format!("exited with {code}"),
        _ => "no end: the last call is not exit_group".into(),
    }
}

type Pair<'a> = (Option<&'a expected::Call>, Option<&'a Call>);

/// Lays the two side by side so that as many calls as possible stand opposite a call of the same
/// number: a longest common subsequence, from its table of lengths.
fn align<'a>(want: &'a [expected::Call], got: &'a [Call]) -> Vec<Pair<'a>> {
    let mut common = vec![vec![0; got.len() + 1]; want.len() + 1];
    for (i, w) in want.iter().enumerate().rev() {
        for (j, g) in got.iter().enumerate().rev() {
            common[i][j] = if w.nr == g.nr {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < want.len() || j < got.len() {
        let both = i < want.len() && j < got.len();
        if both && want[i].nr == got[j].nr {
            pairs.push((Some(&want[i]), Some(&got[j])));
            (i, j) = (i + 1, j + 1);
        } else if j == got.len() || both && common[i + 1][j] >= common[i][j + 1] {
            pairs.push((Some(&want[i]), None));
            i += 1;
        } else {
            pairs.push((None, Some(&got[j])));
            j += 1;
        }
    }
    pairs
}

/// The values that names stand for in this run.
#[derive(Default)]
struct Names(HashMap<String, u64>);

impl Names {
    /// In what a call differs from the expected one.
    fn differences(&mut self, want: &expected::Call, got: &Call) -> Vec<String> {
        let mut differences = Vec::new();
        if want.name != got.name {
            differences.push(format!("{} is called {}", want.name, got.name));
        }
        if want.args.len() != got.args.len() {
            differences.push(format!("{got}: expected {} arguments", want.args.len()));
        }
        for (index, (arg, value)) in want.args.iter().zip(&got.args).enumerate() {
            if !self.arg_is(arg, *value) {
                differences.push(format!(
                    "{got}: argument {index} should be {}",
                    self.arg(arg)
                ));
            }
        }
        if !self.ret_is(want.ret.as_ref(), got.ret) {
            differences.push(format!("{got}: should return {:?}", want.ret));
        }
        differences
    }

    fn arg_is(&mut self, arg: &Arg, value: u64) -> bool {
        match arg {
            Arg::Number(number) => *number == value,
            Arg::Name(name) => self.is(name, value),
        }
    }

    fn ret_is(&mut self, want: Option<&Ret>, got: Option<i64>) -> bool {
        match (want, got) {
            (None, None) => true,
            (Some(Ret::Number(number)), Some(got)) => *number == got,
            (Some(Ret::Any(numbers)), Some(got)) => numbers.contains(&got),
            (Some(Ret::Name(name)), Some(got)) => got >= 0 && self.is(name, got as u64),
            _ => false,
        }
    }

    /// A name stands for one value throughout, and no two addresses (nor two values) are the same.
    /// An address is not 0.
    fn is(&mut self, name: &str, value: u64) -> bool {
        if let Some(known) = self.0.get(name) {
            return *known == value;
        }
        let sigil = name.chars().next();
        let taken = self
            .0
            .iter()
            .any(|(other, known)| other.chars().next() == sigil && *known == value);
        self.0.insert(name.into(), value);
        !taken && (sigil == Some('$') || sigil == Some('&') && value != 0)
    }

    fn arg(&self, arg: &Arg) -> String {
        match arg {
            Arg::Number(number) => format!("{number:#x}"),
            Arg::Name(name) => match self.0.get(name) {
                Some(value) => format!("{name}, which is {value:#x}"),
                None => name.clone(),
            },
        }
    }
}
