//! aio-setup-many: makes ten of the smallest contexts, one by a number with garbage in its upper
//! half.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(1, [ctx]) = 0
//! io_setup(1, [ctx2]) = 0
//! io_setup(1, [ctx3]) = 0
//! io_setup(1, [ctx4]) = 0
//! io_setup(1, [ctx5]) = 0
//! io_setup(1, [ctx6]) = 0
//! io_setup(1, [ctx7]) = 0
//! io_setup(1, [ctx8]) = 0
//! io_setup(1, [ctx9]) = 0
//! io_setup(1, [ctx10]) = 0
//! io_destroy(ctx10) = 0
//! io_destroy(ctx9) = 0
//! io_destroy(ctx8) = 0
//! io_destroy(ctx7) = 0
//! io_destroy(ctx6) = 0
//! io_destroy(ctx5) = 0
//! io_destroy(ctx4) = 0
//! io_destroy(ctx3) = 0
//! io_destroy(ctx2) = 0
//! io_destroy(ctx) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Submits nothing. Ten contexts are more than the kernel's first table of a process holds, so
//! the table grows.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-setup-many");

/// What io_setup is asked for: the kernel reads the lower half.
const NUMBERS: [u64; 10] = [1, 0xdead_beef_0000_0001, 1, 1, 1, 1, 1, 1, 1, 1];

fn run() -> Outcome {
    let mut contexts = [const { Context { id: 0 } }; NUMBERS.len()];
    for (ctx, nr_events) in contexts.iter_mut().zip(NUMBERS) {
        // SAFETY: the kernel writes the handle to `ctx` before io_setup returns.
        unsafe { call!(io_setup(nr_events, &raw mut ctx.id) = 0) };
    }
    for ctx in contexts.iter_mut().rev() {
        call!(io_destroy(ctx.take()) = 0);
    }
    Ok(())
}
