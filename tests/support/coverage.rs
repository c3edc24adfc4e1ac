//! What the scenarios show of the AIO interface, and what other suites have of it: the cases of
//! tests/peers.json, and the tables of tests/README.md.

use crate::{ORIGINAL, root, scenarios};
use anyhow::{Context, Result, ensure};
use ioworkload_check::expected::{Call, Kernel, Pairs, Ret, Shape, Word, load_on};
use nix::errno::Errno;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;

/// The tables are about this kernel; where older ones differ, the expected trace says so.
const KERNEL: Kernel = Kernel(6, 18);

/// Another suite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// Its name.
    pub suite: String,
    /// Which part of it, and of when.
    pub of: String,
    /// What that calls.
    pub cases: Vec<Case>,
}

/// A call of another suite, and where a scenario makes the same with the same answer, or why none
/// does.
#[derive(Clone, Deserialize, Debug)]
#[serde(untagged, deny_unknown_fields)]
pub enum Case {
    /// Here.
    Shown {
        /// In the suite's words.
        case: String,
        /// Ours.
        scenario: String,
        /// Which of its calls, from 0; those of children last.
        call: usize,
        /// The call.
        name: String,
        /// Its arguments, as far as the suite's are ours; the others are `null`. Beside what an
        /// expected trace has: `"$"` what the kernel gave, `"&"` an address of the program's,
        /// `"wild"` any other number, `"nowhere"` an address of nothing, and, in the place of an
        /// address, what must be there: a list or a structure, of its fields those that count.
        args: Vec<Option<Shape>>,
        /// The answer.
        ret: i64,
    },
    /// Nowhere.
    LeftOut {
        /// In the suite's words.
        case: String,
        /// The reason.
        why: String,
    },
}

impl Case {
    /// In the suite's words.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Shown { case, .. } | Self::LeftOut { case, .. } => case,
        }
    }

    /// Looks whether the scenario makes that call with those arguments, and gets that answer.
    ///
    /// # Errors
    /// If not.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::LeftOut { case, why } => ensure!(!why.is_empty(), "{case}: no reason"),
            Self::Shown {
                case,
                scenario,
                call,
                name,
                args,
                ret,
            } => {
                let expected = load_on(scenario, KERNEL)?;
                let calls = expected.each();
                let found = calls
                    .get(*call)
                    .context(format!("{case}: no call {call}"))?;
                let same = found.name == *name && answer(found) == Some(*ret) && takes(found, args);
                ensure!(same, "{case}: call {call} of {scenario} is {found}");
            }
        }
        Ok(())
    }
}

/// The suites of tests/peers.json.
///
/// # Errors
/// What is wrong with the file.
pub fn suites() -> Result<Vec<Suite>> {
    let text = fs::read_to_string(root().join("tests/peers.json"))?;
    Ok(serde_json::from_str(&text)?)
}

/// Whether a call has these arguments.
fn takes(call: &Call, args: &[Option<Shape>]) -> bool {
    let fit = |(stated, word): (&Option<Shape>, &Word)| {
        let word = Shape::Word(word.clone());
        stated
            .as_ref()
            .is_none_or(|stated| fits(stated, &word, &call.before))
    };
    args.len() == call.args.len() && args.iter().zip(&call.args).all(fit)
}

/// Whether something is what is stated, with this in memory.
fn fits(stated: &Shape, shape: &Shape, memory: &Pairs) -> bool {
    let zero = Shape::Word(Word::Number(0));
    match (stated, shape) {
        (Shape::List(_) | Shape::Struct(_), Shape::Word(Word::Name(name)))
            if name.starts_with('&') =>
        {
            get(memory, name).is_some_and(|there| fits(stated, there, memory))
        }
        (Shape::List(stated), Shape::List(list)) => {
            let pairs = stated.iter().zip(list);
            stated.len() == list.len()
                && pairs
                    .into_iter()
                    .all(|(stated, item)| fits(stated, item, memory))
        }
        (Shape::List(stated), Shape::Word(_)) => {
            stated.len() == 1 && fits(&stated[0], shape, memory)
        }
        (Shape::Struct(stated), Shape::Struct(fields)) => {
            let field = |name| get(fields, name).unwrap_or(&zero);
            stated
                .0
                .iter()
                .all(|(name, stated)| fits(stated, field(name), memory))
        }
        (Shape::Bytes(kind), Shape::Word(word)) => is_a(kind, word),
        (Shape::Word(Word::Name(kind)), Shape::Word(Word::Name(name))) => name.starts_with(kind),
        (Shape::Word(stated), Shape::Word(word)) => stated == word,
        _ => false,
    }
}

