//! The witnesses that say what they have seen, by name.

use crate::{bpftrace, ftrace, perf, ptrace, strace};
use ioworkload_check::trace::Seen;
use std::path::Path;
use std::process::Command;

/// Watches a program run and says what it did. `confine` prepares the command: arguments at its
/// end, a private /tmp, a filter.
pub type Witness = fn(program: &Path, confine: &dyn Fn(&mut Command)) -> anyhow::Result<Seen>;

/// All of them. seccomp only judges, and the stepper only counts.
pub const ALL: [(&str, Witness); 5] = [
    ("strace", strace::witness),
    ("ptrace", ptrace::witness),
    ("perf", perf::witness),
    ("ftrace", ftrace::witness),
    ("bpftrace", bpftrace::witness),
];
