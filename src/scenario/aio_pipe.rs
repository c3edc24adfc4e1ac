//! aio-pipe: writes to a pipe and reads from it, waits for what the same list writes, and sees the
//! writer close it.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! pipe2([3, 4], O_CLOEXEC) = 0
//! io_setup(2, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1001, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=4, aio_buf="ior", aio_nbytes=3, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1001, obj=&iocb, res=3, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1002, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=&buf, aio_nbytes=16, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1002, obj=&iocb, res=3, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 2, [{aio_data=0xda7a1003, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}, {aio_data=0xda7a1004, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=4, aio_buf="i", aio_nbytes=1, aio_offset=0}]) = 2
//! io_getevents(ctx, 2, 2, [{data=0xda7a1003, obj=&waits, res=65, res2=0}, {data=0xda7a1004, obj=&iocb, res=1, res2=0}], {tv_sec=10, tv_nsec=0}) = 2
//! io_submit(ctx, 1, [{aio_data=0xda7a1005, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=&buf, aio_nbytes=1, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1005, obj=&iocb, res=1, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1006, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}]) = 1
//! close(4) = 0
//! io_getevents(ctx, 1, 1, [{data=0xda7a1006, obj=&iocb, res=16, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Blocks nowhere, though io_submit would, in a read of an empty pipe.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-pipe");

fn run() -> Outcome {
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let mut buf = [0_u8; 16];
    let mut iocb = pwrite(writer.number(), 0xda7a_1001);
    let mut waits = poll(reader.number(), 0xda7a_1003, POLLIN);
    let (mut one, both);
    let (mut events, deadline) = ([IoEvent::default(); 2], DEADLINE);
    let mut event = events[0];
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, the lists, the requests, PAYLOAD, `buf`, `event` and
    // `events`, room for all completions that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(2, &raw mut ctx.id) = 0);
        iocb.aio_nbytes = 3;
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 3);
        iocb = pread(reader.number(), 0xda7a_1002, &raw mut buf, 16);
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 3);
        bytes!(io_getevents: buf => PAYLOAD[..3]);

        iocb = pwrite(writer.number(), 0xda7a_1004);
        iocb.aio_nbytes = 1;
        call!(io_submit(ctx.id, 2, list!(both: waits, iocb)) = 2);
        call!(io_getevents(ctx.id, 2, 2, (&raw mut events).cast(), &raw const deadline) = 2);
        completed!(events[0], waits, 65); // POLLIN, POLLRDNORM
        completed!(events[1], iocb, 1);
        iocb = pread(reader.number(), 0xda7a_1005, &raw mut buf, 1);
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 1);

        iocb = poll(reader.number(), 0xda7a_1006, POLLIN);
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        call!(close(writer.release()) = 0);
        reaped!(ctx, deadline, event, iocb, 16); // POLLHUP
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(reader.release()) = 0);
    Ok(())
}
