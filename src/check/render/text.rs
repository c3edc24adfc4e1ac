//! Verdicts for people: a line for each scenario, and two columns where something differs.

use super::{Case, Outcome};
use crate::verdict::{Difference, Fault, Place, Row, Verdict};
use std::fmt::Write;
use std::ops::Range;

/// A column is no wider than this.
const WIDE: usize = 72;

/// A colour, if colours are wanted.
fn paint(text: &str, code: &str, colour: bool) -> String {
    if colour && !text.is_empty() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.into()
    }
}

const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const DIM: &str = "2";

/// `aio-cancel  DIFFERS  9 calls, 1 missing, 1 wrong argument`: one case, one line, without a newline.
#[must_use]
pub fn line(case: &Case, colour: bool) -> String {
    let (word, code) = match case.status() {
        "exact" => ("exact", GREEN),
        "differs" => ("DIFFERS", RED),
        "skipped" => ("skipped", YELLOW),
        _ => ("ERROR", RED),
    };
    let word = paint(&format!("{word:7}"), code, colour);
    format!("{:24} {word}  {}", case.scenario, note(case))
}

/// The word before it says already that it is exact.
fn note(case: &Case) -> String {
    let Outcome::Judged(verdict) = &case.outcome else {
        return case.note();
    };
    let note = case.note();
    let Some(parts) = note.strip_prefix("exact") else {
        return note;
    };
    let calls = match verdict.calls() {
        1 => "1 call".into(),
        calls => format!("{calls} calls"),
    };
    calls + parts
}

/// Everything that differs in a case: indented lines, none if it is exact.
#[must_use]
pub fn details(case: &Case, colour: bool) -> String {
    let mut text = String::new();
    if let Outcome::Judged(verdict) = &case.outcome {
        process(verdict, "", colour, &mut text);
    }
    text
}

/// `38 exact, 1 differs, 1 skipped`: the last line of the text.
#[must_use]
pub fn summary(cases: &[Case], colour: bool) -> String {
    let rows = [
        ("exact", "exact", GREEN),
        ("differs", "differ", RED),
        ("error", "could not be judged", RED),
        ("skipped", "skipped", YELLOW),
    ];
    let count = |status: &str| cases.iter().filter(|case| case.status() == status).count();
    let parts = rows.map(|(status, word, code)| match count(status) {
        0 => String::new(),
        1 if status == "differs" => paint("1 differs", code, colour),
        count => paint(&format!("{count} {word}"), code, colour),
    });
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return paint("nothing was judged", RED, colour);
    }
    parts.join(", ")
}

pub fn report(cases: &[Case], colour: bool) -> String {
    let mut text = String::new();
    for case in cases {
        text += &line(case, colour);
        text.push('\n');
        text += &details(case, colour);
    }
    text + &summary(cases, colour) + "\n"
}

fn process(verdict: &Verdict, title: &str, colour: bool, text: &mut String) {
    let mut put = |line: &str| {
        text.push_str("    ");
        text.push_str(line.trim_end());
        text.push('\n');
    };
    if !verdict.rows.is_empty() {
        columns(verdict, title, colour, &mut put);
    }
    for line in verdict.end.iter().map(ToString::to_string) {
        put(&paint(&line, RED, colour));
    }
    for stranger in &verdict.strangers {
        put(&paint(&stranger.to_string(), RED, colour));
    }
    if let Some(lost) = verdict.lost {
        put(&paint(&format!("the tracer says: {lost}"), RED, colour));
    }
    for (number, child) in (1..).zip(&verdict.children) {
        process(child, &format!("child {number}: "), colour, text);
    }
}

fn columns(verdict: &Verdict, title: &str, colour: bool, put: &mut dyn FnMut(&str)) {
    let heading = format!("{title}expected");
    let wants = verdict.rows.iter().map(|row| want(row).chars().count());
    let width = wants.max().unwrap_or_default().max(heading.len()).min(WIDE);
    put(&paint(&format!("  {heading:width$}  seen"), DIM, colour));
    let mut next = 1;
    for row in &verdict.rows {
        if row.number > next {
            put(&paint(
                &format!("  … {}", skipped(row.number - next)),
                DIM,
                colour,
            ));
        }
        next = row.number + 1;
        pair(row, width, colour, put);
    }
    let shown = verdict
        .rows
        .iter()
        .filter(|row| !row.differences.is_empty());
    let more = verdict.counts.differ().saturating_sub(shown.count() as u64);
    if more > 0 {
        put(&paint(&format!("  … {more} more that differ"), RED, colour));
    }
}

fn skipped(count: u64) -> String {
    match count {
        1 => "1 call as expected".into(),
        count => format!("{count} calls as expected"),
    }
}

