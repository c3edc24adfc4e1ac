//! Must not link: it has a thread-local variable, which stable Rust without a runtime can only say
//! in assembly.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use ioworkload::rt::Stack;

ioworkload::program!(main);

global_asm!(
    ".section .tdata, \"awT\", @progbits",
    ".globl variable",
    "variable: .byte 1",
    ".previous",
);

fn main(_: Stack) -> u8 {
    let code: i32;
    // SAFETY: it never runs.
    unsafe { asm!("mov {:e}, dword ptr fs:[variable@TPOFF]", out(reg) code) };
    code as u8
}
