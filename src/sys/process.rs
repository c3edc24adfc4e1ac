//! The calls about the process itself: its number, its sleep, its signals, its end.

use super::errno::EINTR;
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

/// The signal that a write to a pipe without readers raises.
pub const SIGPIPE: u32 = 13;

const SIG_BLOCK: u32 = 0;

/// `getpid(2)`, 39: the process number, which is also the number of its only thread.
#[must_use]
pub fn getpid() -> usize {
    // SAFETY: the call touches no memory and can't fail.
    unsafe { syscall!(GETPID) }
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

/// Sleeps for `time`, and goes on after a signal that was handled: one `nanosleep` or more.
pub fn sleep(time: &mut Timespec) {
    while nanosleep(time) == Err(EINTR) {}
}

/// `rt_sigprocmask(2)`, 14, with `SIG_BLOCK`: the signal waits from now on, and nobody will ask for
/// it.
///
/// # Errors
/// None that these arguments could bring about.
#[inline(always)]
pub fn block_signal(sig: u32) -> Answer {
    let nset: u64 = 1 << (sig - 1);
    // SAFETY: the kernel reads eight bytes, `nset`, before it returns; it writes no old set to
    // address 0.
    Errno::check(unsafe {
        syscall!(
            RT_SIGPROCMASK,
            SIG_BLOCK,
            &raw const nset,
            0,
            size_of::<u64>()
        )
    })
}

/// `exit_group(2)`, 231: the end of the process.
pub fn exit_group(error_code: u8) -> ! {
    // SAFETY: exit_group does not return. Where a filter or a tracer makes it, `ud2` ends the
    // process by SIGILL instead of running into whatever code stands behind.
    unsafe {
        syscall!(EXIT_GROUP, error_code);
        asm!("ud2", options(noreturn, nostack));
    }
}
