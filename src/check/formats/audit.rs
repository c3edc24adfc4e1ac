//! The kernel's audit records, raw: `type=SYSCALL msg=audit(…): arch=c000003e syscall=206 … exit=0
//! a0=20 a1=7ff… a2=… a3=… … pid=12 …`. They have four arguments, and no sign of a call that has not
//! ended.

use super::Parser;
use super::cursor::{Cursor, Parsed};
use crate::event::{Call, Ret, Value, What};
use crate::syscalls;

pub struct Audit;

/// Records that go with a call and say nothing that is compared.
const OTHERS: [&str; 9] = [
    "CONFIG_CHANGE",
    "CWD",
    "EOE",
    "EXECVE",
    "FD_PAIR",
    "PATH",
    "PROCTITLE",
    "DAEMON_START",
    "DAEMON_END",
];

impl Parser for Audit {
    fn line(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        let mut cursor = Cursor::new(line);
        if cursor.eat("node=") {
            cursor.until(" ")?;
        }
        cursor.expect("type=")?;
        let kind = cursor.word("a type")?;
        if OTHERS.contains(&kind) {
            return Ok(Vec::new());
        }
        if kind != "SYSCALL" {
            return Err(cursor.wrong("SYSCALL or another known type before here"));
        }
        cursor.until("): ")?;
        cursor.expect("arch=c000003e ")?;
        let start = cursor;
        let field = |name: &str| {
            let mut words = start.rest().split(' ');
            let value = words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            value.ok_or_else(|| start.wrong(&format!("{name}=")))
        };
        let number = |name: &str| field(name)?.parse::<i64>().map_err(|_| start.wrong(name));
        let hex = |name: &str| {
            let value = u64::from_str_radix(field(name)?, 16);
            value
                .map(|value| Value::Number(value.into()))
                .map_err(|_| start.wrong(name))
        };
        let ret = field("exit").is_ok().then(|| number("exit")).transpose()?;
        let nr = number("syscall")? as u64;
        // There are always four.
        let count = syscalls::of(nr).map_or(4, |call| call.args.len());
        let args = ["a0", "a1", "a2", "a3"].into_iter().take(count).map(hex);
        let call = Call {
            nr: Some(nr),
            args: Some(args.collect::<Result<_, _>>()?),
            ret: Some(ret.map_or(Ret::Never, Ret::Number)),
            ..Call::default()
        };
        Ok(vec![(number("pid")?, What::Whole(call))])
    }
}
