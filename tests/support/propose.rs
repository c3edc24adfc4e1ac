//! An expected trace as it could be written for what a witness has seen. It is a proposal: which of
//! the numbers are the same in every run, only somebody who knows the scenario can say.

use crate::pointers::{Kind, Lead, after, before};
use ioworkload_check::layout;
use ioworkload_check::trace::{Call, Memory, Seen};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The codes that the kernel keeps to itself. The program gets EINTR, 4.
const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;
/// The biggest number that every JSON reader keeps.
const SAFE: u64 = (1 << 53) - 1;
/// The calls whose first argument is something that the kernel gave.
const TAKES: [&str; 14] = [
    "close",
    "fcntl",
    "io_cancel",
    "io_destroy",
    "io_getevents",
    "io_pgetevents",
    "io_submit",
    "kill",
    "mprotect",
    "munmap",
    "pwrite64",
    "read",
    "wait4",
    "write",
];
/// The calls that give something, and a name for it.
const GIVES: [(&str, &str); 7] = [
    ("openat", "fd"),
    ("memfd_create", "fd"),
    ("eventfd2", "eventfd"),
    ("mmap", "page"),
    ("fork", "child"),
    ("vfork", "child"),
    ("getpid", "pid"),
];
/// The fields that hold a descriptor.
const DESCRIPTORS: [&str; 3] = ["aio_fildes", "aio_resfd", "fd"];
/// The fields in which the kernel gives one, and a name for it.
const GIVEN: [(&str, &str); 2] = [("pipefd[0]", "reader"), ("pipefd[1]", "writer")];

/// The whole trace. `names` are names to use, and what they stand for in this run.
#[must_use]
pub fn propose(scenario: &str, seen: &Seen, names: BTreeMap<String, u64>) -> Value {
    let mut names = Names(names);
    let mut trace = json!({"format": 1, "scenario": scenario, "about": "Says what it does."});
    trace["calls"] = names.calls(seen);
    if !seen.children.is_empty() {
        trace["children"] = seen
            .children
            .iter()
            .map(|child| names.calls(child))
            .collect();
    }
    trace
}

/// The names so far, and what they stand for.
struct Names(BTreeMap<String, u64>);

impl Names {
    fn calls(&mut self, seen: &Seen) -> Value {
        seen.calls.iter().map(|call| self.call(call)).collect()
    }

    fn call(&mut self, call: &Call) -> Value {
        let read = |memory, address, len| recorded(memory, address, len);
        let found = before(call, &|address, len| read(&call.before, address, len));
        let mut left = after(call, &|address, len| read(&call.after, address, len));
        left.retain(|lead| !["iocbpp", "iocb", "iov"].contains(&lead.role));
        if call.name != "io_setup" && call.ret < Some(0) {
            left.clear();
        }
        for lead in found.iter().chain(&left) {
            self.place(lead.role, lead.address);
        }
        let args: Vec<_> = call.args.iter().map(|arg| self.word(*arg)).collect();
        let mut line = json!({"name": call.name, "nr": call.nr, "args": args, "ret": null});
        if let Some(name) = self.taken(call) {
            line["args"][0] = json!(name);
        }
        let found = self.memory(&found, false);
        self.answer(call, &mut line);
        let left = self.memory(&left, call.name == "io_setup");
        for (key, memory) in [("in", found), ("out", left)] {
            if !memory.is_empty() {
                line[key] = memory.into();
            }
        }
        line
    }

    fn taken(&self, call: &Call) -> Option<String> {
        let takes = TAKES.contains(&call.name.as_str());
        call.args
            .first()
            .filter(|_| takes)
            .and_then(|arg| self.known('$', *arg))
    }

    fn answer(&mut self, call: &Call, line: &mut Value) {
        let gives = GIVES.iter().find(|(name, _)| *name == call.name);
        line["ret"] = match (call.ret, gives) {
            (Some(ret), _) if RESTARTS.contains(&ret) => {
                line["sys_exit"] = json!(ret);
                json!(-4)
            }
            (Some(ret), Some((_, role))) if ret >= 0 => self.name('$', role, ret as u64).into(),
            (ret, _) => json!(ret),
        };
    }

