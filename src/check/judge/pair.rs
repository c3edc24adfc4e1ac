//! One call as it was seen beside the expected one: arguments, result and memory.

use super::Options;
use super::got::{Got, Half, answers, restarts, shown};
use super::names::Names;
use super::steps::{Place, Step};
use super::symbols;
use crate::ctype::CType;
use crate::event::{Ret, Value};
use crate::expected::{self, Pairs, Shape, Word};
use crate::layout;
use crate::syscalls;
use crate::trace::Memory;
use crate::verdict::{Compared, Difference, Fault, Gap, Place as At};
use std::collections::{BTreeMap, HashSet};

/// So many places of memory that were not read are named; more are only counted.
const UNREAD: usize = 1000;

/// So many kinds of what is not compared are named, that is: so many symbols.
const GAPS: usize = 100;

/// What is gathered beside the differences.
#[derive(Default, Debug)]
pub struct Notes {
    pub compared: Compared,
    pub gaps: BTreeMap<Gap, u64>,
    pub unread: Vec<String>,
}

impl Notes {
    pub fn gap(&mut self, gap: Gap) {
        let full = self.gaps.len() >= GAPS && !self.gaps.contains_key(&gap);
        let gap = if full { Gap::Hidden } else { gap };
        *self.gaps.entry(gap).or_default() += 1;
    }
}

/// What differs within memory or a decoded value: what is there, what should be.
pub struct Wrong {
    got: String,
    want: String,
    fault: Option<Fault>,
}

impl Wrong {
    fn new(got: impl Into<String>, want: impl Into<String>) -> Self {
        Self {
            got: got.into(),
            want: want.into(),
            fault: None,
        }
    }
}

/// Compares two calls.
pub struct Pair<'x> {
    pub names: &'x mut Names,
    pub notes: &'x mut Notes,
    pub options: &'x Options,
    /// The pointers of which a decoded argument has shown the memory.
    seen: HashSet<String>,
}

impl<'x> Pair<'x> {
    pub fn new(names: &'x mut Names, notes: &'x mut Notes, options: &'x Options) -> Self {
        Self {
            names,
            notes,
            options,
            seen: HashSet::new(),
        }
    }

    /// In what a call differs from the expected one.
    pub fn differences(mut self, step: &Step<'_>, got: &Got) -> Vec<Difference> {
        self.names.enter(step.place);
        let mut all = Vec::new();
        self.name(step, got, &mut all);
        self.args(step, got, &mut all);
        self.memory(step, "in", &step.call.before, &got.call.before, &mut all);
        self.result(step, got, &mut all);
        self.memory(step, "out", &step.call.after, &got.call.after, &mut all);
        self.notes.compared.calls += 1;
        all
    }

    #[allow(clippy::unused_self)]
    fn name(&self, step: &Step<'_>, got: &Got, all: &mut Vec<Difference>) {
        let name = got.call.name.as_deref().unwrap_or(&step.call.name);
        if name != step.call.name {
            all.push(difference(At::Name, &step.call.name, name, None));
        }
    }

    fn args(&mut self, step: &Step<'_>, got: &Got, all: &mut Vec<Difference>) {
        let want = &step.call.args;
        let most = self.options.args.unwrap_or(want.len()).min(want.len());
        let Some(args) = &got.call.args else {
            if most > 0 {
                self.notes.gap(Gap::Args);
            }
            return;
        };
        if self.counts(args.len(), want.len(), most) {
            let (want, got) = (want.len().to_string(), args.len().to_string());
            all.push(difference(At::Count, &want, &got, None));
        }
        let shown = args.len().min(most);
        if shown < want.len() {
            self.notes.gap(Gap::ArgsFrom(shown));
        }
        for (at, value) in args.iter().enumerate().take(shown) {
            if let Err(wrong) = self.arg(step, at, value) {
                let number = matches!(value, Value::Number(_) | Value::Symbol(_));
                let place = if number { At::Arg(at) } else { At::Part(at) };
                all.push(wrong.at(place));
            }
        }
    }

    /// Whether the number of arguments is wrong. Fewer may be all that a tracer shows, and six are all
    /// the registers that there are.
    fn counts(&self, got: usize, want: usize, most: usize) -> bool {
        if self.options.registers {
            return got != want;
        }
        match self.options.args {
            Some(_) => got < most,
            None => got > want && got != 6,
        }
    }

