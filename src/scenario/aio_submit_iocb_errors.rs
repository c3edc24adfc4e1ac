//! aio-submit-iocb-errors: submits requests with a wrong value in each field.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-submit-iocb-errors", MFD_CLOEXEC) = 3
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=-1, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf=&payload, aio_nbytes=18446744073709551615, aio_offset=0}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_rw_flags=0x80000000 /* RWF_??? */, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EOPNOTSUPP (Operation not supported)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_reqprio=IOPRIO_PRIO_VALUE(0x7 /* IOPRIO_CLASS_??? */, 0), aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0, aio_flags=IOCB_FLAG_IOPRIO}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0, aio_flags=IOCB_FLAG_RESFD, aio_resfd=-1}]) = -1 EBADF (Bad file descriptor)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0, aio_flags=IOCB_FLAG_RESFD, aio_resfd=3}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf=0xffff8000deadbee0, aio_nbytes=15, aio_offset=0}]) = -1 EFAULT (Bad address)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=0xffff8000deadbee0, aio_nbytes=15, aio_offset=0}]) = -1 EFAULT (Bad address)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=-1}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=3, aio_buf=&payload, aio_nbytes=15, aio_offset=-1}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PREADV, aio_fildes=3, aio_buf=[{iov_base=&payload, iov_len=15}], aio_offset=-1}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITEV, aio_fildes=3, aio_buf=[{iov_base="ior-aio-submit\n", iov_len=15}], aio_offset=-1}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITEV, aio_fildes=3, aio_buf=NULL, aio_offset=0}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0801, aio_lio_opcode=IOCB_CMD_PWRITEV, aio_fildes=3, aio_buf=NULL, aio_offset=0}]) = -1 EFAULT (Bad address)
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Submits nothing. aio_reserved2 and aio_nbytes are looked at before the descriptor, all else
//! after it. io_submit itself refuses an address in the kernel's half; one that is merely not
//! mapped it takes (see aio-submit-odd).
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-submit-iocb-errors");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-submit-iocb-errors", MFD_CLOEXEC));
    let good = pwrite(file.number(), 0xda7a_0801);
    let mut iov = [Iovec {
        iov_base: PAYLOAD.as_ptr() as u64,
        iov_len: 15,
    }];
    let mut iocb = good;
    let mut iocbpp;
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx`. It takes no request: if it did, `iocb`, `iov`
    // and PAYLOAD outlive the context; PAYLOAD, which a read would write, is read-only.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        iocb.aio_reserved2 = 1;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb.aio_fildes = u32::MAX;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = good;
        iocb.aio_nbytes = u64::MAX;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = good;
        iocb.aio_rw_flags = i32::MIN;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EOPNOTSUPP);
        iocb = good;
        iocb.aio_flags = IOCB_FLAG_IOPRIO;
        iocb.aio_reqprio = 0xe000_u16 as i16; // class 7: there are four
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = good;
        iocb.aio_flags = IOCB_FLAG_RESFD;
        iocb.aio_resfd = u32::MAX;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EBADF);
        iocb.aio_resfd = file.number(); // which is no eventfd
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb = good;
        iocb.aio_buf = kernel::<u8>() as u64;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EFAULT);
        iocb.aio_lio_opcode = IOCB_CMD_PREAD;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EFAULT);
        iocb = good;
        iocb.aio_offset = -1;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb.aio_lio_opcode = IOCB_CMD_PREAD;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb.aio_buf = &raw mut iov as u64;
        iocb.aio_nbytes = 1;
        iocb.aio_lio_opcode = IOCB_CMD_PREADV;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb.aio_lio_opcode = IOCB_CMD_PWRITEV;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb.aio_offset = 0;
        iocb.aio_buf = 0;
        iocb.aio_nbytes = 1025; // there may be 1024: not one is looked for
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        iocb.aio_nbytes = 1;
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EFAULT);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
