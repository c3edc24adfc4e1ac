//! aio-submit-full: submits writes until the ring is full, and then fetches all completions.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-submit-full", MFD_CLOEXEC) = 3
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a0c01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! …
//! io_submit(ctx, 1, [{aio_data=0xda7a0c01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EAGAIN (Resource temporarily unavailable)
//! io_getevents(ctx, 1, 1, [{data=0xda7a0c01, obj=&iocb, res=15, res2=0}], {tv_sec=0, tv_nsec=0}) = 1
//! …
//! io_getevents(ctx, 0, 1, [], {tv_sec=0, tv_nsec=0}) = 0
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Knows no number: how much a ring holds depends on the machine's CPUs, and how much of it is
//! handed out does too. The ring itself says its size, in the memory that io_setup has mapped,
//! which takes no call to read; the scenario checks that fewer were taken, and that as many are
//! fetched.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-submit-full");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-submit-full", MFD_CLOEXEC));
    let mut iocb = pwrite(file.number(), 0xda7a_0c01);
    let iocbpp = [&raw mut iocb];
    let (mut event, now) = (IoEvent::default(), NOW);
    let mut ctx = Context::default();
    let mut taken = 1_u32;
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that is fetched at a time. They outlive the context, the first to go. Its ring is
    // mapped until io_destroy.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        let ring = (ctx.id as *const AioRing).read_volatile();
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        while taken < ring.nr && call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = [1, -EAGAIN]) == 1 {
            taken += 1;
        }
        let fewer = claim!("f", "io_submit: taken is ", "fewer than the ring holds");
        expect(fewer, taken.into(), taken < ring.nr)?;
        for _ in 0..taken {
            call!(io_getevents(ctx.id, 1, 1, &raw mut event, &raw const now) = 1);
            completed!(event, iocb, 15);
        }
        call!(io_getevents(ctx.id, 0, 1, &raw mut event, &raw const now) = 0);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
