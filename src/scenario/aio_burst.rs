//! aio-burst: calls io_getevents 100,000 times on an idle context, each call with a number of its
//! own.
//!
//! Calls, as strace shows them (`ctx` is an address):
//!
//! ```text
//! io_setup(32, [ctx]) = 0
//! io_getevents(ctx, 0, 1, NULL, NULL) = 0
//! io_getevents(ctx, 0, 2, NULL, NULL) = 0
//! …
//! io_getevents(ctx, 0, 100000, NULL, NULL) = 0
//! io_destroy(ctx) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Does not wait: with a min_nr of 0 io_getevents returns at once, whatever `nr` is. So `nr` carries
//! the number of the call to every tracer, and what a tracer has lost, doubled or shuffled can be
//! told by it. `ioworkload aio-burst --repeat=N` makes N calls.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-burst", 100_000);

fn run(rounds: &mut Rounds) -> Outcome {
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx` before io_setup returns.
    unsafe { call!(io_setup(32, &raw mut ctx.id) = 0) };
    for number in rounds {
        // SAFETY: nothing was submitted, so no completion can be written.
        unsafe { call!(io_getevents(ctx.id, 0, number.into(), null_mut(), null()) = 0) };
    }
    call!(io_destroy(ctx.release()) = 0);
    Ok(())
}
