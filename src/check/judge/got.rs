//! A call as a tracer has reported it, whole or not, and how well it fits an expected one.

use super::steps::Step;
use super::symbols;
use super::{Options, Shown};
use crate::ctype::CType;
use crate::event::{self, Ret, Value};
use crate::expected::{self, Word};
use crate::syscalls;
use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

/// A call as it was seen.
#[derive(Clone, PartialEq, Debug)]
pub struct Got {
    pub line: usize,
    /// Its number, from its name if need be.
    pub nr: Option<u64>,
    pub call: event::Call,
    pub half: Half,
}

/// Which part of a call was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Half {
    Both,
    /// It began. Whether the tracer has reported any end of a call until then.
    Entry {
        ends: bool,
    },
    Exit,
}

impl Got {
    pub fn new(line: usize, call: event::Call, half: Half) -> Self {
        let nr = call.nr.or_else(|| number(call.name.as_deref()?));
        Self {
            line,
            nr,
            call,
            half,
        }
    }

    /// The kernel's name.
    pub fn name(&self) -> Option<&str> {
        let known = || Some(syscalls::of(self.nr?)?.name.as_str());
        self.call.name.as_deref().or_else(known)
    }

    /// Whether all that is the same in every run is as expected, as far as it is reported.
    pub fn like(&self, step: &Step<'_>, options: &Options) -> bool {
        self.nr == Some(step.call.nr) && self.args_like(step, options) && self.ret_like(step.call)
    }

    fn args_like(&self, step: &Step<'_>, options: &Options) -> bool {
        let got = self.call.args.as_deref().unwrap_or(&[]);
        let most = options.args.unwrap_or(usize::MAX);
        let pairs = step.call.args.iter().zip(got).take(most);
        pairs.enumerate().all(|(at, (want, got))| {
            let ctype = if options.registers {
                CType::WORD
            } else {
                step.ctype(at)
            };
            let register = match want {
                Word::Number(number) => *number,
                Word::Round => step.place.round,
                Word::Name(_) => return true,
            };
            symbols::number(got).is_none_or(|number| ctype.same(register, number))
        })
    }

    fn ret_like(&self, want: &expected::Call) -> bool {
        match (&want.ret, &self.call.ret) {
            (_, None) => true,
            (None, Some(ret)) => *ret == Ret::Never,
            (Some(expected::Ret::Number(number)), Some(Ret::Number(got))) => {
                number == got || want.sys_exit == Some(*got)
            }
            (_, Some(ret)) => *ret != Ret::Never,
        }
    }

    /// How well it fits: not at all, by its number, or by all that is the same in every run. That is
    /// worth more than two of the former, so that calls in another order show as such.
    pub fn fits(&self, step: &Step<'_>, options: &Options) -> u16 {
        u16::from(self.nr == Some(step.call.nr)) * (1 + 2 * u16::from(self.like(step, options)))
    }
}

/// The number of a call.
pub fn number(name: &str) -> Option<u64> {
    static NUMBERS: LazyLock<HashMap<&str, u64>> = LazyLock::new(|| {
        let each = syscalls::ALL
            .iter()
            .map(|call| (call.name.as_str(), call.nr));
        each.collect()
    });
    NUMBERS.get(name).copied()
}

/// Whether a result is what an interrupted call may show.
pub fn restarts(code: i64) -> bool {
    matches!(code, -516 | -514..=-512)
}

/// Whether a result is the expected one, names aside: `None` if a name decides.
pub fn answers(want: &expected::Call, got: i64, shown: Shown) -> Option<bool> {
    let program = match &want.ret {
        None => false,
        Some(expected::Ret::Number(number)) => *number == got,
        Some(expected::Ret::Any(numbers)) => numbers.contains(&got),
        Some(expected::Ret::Range(range)) => (range.min..=range.max).contains(&got),
        Some(expected::Ret::Name(_)) => return None,
    };
    Some(match (want.sys_exit, shown) {
        (None, _) | (_, Shown::Program) => program,
        (Some(code), Shown::SysExit) => code == got,
        (Some(code), Shown::Either) => program || code == got,
    })
}

impl fmt::Display for Got {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.nr) {
            (Some(name), _) => f.write_str(name)?,
            (None, Some(nr)) => write!(f, "syscall {nr}")?,
            (None, None) => f.write_str("?")?,
        }
        match &self.call.args {
            Some(args) => {
                let args: Vec<_> = args.iter().map(shown).collect();
                write!(f, "({})", args.join(", "))?;
            }
            None => f.write_str("(…)")?,
        }
        match &self.call.ret {
            _ if matches!(self.half, Half::Entry { .. }) => f.write_str(" = ?"),
            Some(Ret::Number(number)) => write!(f, " = {number}"),
            Some(Ret::Never) => f.write_str(" = ?"),
            Some(Ret::Interrupted) => f.write_str(" = ? (interrupted)"),
            None => Ok(()),
        }
    }
}

/// A value as a verdict shows it.
pub fn shown(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(shown).collect::<Vec<_>>().join(", ");
    match value {
        Value::Unknown => "…".into(),
        Value::Number(number) if *number < 0 => number.to_string(),
        Value::Number(number) => format!("{number:#x}"),
        Value::Symbol(name) => name.clone(),
        Value::Bytes(bytes, whole) => {
            let dots = if *whole { "" } else { "…" };
            format!("{:?}{dots}", String::from_utf8_lossy(bytes))
        }
        Value::List(values) => format!("[{}]", list(values)),
        Value::Struct(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| format!("{name}={}", shown(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}
