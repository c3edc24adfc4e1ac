//! aio-getevents-timeout: waits 1, 10 and 100 milliseconds for completions that do not come.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(1, [ctx]) = 0
//! io_getevents(ctx, 1, 1, [], {tv_sec=0, tv_nsec=1000000}) = 0
//! io_getevents(ctx, 1, 1, [], {tv_sec=0, tv_nsec=10000000}) = 0
//! io_getevents(ctx, 1, 1, [], {tv_sec=0, tv_nsec=100000000}) = 0
//! io_destroy(ctx) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Submits nothing, so each wait lasts at least as long as it says, and as much longer as the
//! kernel takes to wake it: a tracer's durations can be checked by that.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-getevents-timeout");

fn run() -> Outcome {
    let mut event = IoEvent::default();
    let [ms_1, ms_10, ms_100] = [1, 10, 100].map(|ms| Timespec::from_us(ms * 1000));
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx`; no completion can come.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_getevents(ctx.id, 1, 1, &raw mut event, &raw const ms_1) = 0);
        call!(io_getevents(ctx.id, 1, 1, &raw mut event, &raw const ms_10) = 0);
        call!(io_getevents(ctx.id, 1, 1, &raw mut event, &raw const ms_100) = 0);
    }
    call!(io_destroy(ctx.release()) = 0);
    Ok(())
}
