//! aio-destroy-pending: destroys contexts with a pending poll: one whose event never comes, and one
//! that has just been cancelled.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! pipe2([3, 4], O_CLOEXEC) = 0
//! io_setup(1, [ctx]) = 0
//! io_setup(1, [ctx2]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0401, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}]) = 1
//! io_destroy(ctx) = 0
//! io_submit(ctx2, 1, [{aio_data=0xda7a0401, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}]) = 1
//! io_cancel(ctx2, {aio_data=0xda7a0401, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3}, &event) = -1 EINPROGRESS (Operation now in progress)
//! io_destroy(ctx2) = 0
//! close(3) = 0
//! close(4) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Fetches nothing: io_destroy ends the polls of a context. A cancelled request may still be on its
//! way into the ring when the ring goes.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-destroy-pending");

fn run() -> Outcome {
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let mut iocb = poll(reader.number(), 0xda7a_0401, POLLIN);
    let iocbpp = [&raw mut iocb];
    let mut event = IoEvent::default();
    let (mut waiting, mut cancelled) = (Context::default(), Context::default());
    // SAFETY: the kernel works on `waiting`, `cancelled`, `iocbpp` and `iocb`. They outlive the
    // contexts, which end below or, after a failure, with the drop of the two, the first to go.
    unsafe {
        call!(io_setup(1, &raw mut waiting.id) = 0);
        call!(io_setup(1, &raw mut cancelled.id) = 0);
        call!(io_submit(waiting.id, 1, iocbpp.as_ptr()) = 1);
        call!(io_destroy(waiting.release()) = 0);
        call!(io_submit(cancelled.id, 1, iocbpp.as_ptr()) = 1);
        call!(io_cancel(cancelled.id, &raw const iocb, &raw mut event) = -EINPROGRESS);
        call!(io_destroy(cancelled.release()) = 0);
    }
    call!(close(reader.release()) = 0);
    call!(close(writer.release()) = 0);
    Ok(())
}