    fn arg(&mut self, step: &Step<'_>, at: usize, value: &Value) -> Result<(), Wrong> {
        let want = &step.call.args[at];
        let ctype = if self.options.registers {
            CType::WORD
        } else {
            step.ctype(at)
        };
        let shape = match want {
            Word::Name(name) => shape(step.call, name, true),
            _ => None,
        };
        self.value(step, want, ctype, shape, value)
    }

    /// A value as a tracer shows it, decoded or not, beside the word that is expected.
    fn value(
        &mut self,
        step: &Step<'_>,
        want: &Word,
        ctype: CType,
        shape: Option<&Shape>,
        value: &Value,
    ) -> Result<(), Wrong> {
        match value {
            Value::Unknown => {
                self.notes.gap(Gap::Hidden);
                Ok(())
            }
            Value::Number(_) | Value::Symbol(_) => {
                if let Some(number) = symbols::number(value) {
                    return self.number(want, number, ctype, step.place, &shown(value));
                }
                self.notes.gap(Gap::Symbol(shown(value)));
                Ok(())
            }
            Value::List(_) | Value::Struct(_) | Value::Bytes(..) => {
                self.pointed(step, want, shape, value)
            }
        }
    }

    fn number(
        &mut self,
        want: &Word,
        number: i128,
        ctype: CType,
        place: Place,
        text: &str,
    ) -> Result<(), Wrong> {
        self.notes.compared.args += 1;
        let value = self.names.value(want, place);
        if self.names.is(want, number, ctype, place) {
            return Ok(());
        }
        Err(Wrong {
            fault: value.and_then(|value| narrowed(value, number)),
            ..Wrong::new(text, self.names.shown(want, place))
        })
    }

    /// What an argument leads to, printed in its place: the pointer itself is not known then.
    fn pointed(
        &mut self,
        step: &Step<'_>,
        want: &Word,
        shape: Option<&Shape>,
        value: &Value,
    ) -> Result<(), Wrong> {
        match (want, shape) {
            (Word::Name(name), Some(shape)) => {
                self.notes.gap(Gap::Pointers);
                self.seen.insert(name.clone());
                self.shape_value(step, shape, value)
            }
            (Word::Name(_), None) => {
                self.notes.gap(Gap::Pointers);
                Ok(())
            }
            _ => Err(Wrong::new(shown(value), self.names.shown(want, step.place))),
        }
    }

    fn shape_value(&mut self, step: &Step<'_>, shape: &Shape, value: &Value) -> Result<(), Wrong> {
        match (shape, value) {
            (_, Value::Unknown) => {
                self.notes.gap(Gap::Parts);
                Ok(())
            }
            (Shape::Bytes(text), Value::Bytes(bytes, whole)) => self.text(text, bytes, *whole),
            (Shape::List(shapes), Value::List(values)) => self.list(step, shapes, values),
            (Shape::List(shapes), Value::Struct(_)) => self.flat(step, shapes, value),
            (Shape::Struct(fields), Value::Struct(values)) => {
                self.fields_value(step, fields, values)
            }
            (Shape::Struct(_), Value::List(values))
                if matches!(values.as_slice(), [Value::Struct(_)]) =>
            {
                self.shape_value(step, shape, &values[0])
            }
            (Shape::Struct(fields), Value::List(values)) => self.row(step, fields, values),
            (Shape::Word(word), _) => self.word_value(step, word, value),
            _ => {
                self.notes.gap(Gap::Parts);
                Ok(())
            }
        }
    }

    /// Elements in a row: those that are expected, because the kernel may read fewer than there are.
    fn list(&mut self, step: &Step<'_>, want: &[Shape], got: &[Value]) -> Result<(), Wrong> {
        for (shape, value) in want.iter().zip(got) {
            self.shape_value(step, shape, value)?;
        }
        if got.len() < want.len() && got.last() != Some(&Value::Unknown) {
            let text = format!("{} elements", got.len());
            return Err(Wrong::new(text, want.len().to_string()));
        }
        if got.len() != want.len() {
            self.notes.gap(Gap::Parts);
        }
        Ok(())
    }

