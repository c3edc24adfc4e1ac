//! The witnesses that say what they have seen, by name.

use crate::trace::Witness;
use crate::{bpftrace, ftrace, perf, ptrace, strace};

/// All of them. seccomp only judges, and the stepper only counts.
pub const ALL: [(&str, Witness); 5] = [
    ("strace", strace::witness),
    ("ptrace", ptrace::witness),
    ("perf", perf::witness),
    ("ftrace", ftrace::witness),
    ("bpftrace", bpftrace::witness),
];
