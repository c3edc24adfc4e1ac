//! Signals: what handles them, what holds them back, what sends them.

use super::{Answer, Errno};
use core::arch::naked_asm;
use core::mem::{offset_of, size_of};
use sc::syscall;

/// Sent by [`kill`] alone.
pub const SIGUSR1: u32 = 10;
/// The signal that a write to a pipe without readers raises.
pub const SIGPIPE: u32 = 13;
/// The signal of [`setitimer`].
pub const SIGALRM: u32 = 14;

/// The signal of a call that a filter has refused.
pub const SIGSYS: u32 = 31;

/// `rt_sigprocmask`: these signals wait too.
pub const SIG_BLOCK: u32 = 0;
/// `rt_sigprocmask`: these signals wait, and no others.
pub const SIG_SETMASK: u32 = 2;

/// `setitimer`: real time, SIGALRM.
pub const ITIMER_REAL: u32 = 0;

/// `sa_flags` (`arch/x86/include/uapi/asm/signal.h`): a restorer is given; x86_64 insists on it.
const SA_RESTORER: u64 = 0x0400_0000;
/// `sa_flags`: interrupted calls start again, those that can.
pub const SA_RESTART: u32 = 0x1000_0000;

const SIG_IGN: u64 = 1;

/// The kernel's `struct sigaction` (`include/linux/signal_types.h`), 32 bytes. It names no handler
/// but those of this file, or what `rt_sigaction` has found.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
#[allow(clippy::struct_field_names, reason = "the kernel's words")]
pub struct Sigaction {
    /// The function, or 0 for the signal's default, or 1 to ignore it.
    sa_handler: u64,
    /// `SA_*`.
    sa_flags: u64,
    /// Where the handler returns to.
    sa_restorer: u64,
    /// The signals that wait while the handler runs.
    sa_mask: u64,
}

const _: () = {
    assert!(size_of::<Sigaction>() == 32);
    assert!(offset_of!(Sigaction, sa_handler) == 0);
    assert!(offset_of!(Sigaction, sa_flags) == 8);
    assert!(offset_of!(Sigaction, sa_restorer) == 16);
    assert!(offset_of!(Sigaction, sa_mask) == 24);
};

impl Sigaction {
    /// A handler that does nothing, so that all a signal does is interrupt.
    #[must_use]
    pub fn interrupt(flags: u32) -> Self {
        Self {
            sa_handler: handler as *const () as u64,
            sa_flags: SA_RESTORER | u64::from(flags),
            sa_restorer: restorer as *const () as u64,
            sa_mask: 0,
        }
    }

    /// The signal does nothing, not even interrupt.
    #[must_use]
    pub const fn ignore() -> Self {
        Self {
            sa_handler: SIG_IGN,
            sa_flags: SA_RESTORER,
            sa_restorer: 0,
            sa_mask: 0,
        }
    }
}

#[unsafe(naked)]
extern "C" fn handler() {
    naked_asm!("ret")
}

/// `rt_sigreturn(2)`, 15: the kernel has put the interrupted registers on the stack, where the
/// handler's `ret` has left the stack pointer. Debuggers and unwinders know a signal's frame by
/// these very bytes, 48 c7 c0 0f 00 00 00 0f 05.
#[unsafe(naked)]
extern "C" fn restorer() {
    naked_asm!("mov rax, 15", "syscall", "ud2")
}

/// The kernel's `struct __kernel_old_itimerval` (`include/uapi/linux/time_types.h`): two times, in
/// seconds and microseconds.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct Itimerval {
    /// How long from one signal to the next; 0: there is only one.
    pub it_interval: [i64; 2],
    /// How long to the next signal; 0: there is none.
    pub it_value: [i64; 2],
}

/// `rt_sigaction(2)`, 13: sets what a signal does, and writes what it did before to `oact`.
///
/// # Errors
/// None that these arguments could bring about.
pub fn rt_sigaction(sig: u32, act: &Sigaction, oact: Option<&mut Sigaction>) -> Answer {
    let (act, oact): (*const Sigaction, _) = (act, oact.map_or(0, |old| &raw mut *old as usize));
    // SAFETY: the kernel reads `act` and writes `oact` before it returns. A handler that
    // a `Sigaction` names is ours, which is sound at any instruction, or was in place before: its
    // fields are private.
    Errno::check(unsafe { syscall!(RT_SIGACTION, sig, act, oact, size_of::<u64>()) })
}

/// `rt_sigprocmask(2)`, 14: sets which signals wait, and writes which did before to `oset`.
///
/// # Errors
/// None that these arguments could bring about.
#[inline(always)]
pub fn rt_sigprocmask(how: u32, nset: &u64, oset: Option<&mut u64>) -> Answer {
    let (nset, oset): (*const u64, _) = (nset, oset.map_or(0, |old| &raw mut *old as usize));
    // SAFETY: the kernel reads eight bytes, `nset`, and writes `oset`, before it returns.
    Errno::check(unsafe { syscall!(RT_SIGPROCMASK, how, nset, oset, size_of::<u64>()) })
}

/// `rt_sigprocmask` with `SIG_BLOCK`: the signal waits from now on, and nobody will ask for it.
///
/// # Errors
/// None that these arguments could bring about.
#[inline(always)]
pub fn block_signal(sig: u32) -> Answer {
    rt_sigprocmask(SIG_BLOCK, &sigset(sig), None)
}

/// The set of one signal.
#[must_use]
pub const fn sigset(sig: u32) -> u64 {
    1 << (sig - 1)
}

/// `kill(2)`, 62: sends a signal to a process.
///
/// # Errors
/// ESRCH; EPERM for the process of another user.
pub fn kill(pid: usize, sig: u32) -> Answer {
    // SAFETY: the call touches no memory. What the signal does, somebody has set before.
    Errno::check(unsafe { syscall!(KILL, pid, sig) })
}

/// `setitimer(2)`, 38: starts a timer.
///
/// # Errors
/// EINVAL.
pub fn setitimer(which: u32, value: &Itimerval) -> Answer {
    let value: *const Itimerval = value;
    // SAFETY: the kernel reads `value` before it returns; it writes no old value to address 0.
    Errno::check(unsafe { syscall!(SETITIMER, which, value, 0) })
}
