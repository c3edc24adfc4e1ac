//! aio-submit-odd: submits requests that look wrong, and that the kernel takes.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-submit-odd", MFD_CLOEXEC) = 3
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0901, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0, aio_flags=0x80000000 /* IOCB_FLAG_??? */}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0901, obj=&iocb, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0901, aio_lio_opcode=IOCB_CMD_PWRITE, aio_reqprio=IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4), aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0, aio_flags=IOCB_FLAG_IOPRIO}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0901, obj=&iocb, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0902, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf=NULL, aio_nbytes=15, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0902, obj=&iocb, res=-14, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a0903, aio_lio_opcode=IOCB_CMD_PREADV, aio_fildes=3, aio_buf=NULL, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a0903, obj=&iocb, res=0, res2=0}], {tv_sec=10, tv_nsec=0}) = 1
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Fails once, in a completion: the address 0 is found out by the write itself, when io_submit has
//! taken the request.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-submit-odd");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-submit-odd", MFD_CLOEXEC));
    let good = pwrite(file.number(), 0xda7a_0901);
    let mut iocb = good;
    let mut iocbpp;
    let (mut event, deadline) = (IoEvent::default(), DEADLINE);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        iocb.aio_flags = 1 << 31; // unknown
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 15);

        iocb.aio_flags = IOCB_FLAG_IOPRIO;
        iocb.aio_reqprio = 0x4004; // best effort, level 4
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 15);

        iocb = good;
        iocb.aio_data = 0xda7a_0902;
        iocb.aio_buf = 0;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, -EFAULT);

        iocb.aio_data = 0xda7a_0903;
        iocb.aio_lio_opcode = IOCB_CMD_PREADV;
        iocb.aio_nbytes = 0; // iovecs, so none is looked for at address 0
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = 1);
        reaped!(ctx, deadline, event, iocb, 0);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