fn is_a(kind: &str, word: &Word) -> bool {
    match (kind, word) {
        ("wild", Word::Number(_)) => true,
        // Beyond the half of the addresses that is a program's, or what guard() gives.
        ("nowhere", Word::Number(number)) => number >> 47 != 0,
        ("nowhere", Word::Name(name)) => name == "&guard",
        _ => false,
    }
}

fn get<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a Shape> {
    let pair = pairs.0.iter().find(|(key, _)| key == name);
    pair.map(|(_, shape)| shape)
}

/// The usual answer, if it is a number.
fn answer(call: &Call) -> Option<i64> {
    match &call.ret {
        Some(Ret::Number(answer)) => Some(*answer),
        Some(Ret::Any(answers)) => answers.first().copied(),
        _ => None,
    }
}

fn error(number: i64) -> String {
    format!("{:?}", Errno::from_raw(-number as i32))
}

/// A call of a scenario: which, from 0.
type Place = (String, usize);

/// What is shown, and where.
type Shown = BTreeMap<(String, String), BTreeSet<Place>>;

/// Each AIO call, and what it answers.
fn answers(scenario: &str, calls: &[&Call], shown: &mut Shown) {
    for (at, call) in calls.iter().enumerate() {
        if let (true, Some(answer)) = (call.name.starts_with("io_"), answer(call)) {
            let text = match answer {
                0 => "0".into(),
                1.. => "more than 0".into(),
                _ => error(answer),
            };
            let row = shown.entry((call.name.clone(), text)).or_default();
            row.insert((scenario.into(), at));
        }
    }
}

/// Each opcode, and what becomes of its requests.
fn outcomes(scenario: &str, calls: &[&Call], shown: &mut Shown) {
    let mut fetched = BTreeSet::new();
    for (at, call) in calls.iter().enumerate() {
        let Some(answer) = answer(call).filter(|_| call.name == "io_submit") else {
            continue;
        };
        for (number, iocb) in (0..).zip(requests(call)) {
            let opcode = field(iocb, "aio_lio_opcode");
            let outcome = if number < answer {
                let data = field(iocb, "aio_data");
                let res = result(&calls[at + 1..], data, at, &mut fetched);
                accepted(opcode, res)
            } else if answer < 0 {
                format!("refused, {}", error(answer))
            } else {
                continue;
            };
            let row = shown.entry((name_of(opcode), outcome)).or_default();
            row.insert((scenario.into(), at));
        }
    }
}

/// The requests that an io_submit reads, in the order of its list.
fn requests(call: &Call) -> Vec<&Pairs> {
    let Some((_, Shape::List(list))) = call.before.0.first() else {
        return Vec::new();
    };
    let iocb = |word: &Shape| match word {
        Shape::Word(Word::Name(name)) => match get(&call.before, name) {
            Some(Shape::Struct(fields)) => Some(fields),
            _ => None,
        },
        _ => None,
    };
    // A pointer that leads nowhere is no request.
    list.iter().filter_map(iocb).collect()
}

fn field(fields: &Pairs, name: &str) -> u64 {
    match get(fields, name) {
        Some(Shape::Word(Word::Number(number))) => *number,
        _ => 0,
    }
}

/// The result of the first completion with these data that is not yet another request's.
fn result(
    calls: &[&Call],
    data: u64,
    from: usize,
    fetched: &mut BTreeSet<(usize, usize)>,
) -> Option<i64> {
    for (at, call) in calls.iter().enumerate() {
        let events = call.after.0.iter().filter_map(|(_, shape)| match shape {
            Shape::List(events) => Some(events),
            _ => None,
        });
        for (number, event) in events.flatten().enumerate() {
            let Shape::Struct(fields) = event else {
                continue;
            };
            let its = field(fields, "data") == data;
            if its && fetched.insert((from + 1 + at, number)) {
                return Some(field(fields, "res") as i64);
            }
        }
    }
    None
}

