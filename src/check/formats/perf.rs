//! `perf script`: the kernel's text (kernel.rs). Now and then perf record stores an event twice: of
//! one thread, with one time to the nanosecond. A call has an entry and an exit, so that there are
//! never two such, one after the other.

use super::Parser;
use super::cursor::Parsed;
use super::kernel::Kernel;
use crate::event::What;

#[derive(Default)]
pub struct Perf {
    last: String,
}

impl Parser for Perf {
    fn line(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        let twice = line == self.last && line.contains("raw_syscalls:");
        line.clone_into(&mut self.last);
        if twice {
            return Ok(Vec::new());
        }
        Kernel.line(line)
    }
}
