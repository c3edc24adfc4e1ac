//! aio-setup-einval: asks five times for a context without room for events, which every kernel
//! refuses.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(0, &ctx) = -1 EINVAL (Invalid argument)
//! io_setup(0, &ctx) = -1 EINVAL (Invalid argument)
//! io_setup(0, &ctx) = -1 EINVAL (Invalid argument)
//! io_setup(0, &ctx) = -1 EINVAL (Invalid argument)
//! io_setup(0, &ctx) = -1 EINVAL (Invalid argument)
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Makes no context, and so waits for nothing: the quickest of all.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, or a sandbox
//! forbids it.

use crate::story::*;

scenario!("aio-setup-einval");

fn run() -> Outcome {
    let mut ctx = Context::default();
    for _ in 0..5 {
        // SAFETY: the kernel refuses 0 events before it writes; if it did write, `ctx` is in this
        // frame.
        unsafe { call!(io_setup(0, &raw mut ctx.id) = -EINVAL) };
    }
    Ok(())
}
