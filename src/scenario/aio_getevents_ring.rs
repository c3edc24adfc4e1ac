//! aio-getevents-ring: fetches a completion from the ring, which is mapped into its memory, without
//! a syscall.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-getevents-ring", MFD_CLOEXEC) = 3
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1701, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_getevents(ctx, 0, 1, [], {tv_sec=0, tv_nsec=0}) = 0
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Calls io_getevents to see that nothing is left. Every library that reads the ring relies on its
//! magic number, and so does this.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-getevents-ring");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-getevents-ring", MFD_CLOEXEC));
    let mut iocb = pwrite(file.number(), 0xda7a_1701);
    let iocbpp = [&raw mut iocb];
    let (mut event, now) = (IoEvent::default(), NOW);
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that can come. They outlive the context, the first to go. Its ring is mapped until
    // io_destroy, and nobody else fetches completions.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        let place = ctx.id as *mut AioRing;
        let ring = place.read_volatile();
        field!(io_setup: ring.magic = AIO_RING_MAGIC);
        field!(io_setup: ring.header_length = 32);
        field!(io_submit: ring.head = 0);
        field!(io_submit: ring.tail = 1);
        let first = (ctx.id as usize + size_of::<AioRing>()) as *const IoEvent;
        let fetched = first.read_volatile();
        completed!(io_submit: fetched, iocb, 15);
        (&raw mut (*place).head).write_volatile(ring.tail);
        call!(io_getevents(ctx.id, 0, 1, &raw mut event, &raw const now) = 0);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
