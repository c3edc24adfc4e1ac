//! Uses `core::fmt`, as no fixture does.
#![no_std]
#![no_main]

use core::fmt::{Result, Write};
use ioworkload::rt::Stack;
use ioworkload::sys::write;

ioworkload::program!(main);

struct Stdout;

impl Write for Stdout {
    fn write_str(&mut self, text: &str) -> Result {
        let _ = write(1, text.as_bytes());
        Ok(())
    }
}

fn main(stack: Stack) -> u8 {
    let _ = writeln!(Stdout, "{}", stack.args().count());
    0
}
