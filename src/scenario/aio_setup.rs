//! aio-setup: makes an AIO context and destroys it.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(32, [ctx]) = 0
//! io_destroy(ctx) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Does nothing with the context. The kernel raises 32 to what its CPUs need, which no tracer sees,
//! and takes tens of milliseconds to destroy a context, in any program.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-setup");

fn run() -> Outcome {
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx` before io_setup returns.
    unsafe { call!(io_setup(32, &raw mut ctx.id) = 0) };
    call!(io_destroy(ctx.release()) = 0);
    Ok(())
}
