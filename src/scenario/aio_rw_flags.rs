//! aio-rw-flags: appends to a file, writes through to the disk, and reads an empty pipe without
//! waiting.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-rw-flags", MFD_CLOEXEC) = 3
//! pipe2([4, 5], O_CLOEXEC) = 0
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0e01, aio_rw_flags=RWF_APPEND, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-", aio_nbytes=4, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0e01, obj=&iocb, res=4, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0e02, aio_rw_flags=RWF_APPEND, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="aio-", aio_nbytes=4, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0e02, obj=&iocb, res=4, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0e03, aio_rw_flags=RWF_DSYNC, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="subm", aio_nbytes=4, aio_offset=8}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0e03, obj=&iocb, res=4, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0e04, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=&buf, aio_nbytes=16, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0e04, obj=&iocb, res=12, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0e05, aio_rw_flags=RWF_NOWAIT, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=4, aio_buf=&buf, aio_nbytes=16, aio_offset=0}]) = 1
//! io_getevents(ctx, 0, 1, [{data=0xda7a0e05, obj=&iocb, res=-11, res2=0}], NULL) = 1
//! io_destroy(ctx) = 0
//! close(4) = 0
//! close(5) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Waits for nothing. The last read is what kernels differ in: up to 6.1 a pipe knows no
//! RWF_NOWAIT, and io_submit answers EOPNOTSUPP; from 6.12 on it takes the request, and its
//! completion says EAGAIN. The calls are the same.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-rw-flags");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-rw-flags", MFD_CLOEXEC));
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let mut buf = [0_u8; 16];
    let mut iocb = pwrite(file.number(), 0xda7a_0e01);
    let mut iocbpp;
    let (mut event, deadline) = (IoEvent::default(), DEADLINE);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD, `buf` and `event`, room for the
    // one completion that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        iocb.aio_nbytes = 4;
        iocb.aio_rw_flags = RWF_APPEND;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 4);
        iocb.aio_data = 0xda7a_0e02;
        iocb.aio_buf += 4;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 4);

        iocb.aio_data = 0xda7a_0e03;
        iocb.aio_buf += 4;
        iocb.aio_offset = 8;
        iocb.aio_rw_flags = RWF_DSYNC;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 4);

        iocb = pread(file.number(), 0xda7a_0e04, &raw mut buf, 16);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 12);
        bytes!(io_getevents: buf => PAYLOAD[..12]);

        iocb = pread(reader.number(), 0xda7a_0e05, &raw mut buf, 16);
        iocb.aio_rw_flags = RWF_NOWAIT;
        let taken = call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = [1, -EOPNOTSUPP]);
        if taken == 1 {
            call!(io_getevents(ctx.id, 0, 1, &raw mut event, null()) = 1);
            completed!(event, iocb, -EAGAIN);
        } else {
            call!(io_getevents(ctx.id, 0, 1, &raw mut event, null()) = 0);
        }
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(reader.release()) = 0);
    call!(close(writer.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
