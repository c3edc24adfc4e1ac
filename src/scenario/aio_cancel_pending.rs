//! aio-cancel-pending: cancels pending polls: once, twice, without a place for a result, and of a
//! closed descriptor.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! pipe2([3, 4], O_CLOEXEC) = 0
//! io_setup(2, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1901, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}]) = 1
//! io_cancel(ctx, {aio_data=0xda7a1901, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3}, &result) = -1 EINPROGRESS (Operation now in progress)
//! io_cancel(ctx, {aio_data=0xda7a1901, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3}, &result) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 1, 1, [{data=0xda7a1901, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1902, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}]) = 1
//! io_cancel(ctx, {aio_data=0xda7a1902, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3}, NULL) = -1 EINPROGRESS (Operation now in progress)
//! io_getevents(ctx, 1, 1, [{data=0xda7a1902, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 2, [{aio_data=0xda7a1903, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}, {aio_data=0xda7a1903, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}]) = 2
//! io_cancel(ctx, {aio_data=0xda7a1903, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3}, &result) = -1 EINPROGRESS (Operation now in progress)
//! io_cancel(ctx, {aio_data=0xda7a1903, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3}, &result) = -1 EINPROGRESS (Operation now in progress)
//! io_cancel(ctx, {aio_data=0xda7a1903, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3}, &result) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 2, 2, [{data=0xda7a1903, obj=&iocb, res=0, res2=0}, {data=0xda7a1903, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 2
//! io_submit(ctx, 1, [{aio_data=0xda7a1904, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}]) = 1
//! close(3) = 0
//! io_getevents(ctx, 0, 1, [], {tv_sec=0, tv_nsec=0}) = 0
//! io_cancel(ctx, {aio_data=0xda7a1904, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3}, &result) = -1 EINPROGRESS (Operation now in progress)
//! io_getevents(ctx, 1, 1, [{data=0xda7a1904, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_destroy(ctx) = 0
//! close(4) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Writes no result: the kernel answers EINPROGRESS, leaves the place alone, and hands the
//! completion over as any other. It comes from a worker of the kernel, and is waited for. A
//! request keeps its file when the descriptor is closed.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-cancel-pending");

fn run() -> Outcome {
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let mut iocb = poll(reader.number(), 0xda7a_1901, POLLIN);
    let (mut one, twice);
    let (mut event, mut events) = (IoEvent::default(), [IoEvent::default(); 2]);
    let mut result = IoEvent {
        data: 0xda7a_19ff,
        ..event
    };
    let (deadline, now) = (DEADLINE, NOW);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, the lists, `iocb`, `event`, `events` and `result`, room for
    // all completions that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(2, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut result) = -EINPROGRESS);
        field!(io_cancel: result.data = 0xda7a_19ff);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut result) = -EINVAL);
        reaped!(ctx, deadline, event, iocb, 0);

        iocb.aio_data = 0xda7a_1902;
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        call!(io_cancel(ctx.id, &raw const iocb, null_mut()) = -EINPROGRESS);
        reaped!(ctx, deadline, event, iocb, 0);

        iocb.aio_data = 0xda7a_1903;
        call!(io_submit(ctx.id, 2, list!(twice: iocb, iocb)) = 2);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut result) = -EINPROGRESS);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut result) = -EINPROGRESS);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut result) = -EINVAL);
        call!(io_getevents(ctx.id, 2, 2, (&raw mut events).cast(), &raw const deadline) = 2);
        completed!(events[0], iocb, 0);
        completed!(events[1], iocb, 0);

        iocb.aio_data = 0xda7a_1904;
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        call!(close(reader.release()) = 0);
        call!(io_getevents(ctx.id, 0, 1, &raw mut event, &raw const now) = 0);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut result) = -EINPROGRESS);
        reaped!(ctx, deadline, event, iocb, 0);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(writer.release()) = 0);
    Ok(())
}
