//! aio-submit: submits one write and never fetches its completion.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! openat(AT_FDCWD, "/tmp/ioworkload-aio-submit", O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = 3
//! io_setup(32, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0001, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_destroy(ctx) = 0
//! close(3) = 0
//! unlinkat(AT_FDCWD, "/tmp/ioworkload-aio-submit", 0) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Does not look at the completion: a buffered write is complete before io_submit returns, and
//! io_destroy drops it.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, `fs.aio-max-nr` is used up, or no file can be made in /tmp.

use crate::story::*;

scenario!("aio-submit");

fn run() -> Outcome {
    let target = Target::create(TARGET)?; // openat
    let mut iocb = pwrite(target.fd(), 0xda7a_0001);
    let iocbpp = [&raw mut iocb];
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb` and PAYLOAD. They outlive the context,
    // which ends below or, after a failure, with the drop of `ctx`, the first to go.
    unsafe {
        call!(io_setup(32, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
    }
    call!(io_destroy(ctx.release()) = 0);
    target.remove() // close, unlinkat
}
