//! What a witness has seen: the calls of a process and of its children, whole and in order.

use std::collections::BTreeMap;
use std::fmt;

/// What a witness has read from the process's memory, by address.
pub type Memory = BTreeMap<u64, Vec<u8>>;

/// One syscall.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Call {
    /// The kernel's name.
    pub name: String,
    /// The number.
    pub nr: u64,
    /// As many argument registers as the call has.
    pub args: Vec<u64>,
    /// What sys_exit showed, an error negated; `None` if it never returned.
    pub ret: Option<i64>,
    /// What stood at some of the addresses when the call began; empty for a witness that can't see
    /// it.
    pub before: Memory,
    /// What stood there when it returned.
    pub after: Memory,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<_> = self.args.iter().map(|arg| format!("{arg:#x}")).collect();
        let ret = self.ret.map_or("?".into(), |ret| ret.to_string());
        write!(f, "{}({}) = {ret}", self.name, args.join(", "))
    }
}

/// The calls of a process from the return of its execve on (of a child: from its first), and its
/// end.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Seen {
    /// In order.
    pub calls: Vec<Call>,
    /// How it ended, in words: `exited with 0`, `killed by SIGKILL`.
    pub end: String,
    /// The processes and threads that it has started, in order.
    pub children: Vec<Seen>,
}
