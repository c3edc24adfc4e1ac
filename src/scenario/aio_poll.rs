//! aio-poll: polls what is ready, polls a pipe until it is, and submits invalid polls.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-poll", MFD_CLOEXEC) = 3
//! pipe2([4, 5], O_CLOEXEC) = 0
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1101, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN|POLLOUT}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1101, obj=&iocb, res=5, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1102, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=5, aio_buf=POLLOUT}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1102, obj=&iocb, res=4, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1103, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4, aio_buf=POLLIN}]) = 1
//! io_getevents(ctx, 1, 1, [], {tv_sec=0, tv_nsec=0}) = 0
//! write(5, "ior-aio-submit\n", 15) = 15
//! io_getevents(ctx, 1, 1, [{data=0xda7a1103, obj=&iocb, res=65, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1103, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4, aio_buf=POLLIN}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a1104, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4, aio_buf=POLLIN}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a1105, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4, aio_buf=0x10000 /* POLL??? */}]) = -1 EINVAL (Invalid argument)
//! io_destroy(ctx) = 0
//! close(4) = 0
//! close(5) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Waits for one event, which its own write brings about while the poll is pending. A file is
//! always ready.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-poll");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-poll", MFD_CLOEXEC));
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let mut iocb = poll(file.number(), 0xda7a_1101, POLLIN | POLLOUT);
    let mut iocbpp;
    let (mut event, deadline, now) = (IoEvent::default(), DEADLINE, NOW);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb` and `event`, room for the one completion
    // that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 5); // POLLIN, POLLOUT
        iocb = poll(writer.number(), 0xda7a_1102, POLLOUT);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 4); // POLLOUT

        iocb = poll(reader.number(), 0xda7a_1103, POLLIN);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        call!(io_getevents(ctx.id, 1, 1, &raw mut event, &raw const now) = 0);
        call!(write(writer.number(), PAYLOAD) = 15);
        reaped!(ctx, deadline, event, iocb, 65); // POLLIN, POLLRDNORM

        iocb.aio_nbytes = 1;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = poll(reader.number(), 0xda7a_1104, POLLIN);
        iocb.aio_offset = 1;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = poll(reader.number(), 0xda7a_1105, 0x1_0000); // masks have 16 bits
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(reader.release()) = 0);
    call!(close(writer.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
