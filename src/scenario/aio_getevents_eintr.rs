//! aio-getevents-eintr: waits for a completion that does not come, and is interrupted by a signal
//! that has a handler.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(1, [ctx]) = 0
//! rt_sigaction(SIGALRM, {sa_handler=&handler, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=&restorer}, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0
//! setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=200000}}, NULL) = 0
//! io_getevents(ctx, 1, 1, &event, {tv_sec=10, tv_nsec=0}) = -1 EINTR (Interrupted system call)
//! --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---
//! rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)
//! rt_sigaction(SIGALRM, {sa_handler=&handler, sa_mask=[], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=&restorer}, NULL, 8) = 0
//! setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=200000}}, NULL) = 0
//! io_getevents(ctx, 1, 1, &event, {tv_sec=10, tv_nsec=0}) = -1 EINTR (Interrupted system call)
//! --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---
//! rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call)
//! setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=0}, it_value={tv_sec=0, tv_usec=0}}, NULL) = 0
//! rt_sigaction(SIGALRM, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 0
//! io_destroy(ctx) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Starts no call again: io_getevents answers EINTR with SA_RESTART too. The timer runs for a
//! fifth of a second, which is time enough to get into the wait; if it isn't, the wait ends after
//! ten seconds, and the scenario fails. The timer is stopped before SIGALRM is as it was: where a
//! stop by somebody else interrupted the wait, it is still running.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-getevents-eintr");

/// How long to the only signal of a timer.
const ONCE: Itimerval = Itimerval {
    it_interval: [0, 0],
    it_value: [0, 200_000],
};

/// Stops a timer.
const OFF: Itimerval = Itimerval {
    it_interval: [0, 0],
    it_value: [0, 0],
};

fn run() -> Outcome {
    let (mut event, deadline) = (IoEvent::default(), DEADLINE);
    let (once, off) = (ONCE, OFF);
    let (interrupt, restart) = (Sigaction::interrupt(0), Sigaction::interrupt(SA_RESTART));
    let mut old = Sigaction::default();
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx`; no completion can come.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(rt_sigaction(SIGALRM, &interrupt, Some(&mut old)) = 0);
        call!(setitimer(ITIMER_REAL, &once) = 0);
        // Ended by the handler, and so by rt_sigreturn.
        call!(io_getevents(ctx.id, 1, 1, &raw mut event, &raw const deadline) = -EINTR);
        call!(rt_sigaction(SIGALRM, &restart, None) = 0);
        call!(setitimer(ITIMER_REAL, &once) = 0);
        call!(io_getevents(ctx.id, 1, 1, &raw mut event, &raw const deadline) = -EINTR);
        call!(setitimer(ITIMER_REAL, &off) = 0);
        call!(rt_sigaction(SIGALRM, &old, None) = 0);
    }
    call!(io_destroy(ctx.release()) = 0);
    Ok(())
}
