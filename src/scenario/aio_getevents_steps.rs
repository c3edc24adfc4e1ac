//! aio-getevents-steps: fetches three completions in steps, fetches when there is none, and asks
//! for none.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-getevents-steps", MFD_CLOEXEC) = 3
//! io_setup(3, [ctx]) = 0
//! io_getevents(ctx, 0, 0, NULL, NULL) = 0
//! io_getevents(ctx, 0, 1, [], NULL) = 0
//! io_getevents(ctx, 1, 1, [], {tv_sec=0, tv_nsec=0}) = 0
//! io_submit(ctx, 3, [{aio_data=0xda7a1601, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a1602, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a1603, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 3
//! io_getevents(ctx, 1, 2, [{data=0xda7a1601, obj=&one, res=15, res2=0}, {data=0xda7a1602, obj=&two, res=15, res2=0}], {tv_sec=0, tv_nsec=0}) = 2
//! io_getevents(ctx, 0, 0, NULL, NULL) = 0
//! io_getevents(ctx, 2, 8, [{data=0xda7a1603, obj=&three, res=15, res2=0}], {tv_sec=0, tv_nsec=1000000}) = 1
//! io_submit(ctx, 1, [{aio_data=0xda7a1601, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1601, obj=&one, res=15, res2=0}], {tv_sec=0, tv_nsec=2000000000}) = 1
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Waits once, for 1 ms: more completions are asked for than there are, and the time runs out with
//! fewer. A timeout with more nanoseconds than a second has is taken, and here not needed.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-getevents-steps");

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-getevents-steps", MFD_CLOEXEC));
    let mut one = pwrite(file.number(), 0xda7a_1601);
    let mut two = pwrite(file.number(), 0xda7a_1602);
    let mut three = pwrite(file.number(), 0xda7a_1603);
    let iocbpp = [&raw mut one, &raw mut two, &raw mut three];
    let (mut events, now) = ([IoEvent::default(); 8], NOW);
    let (millisecond, unnormalised) = (Timespec::from_ms(1), UNNORMALISED);
    let event = (&raw mut events).cast();
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, the requests, PAYLOAD and `events`, room for all
    // completions that can come. They outlive the context, the first to go.
    unsafe {
        call!(io_setup(3, &raw mut ctx.id) = 0);
        call!(io_getevents(ctx.id, 0, 0, null_mut(), null()) = 0);
        call!(io_getevents(ctx.id, 0, 1, event, null()) = 0);
        call!(io_getevents(ctx.id, 1, 1, event, &raw const now) = 0);

        call!(io_submit(ctx.id, 3, iocbpp.as_ptr()) = 3);
        call!(io_getevents(ctx.id, 1, 2, event, &raw const now) = 2);
        completed!(events[0], one, 15);
        completed!(events[1], two, 15);
        call!(io_getevents(ctx.id, 0, 0, null_mut(), null()) = 0);
        call!(io_getevents(ctx.id, 2, 8, event, &raw const millisecond) = 1);
        completed!(events[0], three, 15);

        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        call!(io_getevents(ctx.id, 1, 1, event, &raw const unnormalised) = 1);
        completed!(events[0], one, 15);
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}
