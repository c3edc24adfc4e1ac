//! A first process that gives init another /tmp, one after the other: a directory of the host's, by 9p,
//! with each way of caching. What stands there is a file that is named for it.
//!
//! Its arguments are the modules to load, in order.
#![no_std]
#![no_main]

use core::arch::asm;
use core::ffi::CStr;
use ioworkload::rt::Stack;
use ioworkload::sys::machine::{LINUX_REBOOT_CMD_POWER_OFF, execve, reboot};
use ioworkload::sys::*;

ioworkload::program!(main);

/// The file, and the options of the mount.
const CACHES: [(&CStr, &CStr); 3] = [
    (c"/tmp/none", c"trans=virtio,version=9p2000.L,cache=none"),
    (c"/tmp/mmap", c"trans=virtio,version=9p2000.L,cache=mmap"),
    (c"/tmp/loose", c"trans=virtio,version=9p2000.L,cache=loose"),
];

/// Returns, which is a panic of the kernel, with the number of the step that has failed.
fn main(stack: Stack) -> u8 {
    if stack.args().skip(1).any(|module| load(module).is_err()) {
        return 2;
    }
    for (file, options) in CACHES {
        if mount(options).is_err() {
            return 3;
        }
        if openat(AT_FDCWD, file, O_RDWR | O_CREAT | O_EXCL, 0o600)
            .map(|fd| close(fd as u32))
            .is_err()
        {
            return 4;
        }
        // The firmware has left its line open, and init, which is not first here, does not care.
        let _ = write(STDOUT, b"\n");
        if fork() == Ok(0) {
            let _ = execve(c"/init");
            return 5;
        }
        while wait4(usize::MAX, &mut 0, 0).is_ok() {}
        if unmount().is_err() {
            return 6;
        }
    }
    u8::from(reboot(LINUX_REBOOT_CMD_POWER_OFF).is_err())
}

fn load(module: &CStr) -> Answer {
    let fd = openat(AT_FDCWD, module, O_CLOEXEC, 0)?;
    // finit_module, with MODULE_INIT_COMPRESSED_FILE.
    let done = call(313, [fd, address(c""), 4, 0, 0]);
    close(fd as u32)?;
    done
}

fn mount(options: &CStr) -> Answer {
    let [what, place, kind, options] = [c"host", c"/tmp", c"9p", options].map(address);
    call(165, [what, place, kind, 0, options])
}

fn unmount() -> Answer {
    call(166, [address(c"/tmp"), 0, 0, 0, 0])
}

fn address(text: &CStr) -> usize {
    text.as_ptr() as usize
}

fn call(nr: usize, args: [usize; 5]) -> Answer {
    let mut ret = nr;
    // SAFETY: of the calls above, each reads strings up to their NUL and writes nothing.
    unsafe {
        asm!("syscall", inlateout("rax") ret, in("rdi") args[0], in("rsi") args[1], in("rdx") args[2],
            in("r10") args[3], in("r8") args[4], out("rcx") _, out("r11") _, options(nostack));
    }
    Errno::check(ret)
}
