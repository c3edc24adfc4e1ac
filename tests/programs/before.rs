//! A first process that takes away what its name says, and then itself, and becomes `/init`.
//!
//! `no-aio`: a filter answers every AIO call with ENOSYS, as a kernel without AIO does.
//! `no-console`: the console's name goes, and the descriptors that the kernel has opened.
#![no_std]
#![no_main]

use core::arch::asm;
use ioworkload::rt::Stack;
use ioworkload::sys::machine::execve;
use ioworkload::sys::{AT_FDCWD, close, unlinkat};

ioworkload::program!(main);

/// `struct sock_filter` (`include/uapi/linux/filter.h`).
#[repr(C)]
struct Filter {
    code: u16,
    jt: u8,
    jf: u8,
    k: u32,
}

/// `struct sock_fprog`.
#[repr(C)]
struct Program {
    len: u16,
    filter: *const Filter,
}

const fn step(code: u16, jt: u8, jf: u8, k: u32) -> Filter {
    Filter { code, jt, jf, k }
}

/// io_setup to io_cancel are 206 to 210, io_pgetevents is 333.
const NO_AIO: [Filter; 6] = [
    step(0x20, 0, 0, 0),           // load the number
    step(0x15, 2, 0, 333),         // equal: to ENOSYS
    step(0x35, 0, 2, 206),         // less: to ALLOW
    step(0x25, 1, 0, 210),         // greater: to ALLOW
    step(0x06, 0, 0, 0x5_0026),    // SECCOMP_RET_ERRNO, ENOSYS
    step(0x06, 0, 0, 0x7fff_0000), // SECCOMP_RET_ALLOW
];

fn main(stack: Stack) -> u8 {
    let name = stack.args().next().unwrap_or_default();
    let done = match name.to_bytes() {
        b"/no-aio" => no_aio(),
        b"/no-console" => no_console(),
        _ => false,
    };
    if done && unlinkat(AT_FDCWD, name, 0).is_ok() {
        let _ = execve(c"/init");
    }
    1
}

fn no_console() -> bool {
    (0..3).all(|fd| close(fd).is_ok()) && unlinkat(AT_FDCWD, c"/dev/console", 0).is_ok()
}

fn no_aio() -> bool {
    let program = Program {
        len: 6,
        filter: NO_AIO.as_ptr(),
    };
    let mut ret = 317_usize; // seccomp
    // SAFETY: the kernel reads `program` and NO_AIO, and keeps a copy.
    unsafe {
        asm!("syscall", inlateout("rax") ret, in("rdi") 1, in("rsi") 0, in("rdx") &raw const program,
            out("rcx") _, out("r11") _, options(nostack));
    }
    ret == 0
}
