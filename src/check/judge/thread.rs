//! The events of one thread, put together to calls.

use super::got::{Got, Half, number};
use super::names::Names;
use crate::event::{Call, Ret};
use crate::trace::Memory;

/// What a thread's first event can be, before it has made a call of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum First {
    /// Anything else is its own; the end of the execve is not.
    Program,
    /// The end of the call that has made it.
    Child,
    /// The call in which the tracer has found it.
    Attached,
    /// It has made a call.
    Past,
}

/// A thread of the program.
#[derive(Debug)]
pub struct Thread {
    /// Its place among the processes.
    pub process: Option<usize>,
    /// What names stood for when it was made.
    pub names: Names,
    first: First,
    /// The last call, which memory may still be read for.
    last: Option<Got>,
    /// It has not returned.
    open: bool,
    /// A child was reported within it.
    forked: bool,
    /// A child that its result names.
    child: Option<i64>,
}

/// Calls with which a process waits for its tracer.
const GATES: [u64; 6] = [0, 35, 219, 230, 269, 271];
/// clone, fork, vfork, clone3.
const FORKS: [u64; 4] = [56, 57, 58, 435];
/// execve, execveat.
const EXECS: [u64; 2] = [59, 322];

impl Thread {
    pub fn new(process: Option<usize>, first: First) -> Self {
        Self {
            process,
            names: Names::default(),
            first,
            last: None,
            open: false,
            forked: false,
            child: None,
        }
    }

    /// It has made no call that is not passed on yet.
    pub fn idle(&self) -> bool {
        self.last.is_none()
    }

    /// It has made a call of its own.
    pub fn started(&self) -> bool {
        self.first == First::Past
    }

    /// The last call, if there is one that was not passed on.
    pub fn flush(&mut self, ends: bool) -> Option<Got> {
        let open = std::mem::take(&mut self.open);
        let mut got = self.last.take()?;
        if open {
            got.half = Half::Entry { ends };
        }
        Some(got)
    }

    pub fn enter(&mut self, line: usize, call: Call, ends: bool) -> Option<Got> {
        let last = self.flush(ends);
        let got = Got::new(line, call, Half::Both);
        let waits = self.first == First::Attached && self.last.is_none() && gates(got.nr);
        if waits {
            return last;
        }
        self.first = First::Past;
        self.last = Some(got);
        self.open = true;
        last
    }

    pub fn exit(&mut self, line: usize, call: Call, ends: bool) -> Vec<Got> {
        let own = self.last.as_ref().filter(|_| self.open);
        if own.is_some_and(|last| belongs(last, &call)) {
            self.close(call);
            return Vec::new();
        }
        if self.first != First::Past && !self.open {
            self.first = match self.first {
                First::Attached => First::Past,
                first => first,
            };
            return Vec::new();
        }
        let last = self.flush(ends);
        let half = Got::new(line, call, Half::Exit);
        last.into_iter().chain([half]).collect()
    }

    /// The call that is open returns.
    fn close(&mut self, call: Call) {
        self.open = false;
        let Some(last) = &mut self.last else { return };
        self.child = returned(last.nr, call.ret.as_ref()).filter(|_| !self.forked);
        self.forked = false;
        last.call.ret = call.ret;
        last.call.ns = call.ns.or(last.call.ns);
        if call.args.is_some() {
            last.call.args = call.args;
        }
        last.call.before.extend(call.before);
        last.call.after.extend(call.after);
    }

    /// The child that the call which has just returned has made.
    pub fn forked(&mut self) -> Option<i64> {
        self.child.take()
    }

    pub fn whole(&mut self, line: usize, call: Call, ends: bool) -> Option<Got> {
        let last = self.flush(ends);
        let got = Got::new(line, call, Half::Both);
        let skipped = match self.first {
            First::Attached => gates(got.nr),
            First::Child => {
                FORKS.map(Some).contains(&got.nr) && got.call.ret == Some(Ret::Number(0))
            }
            First::Program | First::Past => false,
        };
        self.forked = false;
        if !skipped {
            self.last = Some(got);
        }
        // There may be several at a gate.
        if !(skipped && self.first == First::Attached) {
            self.first = First::Past;
        }
        last
    }

    /// A child is reported: a call that has returned is passed on, because its memory is the child's
    /// too.
    pub fn fork(&mut self) -> Option<Got> {
        self.forked = self.open;
        if self.open { None } else { self.last.take() }
    }

    pub fn memory(&mut self, address: u64, bytes: &[u8]) {
        let Some(got) = self.last.as_mut().filter(|_| !bytes.is_empty()) else {
            return;
        };
        let memory = if self.open {
            &mut got.call.before
        } else {
            &mut got.call.after
        };
        join(memory, address, bytes);
    }
}

/// What was read piece by piece is one from the first address on.
fn join(memory: &mut Memory, address: u64, bytes: &[u8]) {
    for (start, piece) in memory.iter_mut() {
        if start + piece.len() as u64 == address {
            piece.extend(bytes);
        }
    }
    memory.insert(address, bytes.to_vec());
}

/// Whether an end is that of a call. After rt_sigreturn, which has put the registers of another
/// moment back, the number is -1.
fn belongs(last: &Got, call: &Call) -> bool {
    let nr = call.nr.or_else(|| number(call.name.as_deref()?));
    match nr {
        None => call.name.is_none() || call.name == last.call.name,
        Some(nr) => nr == u64::MAX || nr == u64::from(u32::MAX) || last.nr == Some(nr),
    }
}

fn gates(nr: Option<u64>) -> bool {
    nr.is_some_and(|nr| GATES.contains(&nr))
}

fn returned(nr: Option<u64>, ret: Option<&Ret>) -> Option<i64> {
    match ret {
        Some(Ret::Number(child)) if *child > 0 => {
            nr.filter(|nr| FORKS.contains(nr)).map(|_| *child)
        }
        _ => None,
    }
}

/// The child that a call has made.
pub fn forks(call: &Call) -> Option<i64> {
    let nr = call.nr.or_else(|| number(call.name.as_deref()?));
    returned(nr, call.ret.as_ref())
}

/// Whether a call is an execve that has succeeded.
pub fn succeeds(call: &Call) -> bool {
    let nr = call.nr.or_else(|| number(call.name.as_deref()?));
    nr.is_some_and(|nr| EXECS.contains(&nr)) && call.ret == Some(Ret::Number(0))
}
