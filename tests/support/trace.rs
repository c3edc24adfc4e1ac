//! What a witness has seen: the calls of one process, whole and in order.

use std::fmt;
use std::path::Path;
use std::process::Command;

/// One syscall.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// The kernel's name.
    pub name: String,
    /// The number.
    pub nr: u64,
    /// As many argument registers as the call has.
    pub args: Vec<u64>,
    /// What it returned, an error negated; `None` if it never did.
    pub ret: Option<i64>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let args: Vec<_> = self.args.iter().map(|arg| format!("{arg:#x}")).collect();
        let ret = self.ret.map_or("?".into(), |ret| ret.to_string());
        write!(f, "{}({}) = {ret}", self.name, args.join(", "))
    }
}

/// The calls of a process from the return of its execve on, and its end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
    /// In order.
    pub calls: Vec<Call>,
    /// How it ended, in words: `exited with 0`, `killed by SIGKILL`.
    pub end: String,
}

/// Watches a program run and says what it did; `confine` prepares the command (a private /tmp, a
/// filter).
pub type Witness = fn(program: &Path, confine: &dyn Fn(&mut Command)) -> anyhow::Result<Seen>;
