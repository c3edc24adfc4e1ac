//! Must not link: a function that the C library would choose at start-up leaves a relocation for
//! run time.
#![no_std]
#![no_main]

use core::arch::{asm, global_asm};
use ioworkload::rt::Stack;

ioworkload::program!(main);

global_asm!(
    ".globl chosen",
    ".type chosen, @gnu_indirect_function",
    "chosen: ret",
);

fn main(_: Stack) -> u8 {
    // SAFETY: it never runs.
    unsafe { asm!("call chosen", clobber_abi("C")) };
    0
}
