//! The values that the names of an expected trace stand for in this run.

use super::steps::Place;
use crate::ctype::CType;
use crate::expected::Word;
use std::collections::{BTreeMap, HashMap};

/// How the values of the gate start: the PID and the length of its line are no handles, and can be equal
/// to one by chance.
const GATE: &str = "$gate_";

/// The values, and how many repetitions each was bound in.
#[derive(Clone, Default, Debug)]
pub struct Names(HashMap<String, (u64, usize)>);

impl Names {
    /// Forgets what was bound in rounds that are over.
    pub fn enter(&mut self, place: Place) {
        let kept = place.depth - usize::from(place.fresh);
        self.0.retain(|_, (_, depth)| *depth <= kept);
    }

    /// Whether a number is the value that the word stands for, by its type.
    pub fn is(&mut self, word: &Word, number: i128, ctype: CType, place: Place) -> bool {
        match word {
            Word::Number(register) => ctype.same(*register, number),
            Word::Round => ctype.same(place.round, number),
            Word::Name(name) => self.named(name, number, ctype, place),
        }
    }

    /// A name stands for one value throughout, and no two addresses (nor two values) are the same, the
    /// gate's values aside. An address is not 0.
    fn named(&mut self, name: &str, number: i128, ctype: CType, place: Place) -> bool {
        if let Some((known, _)) = self.0.get(name) {
            return ctype.same(*known, number);
        }
        let fits = u64::try_from(number).or(i64::try_from(number).map(|signed| signed as u64));
        let Ok(register) = fits else { return false };
        let value = ctype.unsigned(register);
        let sigil = name.chars().next();
        let same = |(other, (known, _)): (&String, &(u64, usize))| {
            other.chars().next() == sigil && *known == value && !may_be_same(other, name)
        };
        let taken = self.0.iter().any(same);
        self.0.insert(name.into(), (value, place.depth));
        !taken && (sigil == Some('$') || sigil == Some('&') && value != 0)
    }

    /// The value of a word, if it has one yet.
    pub fn value(&self, word: &Word, place: Place) -> Option<u64> {
        match word {
            Word::Number(number) => Some(*number),
            Word::Round => Some(place.round),
            Word::Name(name) => self.address(name),
        }
    }

    /// The value of a name.
    pub fn address(&self, name: &str) -> Option<u64> {
        self.0.get(name).map(|(value, _)| *value)
    }

    /// A word as a verdict shows it: with its value.
    pub fn shown(&self, word: &Word, place: Place) -> String {
        match (word, self.value(word, place)) {
            (Word::Round, Some(value)) => format!("{value:#x}"),
            (Word::Name(name), Some(value)) => format!("{name}, which is {value:#x}"),
            _ => word.to_string(),
        }
    }

    /// All values.
    pub fn values(self) -> BTreeMap<String, u64> {
        let values = self.0.into_iter();
        values.map(|(name, (value, _))| (name, value)).collect()
    }
}

/// Whether two names can have the same value by chance.
fn may_be_same(one: &str, other: &str) -> bool {
    one.starts_with(GATE) || other.starts_with(GATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_have_two_values() {
        let rows = [
            ("&ctx", "&event", false),
            ("&ctx", "&gate_set", false),
            ("&gate_set", "&gate_line", false),
            ("$fd", "$fd2", false),
            ("$fd", "$gate_len", true),
            ("$gate_pid", "$gate_len", true),
            ("$fd", "&ctx", true),
        ];
        for (one, other, may) in rows {
            let mut names = Names::default();
            let mut bind =
                |name: &str| names.is(&Word::Name(name.into()), 7, CType::WORD, Place::default());
            assert!(bind(one));
            assert_eq!(bind(other), may, "{one} {other}");
        }
    }
}
