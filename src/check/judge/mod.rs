//! The judge: takes a tracer's events as they come, in bounded memory, and says in the end how they
//! relate to what is expected.

mod align;
mod got;
mod names;
mod only;
mod pair;
mod process;
mod steps;
mod symbols;
mod thread;
mod whole;

use crate::event::{End, Event, What};
use crate::expected::{Entry, Expected};
pub use crate::verdict::Verdict;
use crate::verdict::{Gap, Lost, Stranger};
use got::Got;
use names::Names;
use nix::sys::signal::Signal;
pub use only::{known, matches};
use process::Process;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use thread::{Thread, forks, succeeds};
pub use whole::{bound, whole};

/// How to compare.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many arguments the tracer shows at most: audit shows 4.
    pub args: Option<usize>,
    /// Which result of an interrupted call it shows.
    pub ret: Shown,
    /// Only calls of these names, globs (`io_*`) or families (`aio`); none: all.
    pub only: Vec<String>,
    /// Whether arguments are whole registers of 64 bits, whatever their C type.
    pub registers: bool,
    /// Where the program starts.
    pub start: Start,
    /// How many calls that are as expected are kept on each side of one that is not.
    pub context: usize,
    /// How many rows are kept of a process; more differences are only counted.
    pub rows: usize,
    /// Over how many calls the two sides are aligned again after a difference.
    pub window: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            args: None,
            ret: Shown::Either,
            only: Vec::new(),
            registers: false,
            start: Start::Any,
            context: 3,
            rows: 1000,
            window: 4096,
        }
    }
}

/// The result that a tracer shows of a call that the kernel restarts or ends with EINTR.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Shown {
    /// The kernel's own code, -512 to -516.
    SysExit,
    /// What the program gets.
    Program,
    /// Whichever.
    #[default]
    Either,
}

/// Where the program starts in what a tracer reports.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Start {
    /// With the last execve, if one is reported; with the first event otherwise.
    #[default]
    Any,
    /// With the last execve, which has to be there.
    Exec,
    /// The tracer came while the program waited in a call: that is not the scenario's.
    Attached,
}

impl Options {
    /// Whether a call is compared.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|pattern| matches(name, pattern))
    }
}

/// So many events of threads that nobody has started, as far as is known, are kept.
const ORPHANS: usize = 65_536;

/// Takes events, and judges.
///
/// Events that are as expected are dropped at once, so a judge needs little memory for many calls.
pub struct Judge<'a> {
    expected: &'a Expected,
    options: Rc<Options>,
    family: Family<'a>,
    /// Threads that are not the program's: what came before its execve.
    others: HashSet<i64>,
    /// The program has been started, by the name that it should have.
    started: bool,
    named: bool,
    /// The tracer has reported the end of a call.
    ends: bool,
    lost: Option<Lost>,
}

/// The program: its first process, and its children.
#[derive(Default)]
struct Family<'a> {
    root: Option<i64>,
    threads: HashMap<i64, Thread>,
    /// The first, and the children in the order of their creation.
    processes: Vec<Slot<'a>>,
    /// Events of threads of which nobody has reported the creation yet, in order of appearance.
    orphans: Vec<(i64, Vec<Event>)>,
    held: usize,
    dropped: u64,
}

/// A process, and whether anything was seen of it.
struct Slot<'a> {
    process: Process<'a>,
    seen: bool,
}

impl<'a> Judge<'a> {
    /// A judge who has seen nothing yet.
    #[must_use]
    pub fn new(expected: &'a Expected, options: Options) -> Self {
        Self {
            expected,
            options: Rc::new(options),
            family: Family::default(),
            others: HashSet::new(),
            started: false,
            named: false,
            ends: false,
            lost: None,
        }
    }

    /// Takes the next event.
    pub fn event(&mut self, event: Event) {
        match event.what {
            What::Lost(Some(0)) => {}
            What::Lost(count) => self.lose(count),
            What::Exec(comm) => self.exec(event.tid, comm.as_deref()),
            _ => self.deliver(event),
        }
    }

    fn lose(&mut self, count: Option<u64>) {
        let lost = self.lost.get_or_insert_default();
        lost.times += 1;
        if let Some(count) = count {
            *lost.events.get_or_insert(0) += count;
        }
    }

    /// The program starts: what was seen until now is its launcher's.
    fn exec(&mut self, tid: i64, comm: Option<&str>) {
        let name: String = self.expected.scenario.chars().take(15).collect();
        let named = comm.is_some_and(|comm| comm == name || comm == "ioworkload");
        let root = self.family.root == Some(tid);
        if self.named && !named && !root {
            if !self.family.threads.contains_key(&tid) {
                self.others.insert(tid);
            }
            return;
        }
        if self.started && root && self.family.fresh() {
            self.named |= named;
            return;
        }
        let family = std::mem::take(&mut self.family);
        self.others.extend(family.threads.into_keys());
        self.others
            .extend(family.orphans.iter().map(|(tid, _)| tid));
        self.others.remove(&tid);
        (self.started, self.named) = (true, named);
        self.start(tid, false);
    }

