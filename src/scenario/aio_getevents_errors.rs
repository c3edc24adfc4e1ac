//! aio-getevents-errors: fetches completions of wrong contexts, with wrong numbers and to wrong
//! addresses.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-getevents-errors", MFD_CLOEXEC) = 3
//! io_setup(1, [ctx]) = 0
//! io_getevents(NULL, 0, 0, NULL, NULL) = -1 EINVAL (Invalid argument)
//! io_getevents(0xface1e55deadbeef, 0, 0, NULL, {tv_sec=3735928559, tv_nsec=4207869677}) = -1 EINVAL (Invalid argument)
//! io_getevents(0xface1e55deadbeef, 0, 0, NULL, {tv_sec=-3819351491602432273, tv_nsec=13464652301697220333}) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 0, 1, [], {tv_sec=0, tv_nsec=2000000000}) = 0
//! io_getevents(NULL, 1, 1, &event, 0xffffffffffffffff) = -1 EFAULT (Bad address)
//! io_getevents(ctx, 1, 1, &event, 0xffffffffffffffff) = -1 EFAULT (Bad address)
//! io_getevents(ctx, 1, 1, &event, 0x401000) = -1 EFAULT (Bad address)
//! io_getevents(ctx, 2, 1, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 1, 0, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, -1, 0, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, -1, 1, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 0, -1, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 1, -1, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 0, 9223372036854775807, [], {tv_sec=0, tv_nsec=0}) = 0
//! io_getevents(ctx, 1, 1, NULL, {tv_sec=0, tv_nsec=0}) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1501, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, NULL, {tv_sec=0, tv_nsec=0}) = -1 EFAULT (Bad address)
//! io_getevents(ctx, 1, 1, 0x401000, {tv_sec=0, tv_nsec=0}) = -1 EFAULT (Bad address)
//! io_getevents(ctx, 1, 8, [{data=0xda7a1501, obj=&iocb, res=15, res2=0}], {tv_sec=0, tv_nsec=0}) = 1
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Waits for nothing, and loses nothing: a completion that can't be handed over stays. The kernel
//! reads the timeout before it looks for the context; the place for completions matters only when
//! there is one.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-getevents-errors");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-getevents-errors", MFD_CLOEXEC));
    let mut iocb = pwrite(file.number(), 0xda7a_1501);
    let iocbpp = [&raw mut iocb];
    let (mut event, now) = (IoEvent::default(), NOW);
    let (events, now) = (&raw mut event, &raw const now);
    let (garbage, unnormalised) = (GARBAGE, UNNORMALISED);
    let [odd, odder] = garbage.each_ref().map(|time| &raw const *time);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_getevents(0, 0, 0, null_mut(), null()) = -EINVAL);
        call!(io_getevents(0xface_1e55_dead_beef, 0, 0, null_mut(), odd) = -EINVAL);
        call!(io_getevents(0xface_1e55_dead_beef, 0, 0, null_mut(), odder) = -EINVAL);
        call!(io_getevents(ctx.id, 0, 1, events, &raw const unnormalised) = 0);
        call!(io_getevents(0, 1, 1, events, bad()) = -EFAULT);
        call!(io_getevents(ctx.id, 1, 1, events, bad()) = -EFAULT);
        call!(io_getevents(ctx.id, 1, 1, events, guard() as *const Timespec) = -EFAULT);
        call!(io_getevents(ctx.id, 2, 1, events, now) = -EINVAL);
        call!(io_getevents(ctx.id, 1, 0, events, now) = -EINVAL);
        call!(io_getevents(ctx.id, -1, 0, events, now) = -EINVAL);
        call!(io_getevents(ctx.id, -1, 1, events, now) = -EINVAL);
        call!(io_getevents(ctx.id, 0, -1, events, now) = -EINVAL);
        call!(io_getevents(ctx.id, 1, -1, events, now) = -EINVAL);
        call!(io_getevents(ctx.id, 0, i64::MAX, events, now) = 0);
        call!(io_getevents(ctx.id, 1, 1, null_mut(), now) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        call!(io_getevents(ctx.id, 1, 1, null_mut(), now) = -EFAULT);
        call!(io_getevents(ctx.id, 1, 1, guard() as *mut IoEvent, now) = -EFAULT);
        call!(io_getevents(ctx.id, 1, 8, events, now) = 1);
    }
    completed!(event, iocb, 15);
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
