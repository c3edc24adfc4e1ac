//! aio-submit: hands one write to the kernel and never fetches its completion.
#![no_std]
#![no_main]

use ioworkload::story::*;

crate::story!("aio-submit");

fn run() -> Outcome {
    let target = Target::create(TARGET)?; // openat
    let mut iocb = pwrite(target.fd(), 0xda7a_0001);
    let iocbpp = [&raw mut iocb];
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb` and PAYLOAD. They outlive the context, which ends below or,
    // after a failure, with the drop of `ctx`, the first to go.
    unsafe {
        call!(io_setup(32, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
    }
    call!(io_destroy(ctx.release()) = 0);
    target.remove() // close, unlinkat
}
