//! Makes every call of `sys` once, in a way that changes nothing, each argument a value of its own.
#![no_std]
#![no_main]

use core::hint::black_box;
use core::ptr::without_provenance_mut as at;
use ioworkload::rt::Stack;
use ioworkload::sys::*;

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
    let (set, mut old) = (sigset(SIGPIPE), 0);
    let _ = rt_sigprocmask(SIG_BLOCK, &set, Some(&mut old));
    let mut room = [0; 11];
    let _ = read(0xc1, &mut room);
    let _ = fcntl(0xd1, 0xd2);
    let (mut poll, mut short) = (Pollfd::default(), time);
    poll.fd = 0xe1; // not open, which is an event
    let _ = ppoll(&mut poll, &mut short);
    // SAFETY: as above.
    let _ = unsafe { io_pgetevents(0xc1, 0xc2, 0xc3, at(0xc4), at(0xc5), at(0xc6)) };
    let (mut fds, value) = ([0; 2], Itimerval::default());
    let _ = pipe2(&mut fds, 0xd1);
    let _ = eventfd2(0xe1, 0xe2);
    let _ = memfd_create(c"in memory", 0xf1);
    let (act, mut oact) = (Sigaction::interrupt(SA_RESTART), Sigaction::default());
    let _ = rt_sigaction(0x101, &act, Some(&mut oact));
    let _ = kill(0x7fff_ffff, 0x112);
    let _ = setitimer(0x121, &value);
    // MAP_FIXED, 0x10, is left out.
    let _ = mmap(0x131, 0x132, 0x133, 0x134, 0x135);
    // SAFETY: nothing is mapped at these addresses.
    unsafe {
        let _ = mprotect(0x141, 0x142, 0x143);
        let _ = munmap(0x151, 0x152);
        let _ = mremap(0x171, 0x172, 0x173, 0x174, 0x175);
    }
    let _ = pwrite64(0x181, b"at its place", 0x182);
    children();
    // So that each has an address of its own.
    black_box((
        &time, &set, &mut old, &act, &mut oact, &mut fds, &mut room, &value,
    ));
    exit_group(0xb1)
}

/// One that ends, and one that makes a call and ends with its answer.
fn children() {
    let mut stat = 0;
    let child = fork();
    if child == Ok(0) {
        exit_group(3);
    }
    let _ = wait4(child.unwrap_or(0), &mut stat, 0);
    // SAFETY: nothing is mapped at these addresses.
    let other = unsafe { vfork(IO_GETEVENTS, [0x161, 0x162, 0x163, 0x164, 0x165]) };
    let _ = wait4(other.unwrap_or(0), &mut stat, 0);
}
