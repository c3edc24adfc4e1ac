//! Says what it was started with: the stack's alignment, arguments and environment on stdout, the
//! auxiliary vector on stderr. Then it waits for the end of stdin.
#![no_std]
#![no_main]

use core::arch::{asm, naked_asm};
use core::ffi::CStr;
use ioworkload::rt::Stack;
use ioworkload::sys::write;
use ioworkload::text::Line;

ioworkload::program!(main);

fn main(stack: Stack) -> u8 {
    say(1, "stack ", alignment());
    list("args ", || stack.args());
    list("envs ", || stack.envs());
    for (kind, value) in stack.auxv() {
        say(2, "", kind);
        say(2, "", value);
    }
    wait();
    0
}

/// The stack pointer modulo 16 where a function starts: 8, if `_start` aligns it as the ABI wants.
#[unsafe(naked)]
extern "C" fn alignment() -> usize {
    naked_asm!("mov eax, esp", "and eax, 15", "ret")
}

fn list<I: Iterator<Item = &'static CStr>>(title: &str, strings: impl Fn() -> I) {
    say(1, title, strings().count());
    for string in strings() {
        let _ = write(1, string.to_bytes());
        let _ = write(1, b"\n");
    }
}

fn say(fd: u32, title: &str, number: usize) {
    let mut line = Line::default();
    line.text(title).number(number as i64);
    line.print(fd);
}

/// Reads a byte that does not come.
fn wait() {
    let mut byte = 0_u8;
    // SAFETY: read(0, &byte, 1) writes at most the one byte; `syscall` changes rcx and r11.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") 0_usize => _,
            in("rdi") 0,
            in("rsi") &raw mut byte,
            in("rdx") 1,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
}