fn accepted(opcode: u64, res: Option<i64>) -> String {
    match (name_of(opcode).as_str(), res) {
        (_, None) => "taken, not fetched by a call".into(),
        (_, Some(res @ ..0)) => format!("completed, {}", error(res)),
        ("POLL", Some(0)) => "cancelled".into(),
        ("POLL", Some(_)) => "completed, events".into(),
        ("FSYNC" | "FDSYNC", Some(_)) => "completed".into(),
        (_, Some(0)) => "completed, 0 bytes".into(),
        (_, Some(_)) => "completed, bytes".into(),
    }
}

/// The name of an opcode in `include/uapi/linux/aio_abi.h`.
fn name_of(opcode: u64) -> String {
    let names = [
        "PREAD", "PWRITE", "FSYNC", "FDSYNC", "PREADX", "POLL", "NOOP", "PREADV", "PWRITEV",
    ];
    let name = names.get(opcode as usize);
    name.map_or_else(|| "an unknown one".into(), ToString::to_string)
}

/// Both tables, as tests/README.md has them.
///
/// # Errors
/// An expected trace or tests/peers.json is missing or wrong.
pub fn tables() -> Result<String> {
    let (mut calls, mut opcodes) = (Shown::new(), Shown::new());
    for scenario in scenarios() {
        let expected = load_on(&scenario, KERNEL)?;
        answers(&scenario, &expected.each(), &mut calls);
        outcomes(&scenario, &expected.each(), &mut opcodes);
    }
    let suites = suites()?;
    let calls = table("call | answer", &calls, &suites);
    Ok(format!(
        "{calls}\n{}",
        table("opcode | outcome", &opcodes, &suites)
    ))
}

fn table(head: &str, shown: &Shown, suites: &[Suite]) -> String {
    let peers: Vec<_> = suites.iter().map(|suite| suite.suite.as_str()).collect();
    let mut text = format!(
        "| {head} | scenarios | {} | original |\n|---|---|---|{}---|\n",
        peers.join(" | "),
        "---|".repeat(peers.len())
    );
    for ((what, outcome), places) in shown {
        let marks = suites
            .iter()
            .map(|suite| suite.cases.iter().any(|case| is_in(case, places)));
        let original = places
            .iter()
            .any(|(scenario, _)| ORIGINAL.contains(&scenario.as_str()));
        let marks: Vec<_> = marks
            .chain([original])
            .map(|has| if has { "yes" } else { "" })
            .collect();
        let _ = writeln!(
            text,
            "| {what} | {outcome} | {} | {} |",
            names(places),
            marks.join(" | ")
        );
    }
    text
}

fn is_in(case: &Case, places: &BTreeSet<Place>) -> bool {
    match case {
        Case::Shown { scenario, call, .. } => places.contains(&(scenario.clone(), *call)),
        Case::LeftOut { .. } => false,
    }
}

/// The scenarios' names, without what they all start with; of many the first.
fn names(places: &BTreeSet<Place>) -> String {
    let short = |(scenario, _): &Place| scenario.trim_start_matches("aio-").to_owned();
    let names: BTreeSet<_> = places.iter().map(short).collect();
    let (shown, more) = (names.len().min(5), names.len().saturating_sub(5));
    let shown: Vec<_> = names.into_iter().take(shown).collect();
    match more {
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    }
}

/// What stands around the tables in tests/README.md.
const MARKS: [&str; 2] = ["<!-- coverage -->\n", "<!-- end of coverage -->\n"];

/// A text with the tables between the marks, in place of what stands there.
///
/// # Errors
/// A mark is missing, or something that the tables are made from.
pub fn with_tables(text: &str) -> Result<String> {
    let (front, rest) = text.split_once(MARKS[0]).context("no mark")?;
    let (_, back) = rest.split_once(MARKS[1]).context("no end mark")?;
    Ok(format!(
        "{front}{}{}{}{back}",
        MARKS[0],
        tables()?,
        MARKS[1]
    ))
}