    fn start(&mut self, tid: i64, attached: bool) {
        let slot = self.slot(&self.expected.calls, Names::default());
        self.family.root = Some(tid);
        self.family.processes.push(slot);
        let first = if attached {
            thread::First::Attached
        } else {
            thread::First::Program
        };
        self.family.threads.insert(tid, Thread::new(Some(0), first));
    }

    fn slot(&self, want: &'a [Entry], names: Names) -> Slot<'a> {
        Slot {
            process: Process::new(want, names, &self.options),
            seen: false,
        }
    }

    fn deliver(&mut self, event: Event) {
        let tid = event.tid;
        if self.family.root.is_none() {
            if self.options.start == Start::Exec && !executes(&event) {
                self.others.insert(tid);
                return;
            }
            self.others.remove(&tid);
            self.start(tid, self.options.start == Start::Attached);
        }
        if self.family.threads.contains_key(&tid) {
            self.handle(event);
        } else if executes(&event) && !self.named {
            self.exec(tid, None);
        } else if !self.others.contains(&tid) {
            self.family.orphan(event);
        }
    }

    /// An event of a thread of the program.
    fn handle(&mut self, event: Event) {
        let Event { tid, line, what } = event;
        if let What::Exit(call) | What::Whole(call) = &what {
            self.ends |= call.ret.is_some();
            if succeeds(call) {
                return self.exec(tid, None);
            }
        }
        let ends = self.ends;
        let Some(thread) = self.family.threads.get_mut(&tid) else {
            return;
        };
        let mut finished = Vec::new();
        let mut child = None;
        match what {
            What::Enter(call) => finished.extend(thread.enter(line, call, ends)),
            What::Exit(call) => {
                finished.extend(thread.exit(line, call, ends));
                child = thread.forked();
            }
            What::Whole(call) => {
                child = forks(&call).filter(|_| thread.started());
                finished.extend(thread.whole(line, call, ends));
            }
            What::Memory(address, bytes) => thread.memory(address, &bytes),
            What::Fork(child) => {
                finished.extend(thread.fork());
                self.pass(tid, finished);
                return self.adopt(tid, child, true);
            }
            What::End(end) => {
                finished.extend(thread.flush(ends));
                self.pass(tid, finished);
                return self.end(tid, end);
            }
            What::Signal(_) | What::Exec(_) | What::Lost(_) => {}
        }
        self.pass(tid, finished);
        if let Some(child) = child {
            self.adopt(tid, child, false);
        }
    }

    /// Calls of a thread that are complete.
    fn pass(&mut self, tid: i64, calls: Vec<Got>) {
        for got in calls {
            if got.name().is_some_and(|name| !self.options.wants(name)) {
                continue;
            }
            let slot = self.place(tid);
            if let Some(slot) = self.family.processes.get_mut(slot) {
                slot.seen = true;
                slot.process.call(got);
            }
        }
    }

    /// Where the process of a thread is among all; where only some calls are seen, it gets its place
    /// with the first of them.
    fn place(&mut self, tid: i64) -> usize {
        let next = self.family.processes.len();
        let Some(thread) = self.family.threads.get_mut(&tid) else {
            return usize::MAX;
        };
        if let Some(slot) = thread.process {
            return slot;
        }
        thread.process = Some(next);
        let names = std::mem::take(&mut thread.names);
        let want = self.children().get(next - 1).copied().unwrap_or(&[]);
        let slot = self.slot(want, names);
        self.family.processes.push(slot);
        next
    }

    /// What is expected of the children: of those that make any call that is compared.
    fn children(&self) -> Vec<&'a [Entry]> {
        let all = self.expected.children();
        let options = &self.options;
        all.filter(|calls| options.only.is_empty() || any(calls, options))
            .collect()
    }

    /// A thread has a child: as reported itself, or as the result of its call.
    fn adopt(&mut self, parent: i64, tid: i64, reported: bool) {
        if self.family.threads.contains_key(&tid) {
            return;
        }
        let slot = self
            .family
            .threads
            .get(&parent)
            .and_then(|thread| thread.process);
        let slot = slot.and_then(|slot| self.family.processes.get(slot));
        let names = slot.map(|slot| slot.process.names.clone());
        let mut thread = Thread::new(None, thread::First::Child);
        thread.names = names.unwrap_or_default();
        self.family.threads.insert(tid, thread);
        self.others.remove(&tid);
        if self.options.only.is_empty() {
            let slot = self.place(tid);
            self.family.processes[slot].seen = reported;
        }
        for event in self.family.orphans_of(tid) {
            self.handle(event);
        }
    }