fn want(row: &Row) -> String {
    let extra = || format!("not expected{}", fault(row.differences.first()));
    row.want.clone().unwrap_or_else(extra)
}

fn got(row: &Row) -> String {
    let missing = || format!("missing{}", fault(row.differences.first()));
    row.got.clone().unwrap_or_else(missing)
}

fn fault(of: Option<&Difference>) -> String {
    let fault = of.and_then(|each| each.fault);
    fault.map_or(String::new(), |fault| format!(" ({fault})"))
}

/// An expected call beside the one that was seen, and below it what differs.
fn pair(row: &Row, width: usize, colour: bool, put: &mut dyn FnMut(&str)) {
    let got = &got(row);
    let mark = match row.differences.first().map(|each| &each.place) {
        None => " ",
        Some(Place::Missing) => "-",
        Some(Place::Extra) => "+",
        Some(_) => "!",
    };
    let spans: Vec<_> = row.differences.iter().map(|each| span(each, got)).collect();
    let seen = match mark {
        "+" | "-" => paint(got, RED, colour),
        _ => painted(got, &spans, colour),
    };
    let padded = format!("{:width$}", want(row));
    let expected = paint(&padded, RED, colour && (mark == "-" || mark == "+"));
    let mark = paint(mark, RED, colour && mark != " ");
    put(&format!("{mark} {expected}  {seen}"));
    let here = |each: &Difference| matches!(each.place, Place::Missing | Place::Extra);
    for (each, span) in row.differences.iter().zip(spans) {
        if here(each) {
            continue;
        }
        put(&below(
            each,
            span,
            width.max(want(row).chars().count()),
            colour,
        ));
    }
}

/// What differs, below the place where it does.
fn below(each: &Difference, span: Range<usize>, width: usize, colour: bool) -> String {
    let Difference { want, got, .. } = each;
    let why = match &each.place {
        Place::Missing | Place::Extra => String::new(),
        Place::Name => format!("the name should be {want}"),
        Place::Count => format!("{got} arguments, not {want}"),
        Place::Arg(at) => format!("argument {at} should be {want}"),
        Place::Part(at) => format!("argument {at}: {got}, not {want}"),
        Place::Result if matches!(each.fault, Some(Fault::NoExit | Fault::NoEntry)) => {
            format!("should return {want}; there is {got}")
        }
        Place::Result => format!("should return {want}"),
        Place::Memory(place) if want.is_empty() => format!("{place}: {got}"),
        Place::Memory(place) => format!("{place}: {got}, not {want}"),
    };
    let fault = each
        .fault
        .map_or(String::new(), |fault| format!(" ({fault})"));
    let mut line = " ".repeat(width + 4 + span.start);
    let carets = "^".repeat(span.len());
    let space = if carets.is_empty() { "" } else { " " };
    let _ = write!(
        line,
        "{}",
        paint(&format!("{carets}{space}{why}{fault}"), RED, colour)
    );
    line
}

/// Where in the text of a call a difference is, in characters.
fn span(each: &Difference, call: &str) -> Range<usize> {
    let chars: Vec<_> = call.chars().collect();
    let open = chars.iter().position(|c| *c == '(').unwrap_or(chars.len());
    match each.place {
        Place::Name => 0..open,
        Place::Arg(at) | Place::Part(at) => {
            let args = arguments(&chars, open);
            args.get(at).cloned().unwrap_or(0..0)
        }
        Place::Result => {
            let start = chars.windows(3).rposition(|part| part == [' ', '=', ' ']);
            start.map_or(0..0, |start| start + 3..chars.len())
        }
        _ => 0..0,
    }
}

/// Where each argument is; what is in brackets or quotes belongs to one.
fn arguments(chars: &[char], open: usize) -> Vec<Range<usize>> {
    let (mut depth, mut quoted, mut start) = (0, false, open + 1);
    let mut args = Vec::new();
    for (at, c) in chars.iter().enumerate().skip(open) {
        let escaped = at > 0 && chars[at - 1] == '\\';
        match c {
            '"' if !escaped => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ',' if depth == 1 => {
                args.push(start..at);
                start = at + 2;
            }
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            args.push(start..at);
            break;
        }
    }
    args
}

fn painted(call: &str, spans: &[Range<usize>], colour: bool) -> String {
    if !colour {
        return call.into();
    }
    let inside = |at: usize| spans.iter().any(|span| span.contains(&at));
    let mut text = String::new();
    for (at, c) in call.chars().enumerate() {
        if inside(at) && (at == 0 || !inside(at - 1)) {
            text.push_str("\x1b[31;1m");
        }
        if !inside(at) && at > 0 && inside(at - 1) {
            text.push_str("\x1b[0m");
        }
        text.push(c);
    }
    text + if spans.is_empty() { "" } else { "\x1b[0m" }
}
