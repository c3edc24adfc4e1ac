//! The calls about the process itself: its number, its sleep, its children, its end.

use super::{Answer, Errno};
use core::arch::asm;
use core::mem::{offset_of, size_of};
use sc::syscall;

/// The kernel's `struct __kernel_timespec` (`include/uapi/linux/time_types.h`), 16 bytes.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct Timespec {
    /// Seconds.
    pub tv_sec: i64,
    /// Nanoseconds, 0 to 999,999,999.
    pub tv_nsec: i64,
}

impl Timespec {
    /// So many milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u32) -> Self {
        Self::from_us(ms as u64 * 1000)
    }

    /// So many microseconds.
    #[must_use]
    pub const fn from_us(us: u64) -> Self {
        Self {
            tv_sec: (us / 1_000_000) as i64,
            tv_nsec: (us % 1_000_000 * 1000) as i64,
        }
    }
}

const _: () = {
    assert!(size_of::<Timespec>() == 16);
    assert!(offset_of!(Timespec, tv_sec) == 0);
    assert!(offset_of!(Timespec, tv_nsec) == 8);
};

/// `getpid(2)`, 39: the process number, which is also the number of its only thread.
///
/// # Errors
/// None, unless somebody forbids the call.
pub fn getpid() -> Answer {
    // SAFETY: the call touches no memory.
    Errno::check(unsafe { syscall!(GETPID) })
}

/// `nanosleep(2)`, 35: sleeps for `time`; interrupted, it leaves what remains there.
///
/// # Errors
/// EINTR, EINVAL.
pub fn nanosleep(time: &mut Timespec) -> Answer {
    let time: *mut Timespec = time;
    // SAFETY: the kernel reads and, interrupted, writes `time` before it returns.
    Errno::check(unsafe { syscall!(NANOSLEEP, time, time) })
}

/// `fork(2)`, 57: returns twice: 0 in the child, which has a copy of everything but the AIO contexts,
/// and the child's number in the parent.
///
/// # Errors
/// EAGAIN, ENOMEM.
pub fn fork() -> Answer {
    // SAFETY: the child runs on in a copy of our memory.
    Errno::check(unsafe { syscall!(FORK) })
}

/// `vfork(2)`, 58, and what its child does, which shares our memory: one call with five arguments,
/// and `exit_group` with its answer. Returns the child's number when that is over.
///
/// # Errors
/// EAGAIN, ENOMEM.
///
/// # Safety
/// The call is sound in this process.
pub unsafe fn vfork(nr: usize, args: [usize; 5]) -> Answer {
    let pid: usize;
    // SAFETY: the child uses the registers that it was born with and no memory, so the parent, which
    // the kernel holds back until the child is gone, finds its own as it was.
    unsafe {
        asm!(
            "syscall", // vfork has no arguments: those for the child's call are in place
            "test eax, eax",
            "jnz 2f",
            "mov rax, {nr}",
            "syscall",
            "mov edi, eax",
            "mov eax, 231", // exit_group
            "syscall",
            "ud2",
            "2:",
            nr = in(reg) nr,
            inlateout("rax") 58_usize => pid,
            in("rdi") args[0],
            in("rsi") args[1],
            in("rdx") args[2],
            in("r10") args[3],
            in("r8") args[4],
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    Errno::check(pid)
}

/// `wait4(2)`, 61: waits for the end of a child, and writes how it ended to `stat_addr`.
///
/// # Errors
/// ECHILD, EINTR.
pub fn wait4(upid: usize, stat_addr: &mut u32, options: u32) -> Answer {
    let stat_addr: *mut u32 = stat_addr;
    // SAFETY: the kernel writes four bytes, `stat_addr`, before it returns, and no usage to address
    // 0.
    Errno::check(unsafe { syscall!(WAIT4, upid, stat_addr, options, 0) })
}

/// `exit_group(2)`, 231: the end of the process.
pub fn exit_group(error_code: u8) -> ! {
    // SAFETY: exit_group does not return. Where a filter or a tracer makes it, `ud2` ends the
    // process by SIGILL instead of running into whatever code follows.
    unsafe {
        syscall!(EXIT_GROUP, error_code);
        asm!("ud2", options(noreturn, nostack));
    }
}