    fn text(&mut self, want: &str, got: &[u8], whole: bool) -> Result<(), Wrong> {
        self.notes.compared.memory += 1;
        let got = got.strip_suffix(b"\0").unwrap_or(got);
        let want_bytes = want.as_bytes();
        if got == want_bytes || !whole && want_bytes.starts_with(got) {
            if got != want_bytes {
                self.notes.gap(Gap::Parts);
            }
            return Ok(());
        }
        let cut = want_bytes.starts_with(got) && !got.is_empty();
        Err(Wrong {
            fault: cut.then_some(Fault::Text),
            ..Wrong::new(
                format!("{:?}", String::from_utf8_lossy(got)),
                format!("{want:?}"),
            )
        })
    }

    /// One word of 8 bytes: a number, `[number]`, a set of signals, or what a pointer there leads to.
    fn word_value(&mut self, step: &Step<'_>, want: &Word, value: &Value) -> Result<(), Wrong> {
        let ctype = CType::WORD;
        match (want, value) {
            (Word::Name(name), Value::Struct(_) | Value::Bytes(..) | Value::List(_))
                if name.starts_with('&') || !matches!(value, Value::List(_)) =>
            {
                let shape = shape(step.call, name, false);
                self.pointed(step, want, shape, value)
            }
            (_, Value::List(values)) => {
                match (values.as_slice(), symbols::signals(values, masks(step))) {
                    ([one @ Value::Number(_)], None) => self.value(step, want, ctype, None, one),
                    (_, Some(set)) => {
                        self.number(want, set.into(), ctype, step.place, &shown(value))
                    }
                    _ => {
                        self.notes.gap(Gap::Parts);
                        Ok(())
                    }
                }
            }
            (Word::Number(_), Value::Struct(_) | Value::Bytes(..)) => {
                self.notes.gap(Gap::Parts);
                Ok(())
            }
            _ => self.value(step, want, ctype, None, value),
        }
    }

    /// Words in a row, printed as nested structures: an itimerval.
    fn flat(&mut self, step: &Step<'_>, shapes: &[Shape], value: &Value) -> Result<(), Wrong> {
        let mut leaves = Vec::new();
        flatten(value, &mut leaves);
        if leaves.len() != shapes.len() {
            self.notes.gap(Gap::Parts);
            return Ok(());
        }
        let mut each = shapes.iter().zip(leaves);
        each.try_for_each(|(shape, leaf)| self.shape_value(step, shape, leaf))
    }

    /// A structure printed as a list, `[3, 4]`.
    fn row(&mut self, step: &Step<'_>, want: &Pairs, values: &[Value]) -> Result<(), Wrong> {
        let layout = want.0.first().and_then(|(field, _)| layout::of(field));
        let Some(layout) = layout.filter(|layout| layout.fields.len() == values.len()) else {
            self.notes.gap(Gap::Parts);
            return Ok(());
        };
        let names = layout.fields.iter().map(|(name, ..)| (*name).to_owned());
        let values: Vec<_> = names.zip(values.iter().cloned()).collect();
        self.fields_value(step, want, &values)
    }

    /// The fields of a structure that are shown: those that are not expected by name are 0.
    fn fields_value(
        &mut self,
        step: &Step<'_>,
        want: &Pairs,
        values: &[(String, Value)],
    ) -> Result<(), Wrong> {
        let layout = want.0.first().and_then(|(field, _)| layout::of(field));
        let Some(layout) = layout else {
            self.notes.gap(Gap::Parts);
            return Ok(());
        };
        self.notes.compared.memory += 1;
        let mut known = 0;
        for (name, value) in values {
            let field = layout.fields.iter().find(|(field, ..)| field == name);
            let Some((_, _, size)) = field else {
                self.notes.gap(Gap::Parts);
                continue;
            };
            known += 1;
            let wanted = want.0.iter().find(|(field, _)| field == name);
            let word = match wanted.map(|(_, shape)| shape) {
                None => &Word::Number(0),
                Some(Shape::Word(word)) => word,
                Some(_) => continue,
            };
            self.field(step, word, *size, value)
                .map_err(|wrong| wrong.of(name))?;
        }
        if known < layout.fields.len() {
            self.notes.gap(Gap::Parts);
        }
        Ok(())
    }