    /// `given`: a word that is not 0 is a value that the kernel gave, a context.
    fn memory(&mut self, leads: &[Lead], given: bool) -> Map<String, Value> {
        let mut memory = Map::new();
        for lead in leads {
            let key = self.place(lead.role, lead.address);
            let value = match lead.kind {
                Kind::Word if given && number(&lead.bytes) != 0 => {
                    self.name('$', lead.role, number(&lead.bytes)).into()
                }
                _ => self.shape(lead),
            };
            memory.insert(key, value);
        }
        memory
    }

    fn shape(&mut self, lead: &Lead) -> Value {
        let bytes = lead.bytes.as_slice();
        match lead.kind {
            Kind::Text => String::from_utf8_lossy(bytes.strip_suffix(&[0]).unwrap_or(bytes)).into(),
            Kind::Bytes if let Ok(text) = str::from_utf8(bytes) => text.into(),
            Kind::Word => self.word(number(bytes)),
            Kind::Words | Kind::Bytes => bytes
                .chunks(8)
                .map(|word| self.word(number(word)))
                .collect(),
            Kind::Struct(field) => self.fields(field, bytes),
            Kind::Structs(field) => {
                let size = layout::of(field).map_or(1, |layout| layout.size);
                bytes
                    .chunks(size)
                    .map(|bytes| self.fields(field, bytes))
                    .collect()
            }
        }
    }

    /// A structure: the fields that are not 0, or the first.
    fn fields(&mut self, first: &str, bytes: &[u8]) -> Value {
        let fields = layout::of(first).map_or(&[][..], |layout| layout.fields);
        let mut object = Map::new();
        for &(field, offset, size) in fields {
            let value = bytes.get(offset..offset + size).map_or(0, number);
            if value != 0 {
                object.insert(field.into(), self.field(field, value));
            }
        }
        if object.is_empty() {
            object.insert(first.into(), json!(0));
        }
        object.into()
    }

    fn field(&mut self, field: &str, value: u64) -> Value {
        if let Some((_, role)) = GIVEN.iter().find(|(name, _)| *name == field) {
            return self.name('$', role, value).into();
        }
        let known = self
            .known('$', value)
            .filter(|_| DESCRIPTORS.contains(&field));
        let errno = (-4095..0).contains(&(value as i64));
        match known {
            Some(name) => name.into(),
            None if errno => json!(value as i64),
            None => self.word(value),
        }
    }

    fn word(&mut self, value: u64) -> Value {
        if is_address(value) {
            return self.place("place", value).into();
        }
        if value > SAFE {
            return format!("{value:#x}").into();
        }
        json!(value)
    }

    /// The name of an address.
    fn place(&mut self, role: &str, address: u64) -> String {
        let known = self.known('$', address).filter(|_| is_address(address));
        known.unwrap_or_else(|| self.name('&', role, address))
    }

    /// The name of a value: the one that it has, or a new one.
    fn name(&mut self, sigil: char, role: &str, value: u64) -> String {
        if let Some(name) = self.known(sigil, value) {
            return name;
        }
        let numbers = std::iter::once(String::new()).chain((2..).map(|n: u64| n.to_string()));
        let mut names = numbers.map(|number| format!("{sigil}{role}{number}"));
        let name = names
            .find(|name| !self.0.contains_key(name))
            .unwrap_or_default();
        self.0.insert(name.clone(), value);
        name
    }

    fn known(&self, sigil: char, value: u64) -> Option<String> {
        let same = |(name, known): &(&String, &u64)| name.starts_with(sigil) && **known == value;
        self.0.iter().find(same).map(|(name, _)| name.clone())
    }
}

/// Where a fixture has its segment, or its stack and what the kernel maps.
fn is_address(value: u64) -> bool {
    (0x40_0000..0x41_0000).contains(&value) || (0x7e00_0000_0000..1 << 47).contains(&value)
}

fn number(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(word)
}

/// As much of so many bytes from an address on as the witness has read.
fn recorded(memory: &Memory, address: u64, len: usize) -> Vec<u8> {
    let holds = |(start, bytes): &(&u64, &Vec<u8>)| address - *start < bytes.len() as u64;
    let piece = memory.range(..=address).rev().find(holds);
    piece.map_or(Vec::new(), |(start, bytes)| {
        let from = (address - start) as usize;
        bytes[from..bytes.len().min(from + len)].to_vec()
    })
}
