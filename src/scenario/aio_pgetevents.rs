//! aio-pgetevents: fetches a completion under another signal mask, and none with every way to leave
//! the mask alone.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-pgetevents", MFD_CLOEXEC) = 3
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1a01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_pgetevents(ctx, 1, 1, [{data=0xda7a1a01, obj=&iocb, res=15, res2=0}], {tv_sec=10, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = 1
//! io_pgetevents(ctx, 1, 1, [], {tv_sec=0, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = 0
//! io_pgetevents(ctx, 1, 1, [], {tv_sec=0, tv_nsec=0}, NULL) = 0
//! io_pgetevents(ctx, 1, 1, [], {tv_sec=0, tv_nsec=0}, {sigmask=NULL, sigsetsize=0}) = 0
//! io_pgetevents(ctx, 1, 1, [], {tv_sec=0, tv_nsec=0}, {sigmask=NULL, sigsetsize=99}) = 0
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Waits for nothing, and no signal comes. Podman's default seccomp profile denies this call, and
//! gVisor doesn't have it: exit code 77.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-pgetevents");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-pgetevents", MFD_CLOEXEC));
    let mut iocb = pwrite(file.number(), 0xda7a_1a01);
    let iocbpp = [&raw mut iocb];
    let (mut event, deadline, now) = (IoEvent::default(), DEADLINE, NOW);
    let (events, now) = (&raw mut event, &raw const now);
    let mask = OPEN_MASK;
    let usig = [(&raw const mask, 8), (null(), 0), (null(), 99)].map(aio_sigset);
    let [open, none, none_of_99] = &usig;
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        call!(io_pgetevents(ctx.id, 1, 1, events, &raw const deadline, open) = 1);
        completed!(io_pgetevents: event, iocb, 15);
        call!(io_pgetevents(ctx.id, 1, 1, events, now, open) = 0);
        call!(io_pgetevents(ctx.id, 1, 1, events, now, null()) = 0);
        call!(io_pgetevents(ctx.id, 1, 1, events, now, none) = 0);
        call!(io_pgetevents(ctx.id, 1, 1, events, now, none_of_99) = 0);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