    fn field(
        &mut self,
        step: &Step<'_>,
        want: &Word,
        size: usize,
        value: &Value,
    ) -> Result<(), Wrong> {
        if symbols::number(value).is_none() && size == 8 {
            return self.word_value(step, want, value);
        }
        self.value(step, want, CType::integer(8 * size as u32), None, value)
    }

    fn result(&mut self, step: &Step<'_>, got: &Got, all: &mut Vec<Difference>) {
        let want = step.call;
        let text = want
            .ret
            .as_ref()
            .map_or("nothing".into(), expected::Ret::to_string);
        let shown = want
            .sys_exit
            .filter(|_| self.options.ret == super::Shown::SysExit);
        let text = text + &shown.map_or(String::new(), |code| format!(", and show {code}"));
        let (seen, fault) = match (got.half, &got.call.ret) {
            (Half::Exit, _) => ("no beginning".to_owned(), Some(Fault::NoEntry)),
            (Half::Entry { .. }, _) if want.ret.is_none() => return,
            (Half::Entry { ends: true }, _) => ("no end".to_owned(), Some(Fault::NoExit)),
            (_, None) => return self.notes.gap(Gap::Results),
            (_, Some(ret)) => {
                self.notes.compared.results += 1;
                if self.answered(step, ret) {
                    return;
                }
                let number = match ret {
                    Ret::Number(number) => number.to_string(),
                    Ret::Never => "nothing".into(),
                    Ret::Interrupted => "a restart".into(),
                };
                (number, self.result_fault(want, ret))
            }
        };
        all.push(difference(At::Result, &text, &seen, fault));
    }

    fn answered(&mut self, step: &Step<'_>, ret: &Ret) -> bool {
        let want = step.call;
        match (&want.ret, ret) {
            (None, Ret::Never) => true,
            (None, _) | (_, Ret::Never) => false,
            (Some(_), Ret::Interrupted) => want.sys_exit.is_some_and(restarts),
            (Some(_), Ret::Number(got)) => match (answers(want, *got, self.options.ret), &want.ret)
            {
                (None, Some(expected::Ret::Name(name))) => {
                    let word = Word::Name(name.clone());
                    let value = i128::from(*got);
                    *got >= 0 && self.names.is(&word, value, CType::WORD, step.place)
                }
                (answer, _) => answer == Some(true),
            },
        }
    }

    fn result_fault(&self, want: &expected::Call, ret: &Ret) -> Option<Fault> {
        let Ret::Number(got) = ret else { return None };
        if want.sys_exit.is_some() && (restarts(*got) || *got == -4) {
            return Some(Fault::Restart);
        }
        let value = match &want.ret {
            Some(expected::Ret::Number(number)) => *number as u64,
            Some(expected::Ret::Name(name)) => self.names.address(name)?,
            _ => return None,
        };
        narrowed(value, (*got).into())
    }

    /// In what the memory that a tracer has read differs; what it has not read is noted.
    fn memory(
        &mut self,
        step: &Step<'_>,
        when: &str,
        want: &Pairs,
        memory: &Memory,
        all: &mut Vec<Difference>,
    ) {
        for (name, shape) in &want.0 {
            let address = self.names.address(name);
            let Some(bytes) = address.and_then(|address| memory.get(&address)) else {
                if !self.seen.contains(name) {
                    self.unread(step, when, name);
                }
                continue;
            };
            self.notes.compared.memory += 1;
            if let Err(wrong) = self.shape(shape, &mut bytes.as_slice(), step.place) {
                all.push(wrong.at(At::Memory(format!("{when} {name}"))));
            }
        }
    }

    fn unread(&mut self, step: &Step<'_>, when: &str, name: &str) {
        self.notes.gap(Gap::Memory);
        if self.notes.unread.len() < UNREAD {
            let line = format!("{}: {when} {name}", step.call.name);
            self.notes.unread.push(line);
        }
    }

