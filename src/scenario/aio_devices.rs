//! aio-devices: writes /dev/null, reads it and /dev/zero, and polls and flushes /dev/null.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! openat(AT_FDCWD, "/dev/null", O_RDWR|O_CLOEXEC) = 3
//! openat(AT_FDCWD, "/dev/zero", O_RDWR|O_CLOEXEC) = 4
//! io_setup(2, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1301, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1301, obj=&iocb, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1302, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=&buf, aio_nbytes=16, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1302, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 2, [{aio_data=0xfeedface11111111, aio_lio_opcode=IOCB_CMD_PREAD, aio_reqprio=11, aio_fildes=4, aio_buf=&buf, aio_nbytes=16, aio_offset=244837814046993}, {aio_data=0xfeedface22222222, aio_lio_opcode=IOCB_CMD_PREAD, aio_reqprio=22, aio_fildes=4, aio_buf=&other, aio_nbytes=8, aio_offset=244837814051362}]) = 2
//! io_getevents(ctx, 2, 3, [{data=0xfeedface11111111, obj=&iocb, res=16, res2=0}, {data=0xfeedface22222222, obj=&second, res=8, res2=0}], {tv_sec=10, tv_nsec=0}) = 2
//! io_submit(ctx, 1, [{aio_data=0xda7a1303, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1303, obj=&iocb, res=1, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1304, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=0}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a1304, aio_lio_opcode=IOCB_CMD_FSYNC, aio_fildes=3}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 2, [{aio_data=0xda7a1305, aio_lio_opcode=IOCB_CMD_PREADV, aio_fildes=4, aio_buf=[{iov_base=&buf, iov_len=8}, {iov_base=&other, iov_len=8}], aio_offset=0}, {aio_data=0xda7a1306, aio_lio_opcode=IOCB_CMD_PREADV, aio_fildes=4, aio_buf=[{iov_base=&buf, iov_len=8}, {iov_base=&other, iov_len=8}], aio_offset=0}]) = 2
//! io_destroy(ctx) = 0
//! close(4) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Does not run where there is no /dev: it is the one scenario that needs two files it has not
//! made. There it ends with 77, by openat.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-devices");

fn run() -> Outcome {
    let null = fd!(openat(AT_FDCWD, c"/dev/null", O_RDWR | O_CLOEXEC, 0));
    let zero = fd!(openat(AT_FDCWD, c"/dev/zero", O_RDWR | O_CLOEXEC, 0));
    let (mut buf, mut other) = ([0xff_u8; 16], [0xff_u8; 8]);
    let iov = [&raw mut buf as u64, &raw mut other as u64].map(|iov_base| Iovec {
        iov_base,
        iov_len: 8,
    });
    let mut iocb = pwrite(null.number(), 0xda7a_1301);
    let mut second = pread(zero.number(), 0xfeed_face_2222_2222, &raw mut other, 8);
    let (mut one, mut both);
    let (mut event, mut events) = (IoEvent::default(), [IoEvent::default(); 3]);
    let deadline = DEADLINE;
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, the lists, the requests, PAYLOAD, `buf`, `other`, `iov`,
    // `event` and `events`, room for all completions that can come. They outlive the context, the
    // first to go.
    unsafe {
        call!(io_setup(2, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 15);
        iocb = pread(null.number(), 0xda7a_1302, &raw mut buf, 16);
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 0);

        iocb = pread(zero.number(), 0xfeed_face_1111_1111, &raw mut buf, 16);
        (iocb.aio_reqprio, iocb.aio_offset) = (11, 0xdead_beef_1111);
        (second.aio_reqprio, second.aio_offset) = (22, 0xdead_beef_2222);
        call!(io_submit(ctx.id, 2, list!(both: iocb, second)) = 2);
        call!(io_getevents(ctx.id, 2, 3, (&raw mut events).cast(), &raw const deadline) = 2);
        completed!(events[0], iocb, 16);
        completed!(events[1], second, 8);
        bytes!(io_getevents: buf => [0; 16]);
        bytes!(io_getevents: other => [0; 8]);

        iocb = poll(null.number(), 0xda7a_1303, POLLIN);
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 1); // POLLIN
        iocb = poll(null.number(), 0xda7a_1304, 0);
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = -EINVAL);
        iocb.aio_lio_opcode = IOCB_CMD_FSYNC;
        call!(io_submit(ctx.id, 1, list!(one: iocb)) = -EINVAL);

        iocb = pread(zero.number(), 0xda7a_1305, &raw mut buf, 16);
        iocb.aio_lio_opcode = IOCB_CMD_PREADV;
        (iocb.aio_buf, iocb.aio_nbytes) = (&raw const iov as u64, 2);
        second = iocb;
        second.aio_data = 0xda7a_1306;
        call!(io_submit(ctx.id, 2, list!(both: iocb, second)) = 2);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(zero.release()) = 0);
    call!(close(null.release()) = 0);
    Ok(())
}
