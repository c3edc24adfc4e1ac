//! aio-setup-einval: asks five times for a context without room, which no kernel makes.
#![no_std]
#![no_main]

use ioworkload::story::*;

crate::story!("aio-setup-einval");

fn run() -> Outcome {
    let mut ctx = Context::default();
    for _ in 0..5 {
        // SAFETY: the kernel refuses 0 events before it writes; if it did write, `ctx` is in this frame.
        unsafe { call!(io_setup(0, &raw mut ctx.id) = -EINVAL) };
    }
    Ok(())
}
