//! aio-cancel: submits one write, tries to cancel it, and fetches the completion that comes all the
//! same.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! openat(AT_FDCWD, "/tmp/ioworkload-aio-cancel", O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600) = 3
//! io_setup(32, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0003, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_cancel(ctx, {aio_data=0xda7a0003, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3}, &event) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 0, 1, [{data=0xda7a0003, obj=&iocb, res=15, res2=0}], NULL) = 1
//! io_destroy(ctx) = 0
//! close(3) = 0
//! unlinkat(AT_FDCWD, "/tmp/ioworkload-aio-cancel", 0) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Cancels nothing: a buffered write is complete before io_submit returns, and what is complete
//! can't be cancelled, which is EINVAL. A kernel that could would answer EINPROGRESS, or 0 in the
//! old days, and the completion might be missing: both are accepted.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, `fs.aio-max-nr` is used up, or no file can be made in /tmp.

use crate::story::*;

scenario!("aio-cancel");

fn run() -> Outcome {
    let target = Target::create(TARGET)?; // openat
    let mut iocb = pwrite(target.fd(), 0xda7a_0003);
    let iocbpp = [&raw mut iocb];
    let mut event = IoEvent::default();
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that can come. They outlive the context, which ends below or, after a failure,
    // with the drop of `ctx`, the first to go.
    let fetched = unsafe {
        call!(io_setup(32, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut event) = [-EINVAL, -EINPROGRESS, 0]);
        call!(io_getevents(ctx.id, 0, 1, &raw mut event, null()) = [1, 0])
    };
    if fetched == 1 {
        completed!(event, iocb, 15);
    }
    call!(io_destroy(ctx.release()) = 0);
    target.remove() // close, unlinkat
}
