//! aio-setup: makes an AIO context and destroys it.
#![no_std]
#![no_main]

use ioworkload::story::*;

crate::story!("aio-setup");

fn run() -> Outcome {
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx` before io_setup returns.
    unsafe { call!(io_setup(32, &raw mut ctx.id) = 0) };
    call!(io_destroy(ctx.release()) = 0);
    Ok(())
}
