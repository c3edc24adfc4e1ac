//! What a tracer says, event by event and whatever its format: as much of each as it has reported.

use crate::trace::Memory;

/// One event.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// The thread; 0 where the format does not say, and there is one then.
    pub tid: i64,
    /// Where it stands in what the tracer wrote: the line, from 1.
    pub line: usize,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// A call begins.
    Enter(Call),
    /// The call that this thread is in ends: with its result, and its number or name if the format has
    /// it there.
    Exit(Call),
    /// A call, from its beginning to its end.
    Whole(Call),
    /// This thread has started another thread or process.
    Fork(i64),
    /// The thread's execve has returned: what it does from here on is the program's. `comm` as the
    /// tracer shows it.
    Exec(Option<String>),
    /// What stands at an address now: before the call if it has not ended, after it otherwise.
    Memory(u64, Vec<u8>),
    /// A signal is delivered: its number.
    Signal(u32),
    /// The thread ends.
    End(End),
    /// The tracer itself says that it has lost events, and how many if it counts them.
    Lost(Option<u64>),
}

/// How a process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The code of exit_group, low eight bits.
    Code(u8),
    /// The signal's number.
    Signal(u32),
}

/// A call, or half of one. What the tracer does not report is `None`, and is not compared.
#[derive(Clone, Default, PartialEq, Debug)]
pub struct Call {
    /// Its number.
    pub nr: Option<u64>,
    /// Its name.
    pub name: Option<String>,
    /// As many of its arguments as are reported, from the first on.
    pub args: Option<Vec<Value>>,
    /// What it answers.
    pub ret: Option<Ret>,
    /// What stood at some addresses when it began.
    pub before: Memory,
    /// And when it had returned.
    pub after: Memory,
    /// How long it took, in nanoseconds.
    pub ns: Option<u64>,
}

/// What a call answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ret {
    /// It does not return.
    Never,
    /// A value, an error negated. A restart code, -512 to -516, is one.
    Number(i64),
    /// A restart code that the tracer does not name: the call is interrupted.
    Interrupted,
}

/// An argument, or a part of what one leads to.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// It is not shown.
    Unknown,
    /// A number as it is written, signed or not: -100, 4294967196, 0xffffffffffffff9c.
    Number(i128),
    /// Names of constants, as strace writes them: `AT_FDCWD`, `O_RDWR|O_CREAT`, `SIG_BLOCK`.
    Symbol(String),
    /// The bytes of a text or a buffer; whether that is all of it.
    Bytes(Vec<u8>, bool),
    /// `[…]`: what an array or a pointer to a word holds.
    List(Vec<Value>),
    /// `{…}`: a structure, by the fields that are shown.
    Struct(Vec<(String, Value)>),
}
