//! The expected traces: the files of tests/expected, read strictly, as they are for one kernel.

use anyhow::{Context, Result, ensure};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;

/// The version of the format that this reads and the files have.
pub const FORMAT: u64 = 1;

/// A scenario's calls.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// [`FORMAT`].
    pub format: u64,
    /// The scenario's name.
    pub scenario: String,
    /// One sentence.
    pub about: String,
    /// In order.
    pub calls: Vec<Entry>,
    /// The children, in the order of their creation.
    #[serde(default)]
    pub children: Vec<Child>,
}

/// The calls of a child, or children that are made several times.
#[derive(Clone, Deserialize, Debug)]
#[serde(untagged)]
pub enum Child {
    /// In order.
    Calls(Vec<Entry>),
    /// So many times these children.
    Repeat(Children),
}

/// Children that are made several times.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Children {
    /// How often.
    pub repeat: u64,
    /// Those of one round.
    pub children: Vec<Vec<Entry>>,
}

impl Child {
    /// Every child, one by one.
    #[must_use]
    pub fn each(&self) -> Box<dyn Iterator<Item = &[Entry]> + '_> {
        match self {
            Self::Calls(calls) => Box::new([calls.as_slice()].into_iter()),
            Self::Repeat(some) => {
                Box::new((0..some.repeat).flat_map(|_| some.children.iter().map(Vec::as_slice)))
            }
        }
    }
}

/// A call, or calls that repeat.
#[derive(Clone, Debug)]
pub enum Entry {
    /// One call.
    Call(Call),
    /// Calls that are made several times.
    Repeat(Repeat),
}

impl Expected {
    /// How many calls the process makes at least, those of its children aside.
    #[must_use]
    pub fn least(&self) -> u64 {
        fn count(entries: &[Entry]) -> u64 {
            let calls = entries.iter().map(|entry| match entry {
                Entry::Call(_) => 1,
                Entry::Repeat(repeat) => repeat.repeat.least() * count(&repeat.calls),
            });
            calls.sum()
        }
        count(&self.calls)
    }

    /// Every call, those of a repetition once, those of the children last.
    #[must_use]
    pub fn each(&self) -> Vec<&Call> {
        fn collect<'a>(entries: &'a [Entry], calls: &mut Vec<&'a Call>) {
            for entry in entries {
                match entry {
                    Entry::Call(call) => calls.push(call),
                    Entry::Repeat(repeat) => collect(&repeat.calls, calls),
                }
            }
        }
        let mut calls = Vec::new();
        collect(&self.calls, &mut calls);
        for child in &self.children {
            match child {
                Child::Calls(child) => collect(child, &mut calls),
                Child::Repeat(some) => some
                    .children
                    .iter()
                    .for_each(|child| collect(child, &mut calls)),
            }
        }
        calls
    }

    /// Whether the scenario makes its target file. It also removes it then, and no other name.
    #[must_use]
    pub fn has_target(&self) -> bool {
        self.each().iter().any(|call| call.name == "unlinkat")
    }

    /// The calls of every child, one by one.
    pub fn children(&self) -> impl Iterator<Item = &[Entry]> {
        self.children.iter().flat_map(Child::each)
    }
}

/// Calls that are made several times. Names bound in a round are forgotten at its end.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// How often.
    pub repeat: Count,
    /// `$name`: the number of rounds, the same wherever a repetition has this name.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// Why the number can differ.
    pub why: Option<String>,
    /// One round.
    pub calls: Vec<Entry>,
}

/// A number of rounds.
#[derive(Clone, Deserialize, Debug)]
#[serde(untagged)]
pub enum Count {
    /// So many.
    Exact(u64),
    /// So many, both ends included.
    Range(Range<u64>),
}

impl Count {
    /// As often at least.
    #[must_use]
    pub fn least(&self) -> u64 {
        match self {
            Self::Exact(count) => *count,
            Self::Range(range) => range.min,
        }
    }
}

/// From one number to another, both included.
#[derive(Clone, Copy, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Range<T> {
    /// The least.
    pub min: T,
    /// The most.
    pub max: T,
}

/// One call as it must be.
#[derive(Clone, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The kernel's name.
    pub name: String,
    /// The number.
    pub nr: u64,
    /// Every argument that the call has.
    pub args: Vec<Word>,
    /// What the program gets; `null`: it never returns.
    #[serde(deserialize_with = "present")]
    pub ret: Option<Ret>,
    /// What sys_exit shows, where that differs.
    pub sys_exit: Option<i64>,
    /// Why there is more than one answer.
    pub why: Option<String>,
    /// What pointers lead to when the call begins.
    #[serde(default, rename = "in")]
    pub before: Pairs,
    /// What they lead to when it has returned.
    #[serde(default, rename = "out")]
    pub after: Pairs,
}

/// A word of 64 bits or less: an argument, or a field in memory.
#[derive(Clone, PartialEq, Debug)]
pub enum Word {
    /// As the kernel sees it.
    Number(u64),
    /// `&name` an address, `$name` a value that the kernel gave.
    Name(String),
    /// `#n`: the number of the round, from 1.
    Round,
}

