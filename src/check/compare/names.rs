//! A call compared with the expected one, with the values that names stand for in this run.

use super::{Place, Step};
use crate::expected::{self, Pairs, Ret, Shape, Word};
use crate::layout;
use crate::trace::{Call, Memory};
use std::collections::{BTreeMap, HashMap};

/// How values that are no handles, the PID and the length of its line, start; they can be equal to
/// one by chance.
const GATE: &str = "$gate_";

/// The values that names stand for in this run, and how many repetitions each was bound in.
#[derive(Clone, Default)]
pub struct Names(HashMap<String, (u64, usize)>);

impl Names {
    /// In what a call differs from the expected one.
    pub fn differences(
        &mut self,
        step: &Step<'_>,
        got: &Call,
        unread: &mut Vec<String>,
    ) -> Vec<String> {
        let (want, place) = (step.call, step.place);
        let kept = place.depth - usize::from(place.fresh);
        self.0.retain(|_, (_, depth)| *depth <= kept);
        let mut differences = Vec::new();
        if want.name != got.name {
            differences.push(format!("{} is called {}", want.name, got.name));
        }
        if want.args.len() != got.args.len() {
            differences.push(format!("{got}: expected {} arguments", want.args.len()));
        }
        for (index, (arg, value)) in want.args.iter().zip(&got.args).enumerate() {
            if !self.is(arg, *value, 8, place) {
                let arg = self.told(arg, place);
                differences.push(format!("{got}: argument {index} should be {arg}"));
            }
        }
        differences.extend(self.memory(want, &want.before, "in", &got.before, place, unread));
        if !self.ret_is(want, got.ret, place) {
            let ret = want.ret.as_ref().map_or("nothing".into(), Ret::to_string);
            let shown = want.sys_exit.map(|code| format!(", and show {code}"));
            differences.push(format!(
                "{got}: should return {ret}{}",
                shown.unwrap_or_default()
            ));
        }
        differences.extend(self.memory(want, &want.after, "out", &got.after, place, unread));
        differences
    }

    fn ret_is(&mut self, want: &expected::Call, got: Option<i64>, place: Place) -> bool {
        match (&want.ret, want.sys_exit, got) {
            (None, None, None) => true,
            (_, Some(number), Some(got)) => number == got,
            (Some(Ret::Number(number)), _, Some(got)) => *number == got,
            (Some(Ret::Any(numbers)), _, Some(got)) => numbers.contains(&got),
            (Some(Ret::Range(range)), _, Some(got)) => (range.min..=range.max).contains(&got),
            (Some(Ret::Name(name)), _, Some(got)) => {
                got >= 0 && self.named(name, got as u64, 8, place)
            }
            _ => false,
        }
    }

    /// The values themselves.
    pub fn values(self) -> BTreeMap<String, u64> {
        let values = self.0.into_iter();
        values.map(|(name, (value, _))| (name, value)).collect()
    }

    /// Whether a word of `size` bytes has the value that it should have.
    fn is(&mut self, word: &Word, value: u64, size: usize, place: Place) -> bool {
        match word {
            Word::Number(number) => cut(*number, size) == value,
            Word::Round => place.round == value,
            Word::Name(name) => self.named(name, value, size, place),
        }
    }

    /// A name stands for one value throughout, and no two addresses (nor two values, see [`GATE`])
    /// are the same. An address is not 0.
    fn named(&mut self, name: &str, value: u64, size: usize, place: Place) -> bool {
        if let Some((known, _)) = self.0.get(name) {
            return cut(*known, size) == value;
        }
        let sigil = name.chars().next();
        let chance = |name: &str| name.starts_with(GATE);
        let same = |(other, (known, _)): (&String, &(u64, usize))| {
            other.chars().next() == sigil && *known == value && !chance(other) && !chance(name)
        };
        let taken = self.0.iter().any(same);
        self.0.insert(name.into(), (value, place.depth));
        !taken && (sigil == Some('$') || sigil == Some('&') && value != 0)
    }

    fn told(&self, word: &Word, place: Place) -> String {
        match word {
            Word::Number(_) => word.to_string(),
            Word::Round => format!("{:#x}", place.round),
            Word::Name(name) => match self.0.get(name) {
                Some((value, _)) => format!("{name}, which is {value:#x}"),
                None => name.clone(),
            },
        }
    }

    /// In what the memory that a witness has read differs; what it has not read is noted.
    fn memory(
        &mut self,
        call: &expected::Call,
        want: &Pairs,
        when: &str,
        memory: &Memory,
        place: Place,
        unread: &mut Vec<String>,
    ) -> Vec<String> {
        let mut differences = Vec::new();
        for (name, shape) in &want.0 {
            let address = self.0.get(name).map(|(address, _)| *address);
            let Some(bytes) = address.and_then(|address| memory.get(&address)) else {
                unread.push(format!("{}: {when} {name}", call.name));
                continue;
            };
            if let Err(wrong) = self.shape(shape, &mut bytes.as_slice(), place) {
                differences.push(format!("{}: {when} {name}: {wrong}", call.name));
            }
        }
        differences
    }

    /// Holds the front of `bytes` against a shape, and takes it off.
    fn shape(&mut self, shape: &Shape, bytes: &mut &[u8], place: Place) -> Result<(), String> {
        match shape {
            Shape::Word(word) => self.word(word, take(bytes, 8)?, place),
            Shape::Bytes(text) => {
                let found = take(bytes, text.len())?;
                let found_text = String::from_utf8_lossy(found);
                let same = found == text.as_bytes();
                same.then_some(())
                    .ok_or(format!("{found_text:?}, not {text:?}"))
            }
            Shape::List(shapes) => shapes
                .iter()
                .try_for_each(|shape| self.shape(shape, bytes, place)),
            Shape::Struct(fields) => self.fields(fields, bytes, place),
        }
    }

    fn fields(&mut self, want: &Pairs, bytes: &mut &[u8], place: Place) -> Result<(), String> {
        let named = want.0.first().and_then(|(field, _)| layout::of(field));
        let layout = named.ok_or("a structure that layout.rs does not know")?;
        let bytes = take(bytes, layout.size)?;
        let known = |(name, _): &&(String, Shape)| layout.fields.iter().any(|(f, ..)| f == name);
        if let Some((stranger, _)) = want.0.iter().find(|pair| !known(pair)) {
            return Err(format!("there is no field {stranger}"));
        }
        for &(field, offset, size) in layout.fields {
            let wanted = want.0.iter().find(|(name, _)| name == field);
            let word = match wanted {
                None => &Word::Number(0),
                Some((_, Shape::Word(word))) => word,
                Some(_) => return Err(format!("{field} is one word")),
            };
            self.word(word, &bytes[offset..offset + size], place)
                .map_err(|wrong| format!("{field} is {wrong}"))?;
        }
        Ok(())
    }

    fn word(&mut self, want: &Word, bytes: &[u8], place: Place) -> Result<(), String> {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let value = u64::from_le_bytes(word);
        if self.is(want, value, bytes.len(), place) {
            return Ok(());
        }
        Err(format!("{value:#x}, not {}", self.told(want, place)))
    }
}

/// The first `count` bytes.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], String> {
    let all = *bytes;
    let split = all.split_at_checked(count);
    let (front, rest) = split.ok_or(format!("{} of {count} bytes were read", all.len()))?;
    *bytes = rest;
    Ok(front)
}

/// What is left of a value in a field of so many bytes.
fn cut(value: u64, size: usize) -> u64 {
    value & u64::MAX >> (64 - 8 * size)
}
