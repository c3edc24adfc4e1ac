//! aio-pgetevents-eintr: waits for completions under a mask that lets a pending signal in.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-pgetevents-eintr", MFD_CLOEXEC) = 3
//! getpid() = pid
//! io_setup(1, [ctx]) = 0
//! rt_sigaction(SIGUSR1, {sa_handler=&handler, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=&restorer}, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0
//! rt_sigprocmask(SIG_BLOCK, [USR1], [], 8) = 0
//! kill(pid, SIGUSR1) = 0
//! io_pgetevents(ctx, 1, 1, &event, {tv_sec=10, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = ? ERESTARTNOHAND (To be restarted if no handler)
//! --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=pid, si_uid=uid} ---
//! rt_sigreturn({mask=[USR1]}) = -1 EINTR (Interrupted system call)
//! kill(pid, SIGUSR1) = 0
//! io_pgetevents(ctx, 1, 1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = ? ERESTARTNOHAND (To be restarted if no handler)
//! --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=pid, si_uid=uid} ---
//! rt_sigreturn({mask=[USR1]}) = -1 EINTR (Interrupted system call)
//! io_submit(ctx, 1, [{aio_data=0xda7a1c01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! kill(pid, SIGUSR1) = 0
//! io_pgetevents(ctx, 1, 1, [{data=0xda7a1c01, obj=&iocb, res=15, res2=0}], {tv_sec=10, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = 1
//! --- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=pid, si_uid=uid} ---
//! rt_sigreturn({mask=[USR1]}) = 1
//! rt_sigprocmask(SIG_SETMASK, [], NULL, 8) = 0
//! rt_sigaction(SIGUSR1, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8) = 0
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Waits nowhere, whatever the timeout: the signal is there before the call. The program
//! gets EINTR, but what the kernel's sys_exit shows is a restart code, -514; a tracer that takes
//! it for the answer is wrong. With a completion ready that is what comes back, and the handler
//! runs all the same. Mask and handler are as they were at the end.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-pgetevents-eintr");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-pgetevents-eintr", MFD_CLOEXEC));
    let mut iocb = pwrite(file.number(), 0xda7a_1c01);
    let iocbpp = [&raw mut iocb];
    let (mut event, deadline, now) = (IoEvent::default(), DEADLINE, NOW);
    let (interrupt, mut old) = (Sigaction::interrupt(0), Sigaction::default());
    let open = OPEN_MASK;
    let (blocked, mut old_mask) = (sigset(SIGUSR1), 0);
    let usig = aio_sigset((&raw const open, 8));
    let mut ctx = Context::default();
    let events = &raw mut event;
    let pid = call!(getpid() > 0) as usize;
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(rt_sigaction(SIGUSR1, &interrupt, Some(&mut old)) = 0);
        call!(rt_sigprocmask(SIG_BLOCK, &blocked, Some(&mut old_mask)) = 0);

        call!(kill(pid, SIGUSR1) = 0);
        call!(io_pgetevents(ctx.id, 1, 1, events, &raw const deadline, &raw const usig) = -EINTR);
        call!(kill(pid, SIGUSR1) = 0);
        call!(io_pgetevents(ctx.id, 1, 1, events, &raw const now, &raw const usig) = -EINTR);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        call!(kill(pid, SIGUSR1) = 0);
        call!(io_pgetevents(ctx.id, 1, 1, events, &raw const deadline, &raw const usig) = 1);
        completed!(io_pgetevents: event, iocb, 15);

        call!(rt_sigprocmask(SIG_SETMASK, &old_mask, None) = 0);
        call!(rt_sigaction(SIGUSR1, &old, None) = 0);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
