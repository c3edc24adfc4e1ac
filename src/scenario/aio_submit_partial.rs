//! aio-submit-partial: submits lists with a wrong request at the start, in the middle and at the
//! end, and one with a request twice.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-submit-partial", MFD_CLOEXEC) = 3
//! io_setup(3, [ctx]) = 0
//! io_submit(ctx, 3, [{aio_data=0xda7a0a01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a0a03, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=-1, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a0a02, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 3, [{data=0xda7a0a01, obj=&good, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 3, [{aio_data=0xda7a0a01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a0a02, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, NULL]) = 2
//! io_getevents(ctx, 1, 3, [{data=0xda7a0a01, obj=&good, res=15, res2=0}, {data=0xda7a0a02, obj=&also_good, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 2
//! io_submit(ctx, 2, [{aio_data=0xda7a0a03, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=-1, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a0a01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EBADF (Bad file descriptor)
//! io_submit(ctx, 2, [{aio_data=0xda7a0a01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a0a01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 2
//! io_getevents(ctx, 1, 3, [{data=0xda7a0a01, obj=&good, res=15, res2=0}, {data=0xda7a0a01, obj=&good, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 2
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Repeats nothing: io_submit stops at the first request that it refuses, and tells its error only
//! if none was taken before.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-submit-partial");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-submit-partial", MFD_CLOEXEC));
    let mut good = pwrite(file.number(), 0xda7a_0a01);
    let mut also_good = pwrite(file.number(), 0xda7a_0a02);
    let mut wrong = pwrite(u32::MAX, 0xda7a_0a03);
    let middle = [&raw mut good, &raw mut wrong, &raw mut also_good];
    let end = [&raw mut good, &raw mut also_good, null_mut()];
    let start = [&raw mut wrong, &raw mut good];
    let twice = [&raw mut good, &raw mut good];
    let (mut events, deadline) = ([IoEvent::default(); 3], DEADLINE);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, the lists, the requests, PAYLOAD and `events`, room for all
    // completions of a list. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(3, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 3, middle.as_ptr()) = 1);
        call!(io_getevents(ctx.id, 1, 3, (&raw mut events).cast(), &raw const deadline) = 1);
        completed!(events[0], good, 15);

        call!(io_submit(ctx.id, 3, end.as_ptr()) = 2);
        call!(io_getevents(ctx.id, 1, 3, (&raw mut events).cast(), &raw const deadline) = 2);
        completed!(events[0], good, 15);
        completed!(events[1], also_good, 15);

        call!(io_submit(ctx.id, 2, start.as_ptr()) = -EBADF);
        call!(io_submit(ctx.id, 2, twice.as_ptr()) = 2);
        call!(io_getevents(ctx.id, 1, 3, (&raw mut events).cast(), &raw const deadline) = 2);
        completed!(events[0], good, 15);
        completed!(events[1], good, 15);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
