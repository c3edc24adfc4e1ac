//! What a proof says, for whoever has the file and not this program.

use serde::{Deserialize, Serialize};

/// The proof of one fixture.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    /// The version of this format, 1.
    pub format: u64,
    /// The scenario.
    pub scenario: String,
    /// The file's SHA-256.
    pub sha256: String,
    /// Its size.
    pub bytes: u64,
    /// The address of its first instruction.
    pub entry: u64,
    /// Handlers and restorers of signals that it registers.
    pub roots: Vec<u64>,
    /// Instructions that can be reached, and how many of them some path has come to.
    pub instructions: Counted,
    /// Every place where the kernel is entered.
    pub sites: Vec<Site>,
    /// Byte pairs that would enter the kernel, but stand inside of other instructions or in data.
    pub never_reached: Vec<u64>,
    /// Arguments that the expected trace states as numbers.
    pub arguments: Counted,
    /// Sets of wrong answers, one of errors and one of others for each call where there are such.
    pub answers: u64,
    /// Words that the kernel writes: how many of them the program looks at, so that another ends it.
    pub words: Counted,
    /// The others.
    pub unread: Vec<String>,
    /// Ways to the end of the process.
    pub ends: u64,
    /// What this rests on.
    pub assumptions: Vec<String>,
    /// What could not be shown, with the reason.
    pub not_shown: Vec<String>,
}

/// So many of so many.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Counted {
    /// Of which it is shown.
    pub proved: u64,
    /// All.
    pub of: u64,
}

/// A place where the kernel is entered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Its address.
    pub address: u64,
    /// The numbers of the calls it makes, mostly one.
    pub numbers: Vec<u64>,
}

/// What every proof rests on.
pub const ASSUMPTIONS: &[&str] = &[
    "the kernel maps the file as its program headers say, enters it at its entry point, and changes no register but rax, rcx and r11 in a call",
    "the kernel writes to memory what the expected trace states, and nothing after a wrong answer, but a handle if io_setup was to fail and does not",
    "a ring has room for more requests than are followed, at most 65,536",
    "an answer is between -4095 and 2^31-1; of mmap and mremap, below the end of user space",
    "a signal comes only where the expected trace has an rt_sigreturn",
    "iced-x86 decodes as the processor does; capstone finds the same boundaries",
    "of a repetition of more than three rounds, wrong answers are followed in the first two and the last; one of an open number is followed with 1, 2 and 1000 rounds",
    "nothing else writes to the process's memory",
];
