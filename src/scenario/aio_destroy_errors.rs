//! aio-destroy-errors: destroys what is no context and one context twice, and uses it when it is
//! gone.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(1, [ctx]) = 0
//! io_destroy(NULL) = -1 EINVAL (Invalid argument)
//! io_destroy(0xffffffffffffffff) = -1 EINVAL (Invalid argument)
//! io_destroy(0xface1e55deadbeef) = -1 EINVAL (Invalid argument)
//! io_destroy(&foreign) = -1 EINVAL (Invalid argument)
//! io_destroy(&inside) = -1 EINVAL (Invalid argument)
//! io_destroy(ctx) = 0
//! io_destroy(ctx) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 0, NULL) = -1 EINVAL (Invalid argument)
//! io_getevents(ctx, 0, 1, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_cancel(ctx, {aio_data=0, aio_lio_opcode=IOCB_CMD_PREAD, aio_fildes=0}, &event) = -1 EINVAL (Invalid argument)
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Crashes nowhere: the kernel reads a word at the handle, and answers EINVAL where it can't, where
//! the word is no number of a context, and where the context of that number has another handle.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-destroy-errors");

fn run() -> Outcome {
    let foreign = [0_u64; 4];
    let iocb = Iocb::default();
    let mut event = IoEvent::default();
    let now = NOW;
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx` before io_setup returns.
    unsafe { call!(io_setup(1, &raw mut ctx.id) = 0) };
    call!(io_destroy(0) = -EINVAL);
    call!(io_destroy(u64::MAX) = -EINVAL);
    call!(io_destroy(0xface_1e55_dead_beef) = -EINVAL);
    call!(io_destroy(&raw const foreign as u64) = -EINVAL);
    call!(io_destroy(ctx.id + 8) = -EINVAL);
    let gone = ctx.id;
    call!(io_destroy(ctx.release()) = 0);
    call!(io_destroy(gone) = -EINVAL);
    // SAFETY: without a context the kernel neither reads nor writes `iocb` and `event`, which are
    // in this frame.
    unsafe {
        call!(io_submit(gone, 0, null()) = -EINVAL);
        call!(io_getevents(gone, 0, 1, &raw mut event, &raw const now) = -EINVAL);
        call!(io_cancel(gone, &raw const iocb, &raw mut event) = -EINVAL);
    }
    Ok(())
}
