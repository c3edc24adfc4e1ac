//! aio-fsync: flushes a file with and without its metadata, tries to cancel that, and flushes what
//! can't be flushed.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! openat(AT_FDCWD, "/tmp/ioworkload-aio-fsync", O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = 3
//! pipe2([4, 5], O_CLOEXEC) = 0
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0f01, aio_lio_opcode=IOCB_CMD_FSYNC, aio_fildes=3}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0f01, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0f02, aio_lio_opcode=IOCB_CMD_FDSYNC, aio_fildes=3}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0f02, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0f03, aio_lio_opcode=IOCB_CMD_FSYNC, aio_fildes=3}]) = 1
//! io_cancel(ctx, {aio_data=0xda7a0f03, aio_lio_opcode=IOCB_CMD_FSYNC, aio_fildes=3}, &event) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 1, 1, [{data=0xda7a0f03, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0f03, aio_lio_opcode=IOCB_CMD_FSYNC, aio_fildes=5}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0f04, aio_lio_opcode=IOCB_CMD_FSYNC, aio_fildes=3}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0f05, aio_lio_opcode=IOCB_CMD_FDSYNC, aio_fildes=3}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0f06, aio_lio_opcode=IOCB_CMD_FSYNC, aio_fildes=3}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0f07, aio_rw_flags=RWF_DSYNC, aio_lio_opcode=IOCB_CMD_FDSYNC, aio_fildes=3}]) = -1 EINVAL (Invalid argument)
//! io_destroy(ctx) = 0
//! close(4) = 0
//! close(5) = 0
//! close(3) = 0
//! unlinkat(AT_FDCWD, "/tmp/ioworkload-aio-fsync", 0) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Writes nothing. A flush is done by a worker of the kernel, and can't be cancelled while it
//! waits: io_cancel answers EINVAL whether it is complete or not. Its completion is waited for.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, `fs.aio-max-nr` is used up, or no file can be made in /tmp.

use crate::story::*;

scenario!("aio-fsync");

fn run() -> Outcome {
    let target = Target::create(TARGET)?; // openat
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let fsync = |opcode, data| Iocb {
        aio_data: data,
        aio_lio_opcode: opcode,
        aio_fildes: target.fd(),
        ..Iocb::default()
    };
    let mut iocb = fsync(IOCB_CMD_FSYNC, 0xda7a_0f01);
    let mut iocbpp;
    let (mut event, deadline) = (IoEvent::default(), DEADLINE);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb` and `event`, room for the one completion
    // that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 0);
        iocb = fsync(IOCB_CMD_FDSYNC, 0xda7a_0f02);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 0);
        iocb = fsync(IOCB_CMD_FSYNC, 0xda7a_0f03);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut event) = -EINVAL);
        reaped!(ctx, deadline, event, iocb, 0);

        iocb.aio_fildes = writer.number();
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = fsync(IOCB_CMD_FSYNC, 0xda7a_0f04);
        iocb.aio_buf = 1;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = fsync(IOCB_CMD_FDSYNC, 0xda7a_0f05);
        iocb.aio_nbytes = 1;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = fsync(IOCB_CMD_FSYNC, 0xda7a_0f06);
        iocb.aio_offset = 1;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = fsync(IOCB_CMD_FDSYNC, 0xda7a_0f07);
        iocb.aio_rw_flags = RWF_DSYNC;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(reader.release()) = 0);
    call!(close(writer.release()) = 0);
    target.remove() // close, unlinkat
}