    /// Compares the front of `bytes` with a shape, and takes it off.
    fn shape(&mut self, shape: &Shape, bytes: &mut &[u8], place: Place) -> Result<(), Wrong> {
        match shape {
            Shape::Word(word) => self.word(word, take(bytes, 8)?, place),
            Shape::Bytes(text) => {
                let found = take(bytes, text.len())?;
                let found_text = format!("{:?}", String::from_utf8_lossy(found));
                let same = found == text.as_bytes();
                same.then_some(())
                    .ok_or(Wrong::new(found_text, format!("{text:?}")))
            }
            Shape::List(shapes) => shapes
                .iter()
                .try_for_each(|shape| self.shape(shape, bytes, place)),
            Shape::Struct(fields) => self.fields(fields, bytes, place),
        }
    }

    fn fields(&mut self, want: &Pairs, bytes: &mut &[u8], place: Place) -> Result<(), Wrong> {
        let named = want.0.first().and_then(|(field, _)| layout::of(field));
        let layout = named.ok_or(Wrong::new("a structure that layout.rs does not know", ""))?;
        let bytes = take(bytes, layout.size)?;
        let known = |(name, _): &&(String, Shape)| layout.fields.iter().any(|(f, ..)| f == name);
        if let Some((stranger, _)) = want.0.iter().find(|pair| !known(pair)) {
            return Err(Wrong::new(format!("there is no field {stranger}"), ""));
        }
        for &(field, offset, size) in layout.fields {
            let wanted = want.0.iter().find(|(name, _)| name == field);
            let word = match wanted {
                None => &Word::Number(0),
                Some((_, Shape::Word(word))) => word,
                Some(_) => return Err(Wrong::new(format!("{field} is one word"), "")),
            };
            self.word(word, &bytes[offset..offset + size], place)
                .map_err(|wrong| wrong.of(field))?;
        }
        Ok(())
    }

    fn word(&mut self, want: &Word, bytes: &[u8], place: Place) -> Result<(), Wrong> {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let number = u64::from_le_bytes(word);
        let ctype = CType::integer(8 * bytes.len() as u32);
        if self.names.is(want, number.into(), ctype, place) {
            return Ok(());
        }
        let want = self.names.shown(want, place);
        Err(Wrong::new(format!("{number:#x}"), want))
    }
}

impl Wrong {
    fn of(mut self, field: &str) -> Self {
        self.got = format!("{field} is {}", self.got);
        self
    }

    fn at(self, place: At) -> Difference {
        difference(place, &self.want, &self.got, self.fault)
    }
}

pub fn difference(place: At, want: &str, got: &str, fault: Option<Fault>) -> Difference {
    Difference {
        place,
        want: want.into(),
        got: got.into(),
        fault,
    }
}

/// What a pointer leads to: when the call has returned, because that is when it is printed, or when it
/// begins. `after`: whether both count.
fn shape<'c>(call: &'c expected::Call, name: &str, after: bool) -> Option<&'c Shape> {
    let find = |pairs: &'c Pairs| pairs.0.iter().find(|(known, _)| known == name);
    let after = after.then(|| find(&call.after)).flatten();
    after.or_else(|| find(&call.before)).map(|(_, shape)| shape)
}

fn flatten<'v>(value: &'v Value, leaves: &mut Vec<&'v Value>) {
    match value {
        Value::Struct(fields) => fields.iter().for_each(|(_, value)| flatten(value, leaves)),
        _ => leaves.push(value),
    }
}

/// The kind of fault, where a number is a value without its upper half or without its sign.
fn narrowed(value: u64, number: i128) -> Option<Fault> {
    let signed = value as i64;
    let low = i128::from(value as u32);
    let small = i64::from(signed as i32) == signed;
    if signed < 0 && (number == -i128::from(signed) || small && number == low) {
        return Some(Fault::Sign);
    }
    let cut = number == low || number == i128::from(value as i32);
    (cut && !small).then_some(Fault::Cut)
}

/// The first `count` bytes.
fn take<'a>(bytes: &mut &'a [u8], count: usize) -> Result<&'a [u8], Wrong> {
    let all = *bytes;
    let split = all.split_at_checked(count);
    let short = || Wrong::new(format!("{} of {count} bytes were read", all.len()), "");
    let (front, rest) = split.ok_or_else(short)?;
    *bytes = rest;
    Ok(front)
}

/// Whether a call takes a set of signals, in which numbers are signals.
fn masks(step: &Step<'_>) -> bool {
    let syscall = syscalls::of(step.call.nr);
    syscall.is_some_and(|call| call.args.iter().any(|arg| arg.contains("sig")))
}
