//! Makes every call of `sys` once, in a way that changes nothing, each argument a value of its own.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::ptr::without_provenance_mut as at;
use ioworkload::rt::Stack;
use ioworkload::sys::{
    Pollfd, SIGPIPE, Timespec, block_signal, close, exit_group, faccessat, fcntl, getpid,
    io_cancel, io_destroy, io_getevents, io_setup, io_submit, nanosleep, openat, ppoll, read,
    unlinkat, write,
};

ioworkload::program!(main);

fn main(_: Stack) -> u8 {
    // SAFETY: nothing is mapped at these addresses.
    unsafe {
        let _ = io_setup(0x11, at(0x12));
        let _ = io_getevents(0x21, 0x22, 0x23, at(0x24), at(0x25));
        let _ = io_submit(0x31, 0x32, at(0x33));
        let _ = io_cancel(0x41, at(0x42), at(0x43));
    }
    let _ = io_destroy(0x51);
    let _ = openat(0x61, c"to open", 0x62, 0x63);
    let _ = close(0x71);
    let _ = unlinkat(0x81, c"to unlink", 0x82);
    let _ = faccessat(0x91, c"to access", 0x92);
    let _ = write(0xa1, b"0123456789");
    let _ = getpid();
    let mut time = Timespec {
        tv_sec: 0,
        tv_nsec: 1,
    };
    let _ = nanosleep(&mut time);
    let _ = block_signal(SIGPIPE);
    let mut room = [0; 11];
    let _ = read(0xc1, &mut room);
    let _ = fcntl(0xd1, 0xd2);
    let (mut poll, mut short) = (Pollfd::default(), time);
    poll.fd = 0xe1; // not open, which is an event
    let _ = ppoll(&mut poll, &mut short);
    black_box((&time, &room)); // so that the set of signals has an address of its own
    exit_group(0xb1)
}
