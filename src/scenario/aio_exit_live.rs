//! aio-exit-live: exits with a live context, a pending request and two open descriptors.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! pipe2([3, 4], O_CLOEXEC) = 0
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0601, aio_lio_opcode=IOCB_CMD_POLL, aio_fildes=3, aio_buf=POLLIN}]) = 1
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Gives nothing back: that is left to the end of the process, which waits for the context as
//! io_destroy would. In `ioworkload --repeat=N` each round leaves them, and all are gone at the
//! end.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-exit-live");

fn run() -> Outcome {
    let mut fds = [0; 2];
    let (reader, writer) = pipe(&mut fds)?; // pipe2
    let mut iocb = poll(reader.number(), 0xda7a_0601, POLLIN);
    let iocbpp = [&raw mut iocb];
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp` and `iocb` before io_submit returns; of a poll it
    // keeps no pointer that it would follow.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
    }
    let _ = (ctx.release(), reader.release(), writer.release());
    Ok(())
}
