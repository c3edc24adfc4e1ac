//! aio-cancel-errors: tries to cancel requests that do not exist, are not pending, or are named in
//! a wrong way.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-cancel-errors", MFD_CLOEXEC) = 3
//! pipe2([4, 5], O_CLOEXEC) = 0
//! io_setup(1, [ctx]) = 0
//! io_setup(1, [ctx2]) = 0
//! io_cancel(NULL, NULL, NULL) = -1 EFAULT (Bad address)
//! io_cancel(ctx, NULL, &event) = -1 EFAULT (Bad address)
//! io_cancel(ctx, 0x401000, &event) = -1 EFAULT (Bad address)
//! io_cancel(NULL, {aio_data=0xda7a1803, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=-42}, &event) = -1 EINVAL (Invalid argument)
//! io_cancel(0xface1e55deadbeef, {aio_data=0xda7a1803, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=-42}, &event) = -1 EINVAL (Invalid argument)
//! io_cancel(ctx, {aio_data=0xda7a1803, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=-42}, &event) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a1801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1801, obj=&write, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_cancel(ctx, {aio_data=0xda7a1801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3}, &event) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a1802, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4, aio_buf=POLLIN}]) = 1
//! io_cancel(ctx2, {aio_data=0xda7a1802, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4}, &event) = -1 EINVAL (Invalid argument)
//! io_cancel(ctx, {aio_data=0xda7a1802, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4}, &event) = -1 EINVAL (Invalid argument)
//! io_cancel(ctx, {aio_data=0xda7a1802, aio_key=7, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4}, &event) = -1 EINVAL (Invalid argument)
//! io_cancel(ctx, {aio_data=0xda7a1802, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4}, &event) = -1 EINPROGRESS (Operation now in progress)
//! io_getevents(ctx, 1, 1, [{data=0xda7a1802, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_destroy(ctx2) = 0
//! io_destroy(ctx) = 0
//! close(4) = 0
//! close(5) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Cancels nothing until the end, when it is asked for in the right way. The kernel reads aio_key
//! before it looks for the context, and knows a request by the address of its iocb.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-cancel-errors");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-cancel-errors", MFD_CLOEXEC));
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let mut write = pwrite(file.number(), 0xda7a_1801);
    let mut iocb = poll(reader.number(), 0xda7a_1802, POLLIN);
    let (copy, never) = (iocb, poll(-42_i32 as u32, 0xda7a_1803, POLLIN));
    let mut iocbpp;
    let (mut event, deadline) = (IoEvent::default(), DEADLINE);
    let result = &raw mut event;
    let (mut ctx, mut other) = (Context::default(), Context::default());
    // SAFETY: the kernel works on `ctx`, `other`, `iocbpp`, the requests, PAYLOAD and `event`, room
    // for the one completion that can come. They outlive the contexts, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_setup(1, &raw mut other.id) = 0);
        call!(io_cancel(0, null(), null_mut()) = -EFAULT);
        call!(io_cancel(ctx.id, null(), result) = -EFAULT);
        call!(io_cancel(ctx.id, guard() as *const Iocb, result) = -EFAULT);
        call!(io_cancel(0, &raw const never, result) = -EINVAL);
        call!(io_cancel(0xface_1e55_dead_beef, &raw const never, result) = -EINVAL);
        call!(io_cancel(ctx.id, &raw const never, result) = -EINVAL);

        call!(io_submit(ctx.id, 1, list!(iocbpp: write)) = 1);
        reaped!(ctx, deadline, event, write, 15);
        call!(io_cancel(ctx.id, &raw const write, result) = -EINVAL);

        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        call!(io_cancel(other.id, &raw const iocb, result) = -EINVAL);
        call!(io_cancel(ctx.id, &raw const copy, result) = -EINVAL);
        iocb.aio_key = 7; // io_submit has written 0
        call!(io_cancel(ctx.id, &raw const iocb, result) = -EINVAL);
        iocb.aio_key = 0;
        call!(io_cancel(ctx.id, &raw const iocb, result) = -EINPROGRESS);
        reaped!(ctx, deadline, event, iocb, 0);
    }
    call!(io_destroy(other.release()) = 0);
    call!(io_destroy(ctx.release()) = 0);
    call!(close(reader.release()) = 0);
    call!(close(writer.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
