//! aio-submit-fd-errors: submits operations that the descriptor can't do, or that do not exist.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-submit-fd-errors", MFD_CLOEXEC) = 3
//! pipe2([4, 5], O_CLOEXEC) = 0
//! openat(AT_FDCWD, "/", O_RDONLY|O_CLOEXEC|O_PATH) = 6
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0701, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=-1, aio_buf=&buf, aio_nbytes=100, aio_offset=0}]) = -1 EBADF (Bad file descriptor)
//! io_submit(ctx, 1, [{aio_data=0xda7a0701, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=5, aio_buf=&buf, aio_nbytes=100, aio_offset=0}]) = -1 EBADF (Bad file descriptor)
//! io_submit(ctx, 1, [{aio_data=0xda7a0701, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=6, aio_buf=&buf, aio_nbytes=100, aio_offset=0}]) = -1 EBADF (Bad file descriptor)
//! io_submit(ctx, 1, [{aio_data=0xda7a0702, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=4, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EBADF (Bad file descriptor)
//! close(4) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0702, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=4, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EBADF (Bad file descriptor)
//! io_submit(ctx, 1, [{aio_data=0xda7a0702, aio_lio_opcode=IOCB_CMD_NOOP, aio_fildes=-1}]) = -1 EBADF (Bad file descriptor)
//! io_submit(ctx, 1, [{aio_data=0xda7a0702, aio_lio_opcode=61453 /* IOCB_CMD_??? */, aio_fildes=-1}]) = -1 EBADF (Bad file descriptor)
//! io_submit(ctx, 1, [{aio_data=0xda7a0702, aio_lio_opcode=65535 /* IOCB_CMD_??? */, aio_fildes=-1}]) = -1 EBADF (Bad file descriptor)
//! io_submit(ctx, 1, [{aio_data=0xda7a0702, aio_lio_opcode=IOCB_CMD_PREADX, aio_fildes=3}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0702, aio_lio_opcode=IOCB_CMD_NOOP, aio_fildes=3}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0702, aio_lio_opcode=9 /* IOCB_CMD_??? */, aio_fildes=3}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, [{aio_data=0xda7a0702, aio_lio_opcode=65535 /* IOCB_CMD_??? */, aio_fildes=3}]) = -1 EINVAL (Invalid argument)
//! io_destroy(ctx) = 0
//! close(6) = 0
//! close(5) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Submits nothing. The kernel looks for the descriptor before it looks at the opcode, and asks
//! whether the file may be read or written, not whether that would work.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-submit-fd-errors");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-submit-fd-errors", MFD_CLOEXEC));
    let mut fds = [0; 2];
    let (read_only, write_only) = pipe(&mut fds)?; // pipe2
    let path_only = fd!(openat(AT_FDCWD, c"/", O_PATH | O_CLOEXEC, 0));
    let mut buf = [0; 100];
    let mut iocb = pread(u32::MAX, 0xda7a_0701, &raw mut buf, 100);
    let mut iocbpp;
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx`. It takes no request: if it did, `iocb`, `buf`
    // and PAYLOAD outlive the context, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EBADF);
        iocb.aio_fildes = write_only.number();
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EBADF);
        iocb.aio_fildes = path_only.number();
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EBADF);
        iocb = pwrite(read_only.number(), 0xda7a_0702);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EBADF);
        call!(close(read_only.release()) = 0);
        call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EBADF);
        for opcode in [IOCB_CMD_NOOP, 0xf00d, 0xffff] {
            iocb.aio_fildes = u32::MAX;
            iocb.aio_lio_opcode = opcode;
            call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EBADF);
        }
        for opcode in [IOCB_CMD_PREADX, IOCB_CMD_NOOP, 9, 0xffff] {
            iocb.aio_fildes = file.number();
            iocb.aio_lio_opcode = opcode;
            call!(io_submit(ctx.id, 1, list!(iocbpp: iocb)) = -EINVAL);
        }
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(path_only.release()) = 0);
    call!(close(write_only.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