    fn end(&mut self, tid: i64, end: End) {
        let process = self
            .family
            .threads
            .get(&tid)
            .and_then(|thread| thread.process);
        let slot = process.and_then(|at| self.family.processes.get_mut(at));
        if let Some(slot) = slot {
            slot.seen = true;
            slot.process.end = Some(words(end));
            slot.process.close();
        }
    }

    /// There are no more.
    #[must_use]
    pub fn finish(mut self) -> Verdict {
        if self.family.root.is_none() {
            self.start(0, false);
        }
        self.place_orphans();
        let tids: Vec<_> = self.family.threads.keys().copied().collect();
        for tid in tids {
            let ends = self.ends;
            let thread = self.family.threads.get_mut(&tid);
            let last = thread.and_then(|thread| thread.flush(ends));
            self.pass(tid, last.into_iter().collect());
        }
        self.verdict()
    }

    /// Threads whose creation was not reported: they are the children that nothing was seen of, and
    /// others.
    fn place_orphans(&mut self) {
        let root = self.family.root.unwrap_or_default();
        while let Some((tid, _)) = self.family.orphans.first() {
            let tid = *tid;
            let unseen = self
                .family
                .processes
                .iter()
                .skip(1)
                .position(|slot| !slot.seen);
            match unseen {
                None => self.adopt(root, tid, true),
                Some(at) => {
                    let mut thread = Thread::new(Some(at + 1), thread::First::Child);
                    thread.names = Names::default();
                    self.family.threads.insert(tid, thread);
                    self.family.processes[at + 1].seen = true;
                    for event in self.family.orphans_of(tid) {
                        self.handle(event);
                    }
                }
            }
        }
    }

    fn verdict(self) -> Verdict {
        let expected = self.children();
        let mut slots = self.family.processes.into_iter();
        let first = slots.next().map(|slot| slot.process.finish(self.ends).0);
        let mut verdict = first.unwrap_or_default();
        let mut number = 0;
        for slot in slots {
            let first = slot.process.first.clone();
            match expected.get(number) {
                Some(_) if slot.seen => verdict.children.push(slot.process.finish(self.ends).0),
                Some(want) => verdict.strangers.push(missing(want)),
                None if slot.seen => verdict.strangers.push(extra(first)),
                None => {}
            }
            number += 1;
        }
        let rest = expected.iter().skip(number);
        verdict.strangers.extend(rest.map(|want| missing(want)));
        if self.family.dropped > 0 {
            let line = format!("{} events more than can be kept", self.family.dropped);
            verdict.strangers.push(extra(Some(line)));
        }
        verdict.lost = self.lost;
        if !self.options.only.is_empty() {
            verdict.not_compared.insert(Gap::Others, 1);
        }
        verdict
    }
}

impl Family<'_> {
    /// Nothing was seen of the program yet.
    fn fresh(&self) -> bool {
        let idle = self.threads.values().all(Thread::idle);
        idle && self.processes.iter().all(|slot| slot.process.fresh())
    }

    fn orphan(&mut self, event: Event) {
        if self.held >= ORPHANS {
            self.dropped += 1;
            return;
        }
        self.held += 1;
        match self.orphans.iter_mut().find(|(tid, _)| *tid == event.tid) {
            Some((_, events)) => events.push(event),
            None => self.orphans.push((event.tid, vec![event])),
        }
    }

    fn orphans_of(&mut self, tid: i64) -> Vec<Event> {
        let at = self.orphans.iter().position(|(other, _)| *other == tid);
        let events = at.map(|at| self.orphans.remove(at).1).unwrap_or_default();
        self.held -= events.len();
        events
    }
}

/// Whether an event says that a program was started.
fn executes(event: &Event) -> bool {
    matches!(&event.what, What::Exit(call) | What::Whole(call) if succeeds(call))
}

/// Whether any call is compared.
fn any(entries: &[Entry], options: &Options) -> bool {
    entries.iter().any(|entry| match entry {
        Entry::Call(call) => options.wants(&call.name),
        Entry::Repeat(repeat) => any(&repeat.calls, options),
    })
}

fn first(entries: &[Entry]) -> &str {
    match entries.first() {
        Some(Entry::Call(call)) => &call.name,
        Some(Entry::Repeat(repeat)) => first(&repeat.calls),
        None => "nothing",
    }
}

fn missing(want: &[Entry]) -> Stranger {
    Stranger::Missing(first(want).into())
}

fn extra(first: Option<String>) -> Stranger {
    Stranger::Extra(first.unwrap_or("nothing".into()))
}

/// How a process ends, in words.
fn words(end: End) -> String {
    match end {
        End::Code(code) => format!("exited with {code}"),
        End::Signal(number) => match Signal::try_from(number as i32) {
            Ok(signal) => format!("killed by {signal}"),
            Err(_) => format!("killed by signal {number}"),
        },
    }
}
