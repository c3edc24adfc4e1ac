//! aio-pgetevents-errors: fetches completions with wrong masks, times, numbers, addresses and
//! contexts.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-pgetevents-errors", MFD_CLOEXEC) = 3
//! io_setup(1, [ctx]) = 0
//! io_pgetevents(ctx, 1, 1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=&mask, sigsetsize=4}) = -1 EINVAL (Invalid argument)
//! io_pgetevents(NULL, 1, 1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=&mask, sigsetsize=16}) = -1 EINVAL (Invalid argument)
//! io_pgetevents(NULL, 1, 1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=0x401000, sigsetsize=16045690984232431614}) = -1 EINVAL (Invalid argument)
//! io_pgetevents(NULL, 1, 1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=0xffffffffffffffff, sigsetsize=8}) = -1 EFAULT (Bad address)
//! io_pgetevents(ctx, 1, 1, &event, {tv_sec=0, tv_nsec=0}, 0xffffffffffffffff) = -1 EFAULT (Bad address)
//! io_pgetevents(ctx, 1, 1, &event, 0xffffffffffffffff, {sigmask=[PIPE], sigsetsize=8}) = -1 EFAULT (Bad address)
//! io_pgetevents(NULL, 2, 1, NULL, 0xffffffffffffffff, 0xffffffffffffffff) = -1 EFAULT (Bad address)
//! io_pgetevents(NULL, 1, 1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = -1 EINVAL (Invalid argument)
//! io_pgetevents(0xface1e55deadbeef, 0, 0, NULL, {tv_sec=3735928559, tv_nsec=4207869677}, {sigmask=~[], sigsetsize=8}) = -1 EINVAL (Invalid argument)
//! io_pgetevents(0xface1e55deadbeef, 0, 0, NULL, {tv_sec=-3819351491602432273, tv_nsec=13464652301697220333}, {sigmask=[PIPE SYS], sigsetsize=8}) = -1 EINVAL (Invalid argument)
//! io_pgetevents(ctx, 2, 1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = -1 EINVAL (Invalid argument)
//! io_pgetevents(ctx, -1, 1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = -1 EINVAL (Invalid argument)
//! io_pgetevents(ctx, 1, -1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = -1 EINVAL (Invalid argument)
//! io_pgetevents(ctx, 0, 1, [], {tv_sec=0, tv_nsec=2000000000}, {sigmask=[PIPE], sigsetsize=8}) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1b01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_pgetevents(ctx, 1, 1, NULL, {tv_sec=0, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = -1 EFAULT (Bad address)
//! io_pgetevents(ctx, 1, 1, [{data=0xda7a1b01, obj=&iocb, res=15, res2=0}], {tv_sec=0, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = 1
//! io_destroy(ctx) = 0
//! io_pgetevents(ctx, 1, 1, &event, {tv_sec=0, tv_nsec=0}, {sigmask=[PIPE], sigsetsize=8}) = -1 EINVAL (Invalid argument)
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Waits for nothing, and loses nothing. The kernel reads the timeout first, then the mask, and
//! only then looks for the context.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-pgetevents-errors");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-pgetevents-errors", MFD_CLOEXEC));
    let mut iocb = pwrite(file.number(), 0xda7a_1b01);
    let iocbpp = [&raw mut iocb];
    let (mut event, now) = (IoEvent::default(), NOW);
    let (events, now) = (&raw mut event, &raw const now);
    let (mask, all, two) = (OPEN_MASK, u64::MAX, OPEN_MASK | sigset(SIGSYS));
    let guarded = guard() as *const u64;
    let mask = &raw const mask;
    let usig = [
        (mask, 4),
        (mask, 16),
        (bad(), 8),
        (guarded, 0xdead_beef_badc_affe),
        (mask, 8),
        (&raw const all, 8),
        (&raw const two, 8),
    ]
    .map(aio_sigset);
    let [short, long, nowhere, neither, right, close_all, close_two] = &usig;
    let (garbage, unnormalised) = (GARBAGE, UNNORMALISED);
    let [odd, odder] = garbage.each_ref().map(|time| &raw const *time);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_pgetevents(ctx.id, 1, 1, events, now, short) = -EINVAL);
        call!(io_pgetevents(0, 1, 1, events, now, long) = -EINVAL);
        call!(io_pgetevents(0, 1, 1, events, now, neither) = -EINVAL);
        call!(io_pgetevents(0, 1, 1, events, now, nowhere) = -EFAULT);
        call!(io_pgetevents(ctx.id, 1, 1, events, now, bad()) = -EFAULT);
        call!(io_pgetevents(ctx.id, 1, 1, events, bad(), right) = -EFAULT);
        call!(io_pgetevents(0, 2, 1, null_mut(), bad(), bad()) = -EFAULT);
        call!(io_pgetevents(0, 1, 1, events, now, right) = -EINVAL);
        call!(io_pgetevents(0xface_1e55_dead_beef, 0, 0, null_mut(), odd, close_all) = -EINVAL);
        call!(io_pgetevents(0xface_1e55_dead_beef, 0, 0, null_mut(), odder, close_two) = -EINVAL);
        call!(io_pgetevents(ctx.id, 2, 1, events, now, right) = -EINVAL);
        call!(io_pgetevents(ctx.id, -1, 1, events, now, right) = -EINVAL);
        call!(io_pgetevents(ctx.id, 1, -1, events, now, right) = -EINVAL);
        call!(io_pgetevents(ctx.id, 0, 1, events, &raw const unnormalised, right) = 0);

        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        call!(io_pgetevents(ctx.id, 1, 1, null_mut(), now, right) = -EFAULT);
        call!(io_pgetevents(ctx.id, 1, 1, events, now, right) = 1);
        completed!(io_pgetevents: event, iocb, 15);
    }
    let gone = ctx.id;
    call!(io_destroy(ctx.release()) = 0);
    // SAFETY: without a context the kernel writes nothing.
    unsafe { call!(io_pgetevents(gone, 1, 1, events, now, right) = -EINVAL) };
    call!(close(file.release()) = 0);
    Ok(())
}
