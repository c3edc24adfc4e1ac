//! Correct events of a scenario, made from its expected trace.
#![allow(dead_code)]

use ioworkload_check::event::{self, End, Event, Ret, Value, What};
use ioworkload_check::expected::{self, Count, Entry, Expected, Kernel, Pairs, Shape, Word};
use ioworkload_check::judge::{Judge, Options, Verdict};
use ioworkload_check::layout;
use ioworkload_check::trace::Memory;
use std::collections::HashMap;

/// A burst has so many rounds here: it is the same with more.
const ROUNDS: u64 = 100;
const SOME: u64 = 5;
pub const PID: i64 = 4000;

/// A trace, on a new kernel, with a short burst.
pub fn load(scenario: &str) -> Expected {
    let mut expected = expected::load_on(scenario, Kernel(6, 18)).expect("a scenario");
    for entry in &mut expected.calls {
        if let Entry::Repeat(repeat) = entry
            && let Count::Exact(count) = &mut repeat.repeat
        {
            *count = (*count).min(ROUNDS);
        }
    }
    expected
}

/// A call, the expected one, and which process makes it: 0 is the first.
#[derive(Clone, Debug)]
pub struct Made {
    pub process: usize,
    /// The round that it is made in: names that are bound there end with it.
    pub round: u64,
    pub want: expected::Call,
    pub call: event::Call,
    /// The bytes of memory that can have one value only: address, index, before or after.
    pub sure: Vec<(bool, u64, usize)>,
}

#[derive(Default)]
struct Maker {
    values: HashMap<String, u64>,
    made: Vec<Made>,
}

/// All calls, each child's after those of its parent.
pub fn calls(expected: &Expected) -> Vec<Made> {
    let mut maker = Maker::default();
    maker.entries(&expected.calls, 0, 0);
    for (number, child) in (1..).zip(expected.children()) {
        maker.entries(child, number, 0);
    }
    maker.made
}

impl Maker {
    fn entries(&mut self, entries: &[Entry], process: usize, round: u64) {
        for entry in entries {
            match entry {
                Entry::Call(call) => self.call(call, process, round),
                Entry::Repeat(repeat) => {
                    let count = match repeat.repeat {
                        Count::Exact(count) => count,
                        Count::Range(_) => SOME,
                    };
                    (1..=count).for_each(|round| self.entries(&repeat.calls, process, round));
                }
            }
        }
    }

    fn value(&mut self, name: &str) -> u64 {
        let count = self.values.len() as u64;
        let children = [("$child", PID as u64 + 1), ("$child2", PID as u64 + 2)];
        let child = children.iter().find(|(child, _)| *child == name);
        let value = match (child, name.starts_with('&')) {
            (Some((_, pid)), _) => *pid,
            (_, true) => 0x7ffd_0001_0000 + count * 0x400,
            (_, false) => 1000 + count,
        };
        *self.values.entry(name.into()).or_insert(value)
    }

    fn word(&mut self, word: &Word, round: u64) -> u64 {
        match word {
            Word::Number(number) => *number,
            Word::Round => round,
            Word::Name(name) => self.value(name),
        }
    }

    fn call(&mut self, want: &expected::Call, process: usize, round: u64) {
        let args = want.args.iter().map(|arg| self.word(arg, round));
        let args = args.map(|arg| Value::Number(arg.into())).collect();
        let ret = match (&want.ret, want.sys_exit) {
            (_, Some(code)) => Ret::Number(code),
            (None, _) => Ret::Never,
            (Some(expected::Ret::Number(number)), _) => Ret::Number(*number),
            (Some(expected::Ret::Name(name)), _) => Ret::Number(self.value(name) as i64),
            (Some(expected::Ret::Any(all)), _) => Ret::Number(all[0]),
            (Some(expected::Ret::Range(range)), _) => Ret::Number(range.min),
        };
        let mut sure = Vec::new();
        let before = self.memory(&want.before, true, &mut sure);
        let after = self.memory(&want.after, false, &mut sure);
        let call = event::Call {
            nr: Some(want.nr),
            name: Some(want.name.clone()),
            args: Some(args),
            ret: Some(ret),
            before,
            after,
            ns: None,
        };
        self.made.push(Made {
            process,
            round,
            want: want.clone(),
            call,
            sure,
        });
    }

    fn memory(
        &mut self,
        pairs: &Pairs,
        before: bool,
        sure: &mut Vec<(bool, u64, usize)>,
    ) -> Memory {
        let mut memory = Memory::new();
        for (name, shape) in &pairs.0 {
            let mut bytes = Vec::new();
            self.shape(shape, &mut bytes);
            let address = self.value(name);
            let certain = bytes.iter().enumerate().filter(|(_, (_, sure))| *sure);
            sure.extend(certain.map(|(at, _)| (before, address, at)));
            memory.insert(address, bytes.into_iter().map(|(byte, _)| byte).collect());
        }
        memory
    }

    fn shape(&mut self, shape: &Shape, bytes: &mut Vec<(u8, bool)>) {
        match shape {
            Shape::Word(word) => self.bytes(word, 8, bytes),
            Shape::Bytes(text) => bytes.extend(text.bytes().map(|byte| (byte, true))),
            Shape::List(shapes) => shapes.iter().for_each(|shape| self.shape(shape, bytes)),
            Shape::Struct(fields) => {
                let layout = layout::of(&fields.0[0].0).expect("known");
                let start = bytes.len();
                bytes.resize(start + layout.size, (0, true));
                for (field, offset, size) in layout.fields {
                    let wanted = fields.0.iter().find(|(name, _)| name == field);
                    let Some((_, Shape::Word(word))) = wanted else {
                        continue;
                    };
                    let mut word_bytes = Vec::new();
                    self.bytes(word, *size, &mut word_bytes);
                    let place = start + offset;
                    bytes.splice(place..place + size, word_bytes);
                }
            }
        }
    }

    fn bytes(&mut self, word: &Word, size: usize, bytes: &mut Vec<(u8, bool)>) {
        let sure = matches!(word, Word::Number(_));
        let value = self.word(word, 0).to_le_bytes();
        bytes.extend(value[..size].iter().map(|byte| (*byte, sure)));
    }
}

pub fn event(tid: i64, what: What) -> Event {
    Event { tid, line: 0, what }
}

/// The calls as events: each child runs when its parent's call has returned.
pub fn events(made: &[Made]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut children = 0;
    let mut codes: HashMap<usize, u8> = HashMap::new();
    for each in made.iter().filter(|made| made.want.name == "exit_group") {
        if let Word::Number(code) = &each.want.args[0] {
            codes.insert(each.process, *code as u8);
        }
    }
    let end = |process: usize, tid: i64| {
        let code = codes.get(&process).copied().unwrap_or(0);
        event(tid, What::End(End::Code(code)))
    };
    for each in made.iter().filter(|made| made.process == 0) {
        events.push(event(PID, What::Whole(each.call.clone())));
        if each
            .call
            .name
            .as_deref()
            .is_some_and(|name| name.ends_with("fork"))
        {
            children += 1;
            let tid = PID + children as i64;
            events.push(event(PID, What::Fork(tid)));
            let own = made.iter().filter(|made| made.process == children);
            events.extend(own.map(|made| event(tid, What::Whole(made.call.clone()))));
            events.push(end(children, tid));
        }
    }
    events.push(end(0, PID));
    events
}

pub fn judge(expected: &Expected, options: Options, events: Vec<Event>) -> Verdict {
    let mut judge = Judge::new(expected, options);
    for event in events {
        judge.event(event);
    }
    judge.finish()
}
