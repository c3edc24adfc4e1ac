//! aio-eventfd: counts completions on an eventfd, of a write and of a cancelled poll, and reads and
//! writes an eventfd itself.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-eventfd", MFD_CLOEXEC) = 3
//! pipe2([4, 5], O_CLOEXEC) = 0
//! eventfd2(0, EFD_CLOEXEC|EFD_NONBLOCK) = 6
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1201, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0, aio_flags=IOCB_FLAG_RESFD, aio_resfd=6}]) = 1
//! ppoll([{fd=6, events=POLLIN}], 1, {tv_sec=10, tv_nsec=0}, NULL, 0) = 1 ([{fd=6, revents=POLLIN}], left {tv_sec=rest, tv_nsec=rest})
//! read(6, "\1\0\0\0\0\0\0\0", 8) = 8
//! io_getevents(ctx, 1, 1, [{data=0xda7a1201, obj=&iocb, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1202, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4, aio_buf=POLLIN, aio_flags=IOCB_FLAG_RESFD, aio_resfd=6}]) = 1
//! io_cancel(ctx, {aio_data=0xda7a1202, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=4}, &event) = -1 EINPROGRESS (Operation now in progress)
//! ppoll([{fd=6, events=POLLIN}], 1, {tv_sec=10, tv_nsec=0}, NULL, 0) = 1 ([{fd=6, revents=POLLIN}], left {tv_sec=rest, tv_nsec=rest})
//! read(6, "\1\0\0\0\0\0\0\0", 8) = 8
//! io_getevents(ctx, 1, 1, [{data=0xda7a1202, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1203, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=6, aio_buf=&buf, aio_nbytes=8, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1203, obj=&iocb, res=-11, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1203, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=6, aio_buf="\1\0\0\0\0\0\0\0", aio_nbytes=8, aio_offset=0}]) = -1 EINVAL (Invalid argument)
//! io_destroy(ctx) = 0
//! close(6) = 0
//! close(4) = 0
//! close(5) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Takes the count before the completion, as a program with a poll loop does: the kernel puts the
//! completion into the ring first. An eventfd can be read by AIO and not written.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-eventfd");

/// Waits until `eventfd` counts, and takes the count, which must be 1.
#[inline(always)]
fn counted(fds: &mut Pollfd, time: &mut Timespec, count: &mut [u8; 8]) -> Result<(), Failure> {
    *time = DEADLINE;
    call!(ppoll(fds, time) = 1);
    call!(read(fds.fd, count) = 8);
    bytes!(read: count => 1_u64.to_ne_bytes());
    Ok(())
}

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-eventfd", MFD_CLOEXEC));
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let eventfd = fd!(eventfd2(0, O_CLOEXEC | O_NONBLOCK));
    let mut count = [0; 8];
    let (mut time, mut waits) = (DEADLINE, Pollfd::default());
    (waits.fd, waits.events) = (eventfd.number(), POLLIN as i16);
    let mut iocb = pwrite(file.number(), 0xda7a_1201);
    let mut iocbpp;
    let (mut event, deadline) = (IoEvent::default(), DEADLINE);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD, `count` and `event`, room for
    // the one completion that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        iocb.aio_flags = IOCB_FLAG_RESFD;
        iocb.aio_resfd = eventfd.number();
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        counted(&mut waits, &mut time, &mut count)?; // ppoll, read
        reaped!(ctx, deadline, event, iocb, 15);

        iocb = poll(reader.number(), 0xda7a_1202, POLLIN);
        iocb.aio_flags = IOCB_FLAG_RESFD;
        iocb.aio_resfd = eventfd.number();
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut event) = -EINPROGRESS);
        counted(&mut waits, &mut time, &mut count)?; // ppoll, read
        reaped!(ctx, deadline, event, iocb, 0);

        iocb = pread(eventfd.number(), 0xda7a_1203, &raw mut count, 8);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, -EAGAIN);
        iocb.aio_lio_opcode = IOCB_CMD_PWRITE;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(eventfd.release()) = 0);
    call!(close(reader.release()) = 0);
    call!(close(writer.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
