//! aio-cancel: hands one write to the kernel, asks for its end, and fetches the completion that comes all the same.
#![no_std]
#![no_main]

use ioworkload::story::*;

crate::story!("aio-cancel");

fn run() -> Outcome {
    let target = Target::create(TARGET)?; // openat
    let mut iocb = pwrite(target.fd(), 0xda7a_0003);
    let iocbpp = [&raw mut iocb];
    let mut event = IoEvent::default();
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one completion that can
    // come. They outlive the context, which ends below or, after a failure, with the drop of `ctx`, the first to go.
    let fetched = unsafe {
        call!(io_setup(32, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        call!(io_cancel(ctx.id, &raw const iocb, &raw mut event) = [-EINVAL, -EINPROGRESS, 0]);
        call!(io_getevents(ctx.id, 0, 1, &raw mut event, null()) = [1, 0])
    };
    if fetched == 1 {
        completed!(event, iocb, 15);
    }
    call!(io_destroy(ctx.release()) = 0);
    target.remove() // close, unlinkat
}
