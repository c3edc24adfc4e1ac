//! Ends in one of the ways that a fixture can end: its name says in which.
#![no_std]
#![no_main]

use ioworkload::rt::Stack;
use ioworkload::sys::machine::SIGKILL;
use ioworkload::sys::*;

ioworkload::program!(main);

const ALIVE: &core::ffi::CStr = c"/tmp/alive";

fn main(stack: Stack) -> u8 {
    match stack.args().next().map(core::ffi::CStr::to_bytes) {
        Some(b"exits-with-1") => says(b"exits-with-1: io_setup: 1, expected 0\n", 1),
        Some(b"hangs") => loop {
            let _ = nanosleep(&mut Timespec::from_ms(1000));
        },
        Some(b"is-killed") => getpid().and_then(|pid| kill(pid, SIGKILL)).map_or(2, |_| 3),
        Some(b"leaves-a-child") => leaves_a_child(),
        Some(b"meets-nobody") => meets_nobody(),
        Some(b"says-much") => says(b"ok 1 fake\nnot text: \x1b\xff\n\n# two lines\n", 0),
        Some(b"says-a-long-line") => says(&[b'\xff'; 600], 1),
        Some(b"skips") => says(b"skips: io_setup: EPERM (errno 1)\n", 77),
        _ => 2,
    }
}

fn says(text: &[u8], code: u8) -> u8 {
    write(2, text).map_or(2, |_| code)
}

/// The child makes a file again and again, and never ends.
fn leaves_a_child() -> u8 {
    if fork() == Ok(0) {
        loop {
            let _ = openat(AT_FDCWD, ALIVE, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
                .map(|fd| close(fd as u32));
            let _ = nanosleep(&mut Timespec::from_ms(1));
        }
    }
    while faccessat(AT_FDCWD, ALIVE, F_OK).is_err() {
        let _ = nanosleep(&mut Timespec::from_ms(1));
    }
    0
}

/// Nobody makes the file any more.
fn meets_nobody() -> u8 {
    let _ = unlinkat(AT_FDCWD, ALIVE, 0);
    let _ = nanosleep(&mut Timespec::from_ms(200));
    u8::from(faccessat(AT_FDCWD, ALIVE, F_OK).is_ok())
}
