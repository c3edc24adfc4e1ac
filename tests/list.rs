//! Does `ioworkload --list` say what the expected traces show?

use assert_cmd::Command;
use ioworkload_tests::expected::{Call, Count, Entry, Expected, Kernel, Ret, Shape, Word, load_on};
use ioworkload_tests::{scenarios, shipped};
use nix::errno::Errno;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Kernels whose answers differ, as far as any do.
const KERNELS: [Kernel; 2] = [Kernel(5, 10), Kernel(6, 18)];

fn said(args: &[&str]) -> String {
    let output = Command::new(shipped("ioworkload")).args(args).output();
    let output = output.expect("it starts");
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
    String::from_utf8(output.stdout).expect("text")
}

/// What there is to say of a scenario, read off the trace by other means than the program's.
struct Facts {
    about: String,
    calls: (u64, u64),
    shows: BTreeMap<String, BTreeSet<String>>,
    completions: BTreeSet<String>,
}

fn facts(scenario: &str) -> Facts {
    let traces = KERNELS.map(|kernel| load_on(scenario, kernel).expect("an expected trace"));
    let (mut shows, mut completions) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeSet::new());
    for call in traces.iter().flat_map(Expected::each) {
        let errors = shows.entry(call.name.clone()).or_default();
        errors.extend(answers(call).into_iter().filter_map(name));
        let out = call.after.0.iter().map(|(_, shape)| shape);
        completions.extend(out.flat_map(results).filter_map(name));
    }
    Facts {
        about: traces[0].about.clone(),
        calls: count(&traces[0].calls),
        shows,
        completions,
    }
}

fn answers(call: &Call) -> Vec<i64> {
    match &call.ret {
        Some(Ret::Number(answer)) => vec![*answer],
        Some(Ret::Any(answers)) => answers.clone(),
        _ => Vec::new(),
    }
}

/// The `res` of each completion.
fn results(shape: &Shape) -> Vec<i64> {
    match shape {
        Shape::List(shapes) => shapes.iter().flat_map(results).collect(),
        Shape::Struct(fields) => {
            let res = fields.0.iter().filter(|(name, _)| name == "res");
            let number = |shape: &Shape| match shape {
                Shape::Word(Word::Number(number)) => Some(*number as i64),
                _ => None,
            };
            res.filter_map(|(_, shape)| number(shape)).collect()
        }
        _ => Vec::new(),
    }
}

fn name(answer: i64) -> Option<String> {
    (answer < 0).then(|| format!("{:?}", Errno::from_raw(-answer as i32)))
}

/// Least and most.
fn count(entries: &[Entry]) -> (u64, u64) {
    let each = entries.iter().map(|entry| match entry {
        Entry::Call(_) => (1, 1),
        Entry::Repeat(repeat) => {
            let round = count(&repeat.calls);
            let most = match &repeat.repeat {
                Count::Exact(rounds) => *rounds,
                Count::Range(rounds) => rounds.max,
            };
            (repeat.repeat.least() * round.0, most * round.1)
        }
    });
    each.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

fn set(value: &Value) -> BTreeSet<String> {
    let names = value.as_array().expect("a list").iter();
    names
        .map(|name| name.as_str().expect("a name").into())
        .collect()
}

#[test]
fn json_says_what_the_traces_show() {
    let list: Vec<Value> = serde_json::from_str(&said(&["--list", "--json"])).expect("JSON");
    let names: Vec<_> = list.iter().map(|row| row["scenario"].clone()).collect();
    assert_eq!(names, scenarios());
    for row in list {
        let scenario = row["scenario"].as_str().expect("a name");
        let facts = facts(scenario);
        let (least, most) = facts.calls;
        let calls = if least == most {
            json!(least)
        } else {
            json!({"min": least, "max": most})
        };
        assert_eq!(row["about"], facts.about, "{scenario}");
        assert_eq!(row["calls"], calls, "{scenario}");
        let shows = row["shows"].as_object().expect("calls");
        let shows: BTreeMap<_, _> = shows
            .iter()
            .map(|(call, errors)| (call.clone(), set(errors)))
            .collect();
        assert_eq!(shows, facts.shows, "{scenario}");
        assert_eq!(set(&row["completions"]), facts.completions, "{scenario}");
    }
}

/// The long list is the JSON in another form.
#[test]
fn long_says_the_same() {
    let list: Vec<Value> = serde_json::from_str(&said(&["--list", "--json"])).expect("JSON");
    let long: String = list.iter().map(three_lines).collect();
    assert_eq!(said(&["--list", "--long"]), long);
}

fn three_lines(row: &Value) -> String {
    let calls = match &row["calls"] {
        Value::Object(range) => format!("{} or more", range["min"]),
        calls => calls.to_string(),
    };
    let shows = row["shows"].as_object().expect("calls").iter();
    let shows: Vec<_> = shows
        .map(|(call, errors)| call.clone() + &among(errors))
        .collect();
    let completions = match among(&row["completions"]) {
        errors if errors.is_empty() => errors,
        errors => format!("; completions{errors}"),
    };
    format!(
        "{}: {calls} calls\n    {}\n    {}{completions}\n",
        text(&row["scenario"]),
        text(&row["about"]),
        shows.join(", ")
    )
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// ` (EINVAL EAGAIN)`, or nothing.
fn among(errors: &Value) -> String {
    let errors: Vec<_> = errors
        .as_array()
        .expect("a list")
        .iter()
        .map(text)
        .collect();
    match errors.as_slice() {
        [] => String::new(),
        errors => format!(" ({})", errors.join(" ")),
    }
}
