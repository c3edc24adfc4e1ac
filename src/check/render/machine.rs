//! Verdicts for machines: JSON, TAP, JUnit.

use super::{Case, Outcome, text};
use crate::verdict::Verdict;
use serde::Serialize;
use std::fmt::Write;

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    exact: bool,
    cases: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    scenario: &'a str,
    status: &'a str,
    note: String,
    seconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a Verdict>,
}

pub fn json(cases: &[Case]) -> String {
    let rows = cases.iter().map(|case| Row {
        scenario: &case.scenario,
        status: case.status(),
        note: case.note(),
        seconds: case.seconds,
        verdict: match &case.outcome {
            Outcome::Judged(verdict) => Some(verdict),
            _ => None,
        },
    });
    let judged = |case: &&Case| case.status() != "skipped";
    let mut all = cases.iter().filter(judged);
    let report = Report {
        format: 1,
        exact: all.clone().count() > 0 && all.all(|case| case.status() == "exact"),
        cases: rows.collect(),
    };
    let text =
        serde_json::to_string_pretty(&report).expect("a verdict has no maps with other keys");
    text + "\n"
}

pub fn tap(cases: &[Case]) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", cases.len());
    for (number, case) in (1..).zip(cases) {
        text += &point(number, case);
    }
    text
}

fn point(number: usize, case: &Case) -> String {
    let name = escaped(&case.scenario);
    let head = format!("{number} - {name}");
    match &case.outcome {
        Outcome::Skip(why) => format!("ok {head} # SKIP {}\n", one_line(why)),
        Outcome::Judged(verdict) if verdict.exact() => {
            format!("ok {head}\n# {name}: {}\n", one_line(&case.note()))
        }
        Outcome::Judged(verdict) => {
            format!(
                "not ok {head}\n{}",
                yaml(&case.note(), &verdict.differences())
            )
        }
        Outcome::Error(why) => format!("not ok {head}\n{}", yaml(why, &[])),
    }
}

/// JSON's strings are YAML's too.
fn yaml(message: &str, lines: &[String]) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = format!("  ---\n  message: {}\n", quoted(message));
    if !lines.is_empty() {
        text += "  differences:\n";
    }
    for line in lines {
        let _ = writeln!(text, "    - {}", quoted(line));
    }
    text + "  ...\n"
}

fn escaped(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub fn junit(cases: &[Case]) -> String {
    let count = |status: &str| cases.iter().filter(|case| case.status() == status).count();
    let seconds: f64 = cases.iter().map(|case| case.seconds).sum();
    let counts = format!(
        "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{seconds:.3}\"",
        cases.len(),
        count("differs"),
        count("error"),
        count("skipped")
    );
    let rows: String = cases.iter().map(test).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {counts}>\n  <testsuite name=\"ioworkload\" {counts}>\n{rows}  </testsuite>\n</testsuites>\n"
    )
}

fn test(case: &Case) -> String {
    let head = format!(
        "    <testcase classname=\"ioworkload\" name=\"{}\" time=\"{:.3}\"",
        xml(&case.scenario),
        case.seconds
    );
    let note = xml(&case.note());
    match case.status() {
        "exact" => format!("{head}><system-out>{note}</system-out></testcase>\n"),
        "skipped" => format!("{head}><skipped message=\"{note}\"/></testcase>\n"),
        "error" => format!("{head}><error message=\"{note}\"/></testcase>\n"),
        _ => {
            let text = xml(&text::details(case, false));
            format!("{head}><failure message=\"{note}\">\n{text}</failure></testcase>\n")
        }
    }
}

/// XML has no way to write most control characters.
fn xml(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
