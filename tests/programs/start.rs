//! Says what it was started with: the stack's alignment, arguments and environment.
#![no_std]
#![no_main]

use core::arch::naked_asm;
use core::ffi::CStr;
use ioworkload::rt::Stack;
use ioworkload::sys::write;
use ioworkload::text::Line;

ioworkload::program!(main);

fn main(stack: Stack) -> u8 {
    say("stack ", alignment());
    list("args ", || stack.args());
    list("envs ", || stack.envs());
    0
}

/// The stack pointer modulo 16 where a function starts: 8, if `_start` aligns it as the ABI wants.
#[unsafe(naked)]
extern "C" fn alignment() -> usize {
    naked_asm!("mov eax, esp", "and eax, 15", "ret")
}

fn list<I: Iterator<Item = &'static CStr>>(title: &str, strings: impl Fn() -> I) {
    say(title, strings().count());
    for string in strings() {
        let _ = write(1, string.to_bytes());
        let _ = write(1, b"\n");
    }
}

fn say(title: &str, number: usize) {
    let mut line = Line::default();
    line.text(title).number(number as i64);
    line.print(1);
}