/// A result.
#[derive(Clone, Deserialize, Debug)]
#[serde(untagged)]
pub enum Ret {
    /// This.
    Number(i64),
    /// `$name`: a value that later calls use.
    Name(#[serde(deserialize_with = "value")] String),
    /// One of these.
    Any(Vec<i64>),
    /// One from here to there.
    Range(Range<i64>),
}

/// What stands at an address.
#[derive(Clone, Debug)]
pub enum Shape {
    /// One word of 8 bytes.
    Word(Word),
    /// These bytes: a path, whose NUL is not written, or a buffer.
    Bytes(String),
    /// Words or structures, one after the other.
    List(Vec<Shape>),
    /// A structure of the kernel, by its fields; those not named are 0.
    Struct(Pairs),
}

/// Names and what belongs to them, in the order of the file.
#[derive(Clone, Default, Debug)]
pub struct Pairs(pub Vec<(String, Shape)>);

/// A kernel version, as far as it matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Kernel(pub u32, pub u32);

impl Kernel {
    /// The one that runs.
    ///
    /// # Errors
    /// Its release is no version.
    pub fn here() -> Result<Self> {
        let release = nix::sys::utsname::uname()?;
        release.release().to_string_lossy().parse()
    }
}

impl std::str::FromStr for Kernel {
    type Err = anyhow::Error;

    /// `6.1`, `6.1.0-40-cloud-amd64`.
    fn from_str(release: &str) -> Result<Self> {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit());
        let mut number = || numbers.next()?.parse().ok();
        let version = number().zip(number());
        let (major, minor) = version.with_context(|| format!("no version: {release:?}"))?;
        Ok(Self(major, minor))
    }
}

/// The expected trace of a scenario on this machine.
///
/// # Errors
/// There is no such scenario, or its trace is wrong.
pub fn load(scenario: &str) -> Result<Expected> {
    load_on(scenario, Kernel::here()?)
}

/// The expected trace of a scenario on some kernel.
///
/// # Errors
/// There is no such scenario, or its trace is wrong.
pub fn load_on(scenario: &str, kernel: Kernel) -> Result<Expected> {
    let text = text(scenario).with_context(|| format!("unknown scenario: {scenario}"))?;
    parse(text, kernel).with_context(|| format!("tests/expected/{scenario}.json"))
}

/// Every scenario and the text of its expected trace, sorted.
pub const ALL: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/expected.in"));

/// The text of a scenario's expected trace.
#[must_use]
pub fn text(scenario: &str) -> Option<&'static str> {
    let place = ALL.binary_search_by_key(&scenario, |(name, _)| name);
    place.ok().map(|place| ALL[place].1)
}

/// Reads an expected trace, and settles what differs between kernels.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str, kernel: Kernel) -> Result<Expected> {
    let mut value: Value = serde_json::from_str(text)?;
    settle(&mut value, kernel)?;
    // From text again, because only that keeps the order of `in` and `out`.
    let expected: Expected = serde_json::from_str(&value.to_string())?;
    ensure!(
        expected.format == FORMAT,
        "format {}, not {FORMAT}",
        expected.format
    );
    Ok(expected)
}

/// Replaces a call's keys by those that its `since` has for this kernel.
fn settle(value: &mut Value, kernel: Kernel) -> Result<()> {
    match value {
        Value::Array(items) => items.iter_mut().try_for_each(|item| settle(item, kernel))?,
        Value::Object(object) => {
            for (_, item) in object.iter_mut() {
                settle(item, kernel)?;
            }
            let Some(since) = object.remove("since") else {
                return Ok(());
            };
            for mut change in serde_json::from_value::<Vec<serde_json::Map<_, _>>>(since)? {
                let version = change.remove("kernel").context("since has no kernel")?;
                let version: Kernel = version.as_str().context("a kernel is text")?.parse()?;
                if version <= kernel {
                    object.extend(change);
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// A key that must be there, even if it is `null`.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Ret>, D::Error> {
    Option::deserialize(from)
}

/// The name of a value.
fn value<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let name = String::deserialize(from)?;
    let sound = name.starts_with('$');
    sound.then_some(name).ok_or(Error::custom("no $name"))
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // Not `untagged`, which hides what is wrong.
        let value = Value::deserialize(from)?;
        let repeats = value.get("repeat").is_some();
        let entry = if repeats {
            Repeat::deserialize(value).map(Self::Repeat)
        } else {
            Call::deserialize(value).map(Self::Call)
        };
        entry.map_err(Error::custom)
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        word(&value).ok_or_else(|| Error::custom(format!("no argument: {value}")))
    }
}

/// `15`, `-1`, `"0xffffffffffffffff"`, `"&path"`, `"$fd"`, `"#n"`.
fn word(value: &Value) -> Option<Word> {
    let Some(text) = value.as_str() else {
        let signed = value.as_i64().map(|number| number as u64);
        return value.as_u64().or(signed).map(Word::Number);
    };
    match (text, text.strip_prefix("0x")) {
        ("#n", _) => Some(Word::Round),
        (_, Some(hex)) => u64::from_str_radix(hex, 16).ok().map(Word::Number),
        _ => text
            .starts_with(['&', '$'])
            .then(|| Word::Name(text.into())),
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        if let Some(word) = word(&value) {
            return Ok(Self::Word(word));
        }
        let shape = match value {
            Value::String(text) => Ok(Self::Bytes(text)),
            Value::Array(_) => Vec::deserialize(value).map(Self::List),
            _ => Pairs::deserialize(value).map(Self::Struct),
        };
        shape.map_err(Error::custom)
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names and what belongs to them")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(InOrder)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number:#x}"),
            Self::Name(name) => f.write_str(name),
            Self::Round => f.write_str("#n"),
        }
    }
}

impl fmt::Display for Ret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
            Self::Any(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
                f.write_str(&numbers.join(" or "))
            }
            Self::Range(range) => write!(f, "{} to {}", range.min, range.max),
        }
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<_> = self.args.iter().map(ToString::to_string).collect();
        write!(f, "{}({}) = ", self.name, args.join(", "))?;
        match &self.ret {
            Some(ret) => write!(f, "{ret}"),
            None => f.write_str("?"),
        }
    }
}
