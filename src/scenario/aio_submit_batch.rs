//! aio-submit-batch: submits 2, 8 and 32 writes at once, and fetches their completions in order.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-submit-batch", MFD_CLOEXEC) = 3
//! io_setup(32, [ctx]) = 0
//! io_submit(ctx, 2, [{aio_data=0xda7a0b00, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a0b01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=16}]) = 2
//! io_getevents(ctx, 2, 2, [{data=0xda7a0b00, obj=&iocb, res=15, res2=0}, {data=0xda7a0b01, obj=&iocb2, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 2
//! io_submit(ctx, 8, [{aio_data=0xda7a0b00, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a0b01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=16}, {aio_data=0xda7a0b02, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=32}, {aio_data=0xda7a0b03, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=48}, {aio_data=0xda7a0b04, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=64}, {aio_data=0xda7a0b05, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=80}, {aio_data=0xda7a0b06, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=96}, {aio_data=0xda7a0b07, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=112}]) = 8
//! io_getevents(ctx, 8, 8, [{data=0xda7a0b00, obj=&iocb, res=15, res2=0}, {data=0xda7a0b01, obj=&iocb2, res=15, res2=0}, {data=0xda7a0b02, obj=&iocb3, res=15, res2=0}, {data=0xda7a0b03, obj=&iocb4, res=15, res2=0}, {data=0xda7a0b04, obj=&iocb5, res=15, res2=0}, {data=0xda7a0b05, obj=&iocb6, res=15, res2=0}, {data=0xda7a0b06, obj=&iocb7, res=15, res2=0}, {data=0xda7a0b07, obj=&iocb8, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 8
//! io_submit(ctx, 32, [{aio_data=0xda7a0b00, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}, {aio_data=0xda7a0b01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=16}, {aio_data=0xda7a0b02, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=32}, {aio_data=0xda7a0b03, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=48}, {aio_data=0xda7a0b04, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=64}, {aio_data=0xda7a0b05, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=80}, {aio_data=0xda7a0b06, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=96}, {aio_data=0xda7a0b07, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=112}, {aio_data=0xda7a0b08, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=128}, {aio_data=0xda7a0b09, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=144}, {aio_data=0xda7a0b0a, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=160}, {aio_data=0xda7a0b0b, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=176}, {aio_data=0xda7a0b0c, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=192}, {aio_data=0xda7a0b0d, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=208}, {aio_data=0xda7a0b0e, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=224}, {aio_data=0xda7a0b0f, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=240}, {aio_data=0xda7a0b10, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=256}, {aio_data=0xda7a0b11, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=272}, {aio_data=0xda7a0b12, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=288}, {aio_data=0xda7a0b13, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=304}, {aio_data=0xda7a0b14, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=320}, {aio_data=0xda7a0b15, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=336}, {aio_data=0xda7a0b16, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=352}, {aio_data=0xda7a0b17, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=368}, {aio_data=0xda7a0b18, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=384}, {aio_data=0xda7a0b19, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=400}, {aio_data=0xda7a0b1a, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=416}, {aio_data=0xda7a0b1b, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=432}, {aio_data=0xda7a0b1c, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=448}, {aio_data=0xda7a0b1d, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=464}, {aio_data=0xda7a0b1e, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=480}, {aio_data=0xda7a0b1f, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=496}]) = 32
//! io_getevents(ctx, 20, 20, [{data=0xda7a0b00, obj=&iocb, res=15, res2=0}, {data=0xda7a0b01, obj=&iocb2, res=15, res2=0}, {data=0xda7a0b02, obj=&iocb3, res=15, res2=0}, {data=0xda7a0b03, obj=&iocb4, res=15, res2=0}, {data=0xda7a0b04, obj=&iocb5, res=15, res2=0}, {data=0xda7a0b05, obj=&iocb6, res=15, res2=0}, {data=0xda7a0b06, obj=&iocb7, res=15, res2=0}, {data=0xda7a0b07, obj=&iocb8, res=15, res2=0}, {data=0xda7a0b08, obj=&iocb9, res=15, res2=0}, {data=0xda7a0b09, obj=&iocb10, res=15, res2=0}, {data=0xda7a0b0a, obj=&iocb11, res=15, res2=0}, {data=0xda7a0b0b, obj=&iocb12, res=15, res2=0}, {data=0xda7a0b0c, obj=&iocb13, res=15, res2=0}, {data=0xda7a0b0d, obj=&iocb14, res=15, res2=0}, {data=0xda7a0b0e, obj=&iocb15, res=15, res2=0}, {data=0xda7a0b0f, obj=&iocb16, res=15, res2=0}, {data=0xda7a0b10, obj=&iocb17, res=15, res2=0}, {data=0xda7a0b11, obj=&iocb18, res=15, res2=0}, {data=0xda7a0b12, obj=&iocb19, res=15, res2=0}, {data=0xda7a0b13, obj=&iocb20, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 20
//! io_getevents(ctx, 12, 12, [{data=0xda7a0b14, obj=&iocb21, res=15, res2=0}, {data=0xda7a0b15, obj=&iocb22, res=15, res2=0}, {data=0xda7a0b16, obj=&iocb23, res=15, res2=0}, {data=0xda7a0b17, obj=&iocb24, res=15, res2=0}, {data=0xda7a0b18, obj=&iocb25, res=15, res2=0}, {data=0xda7a0b19, obj=&iocb26, res=15, res2=0}, {data=0xda7a0b1a, obj=&iocb27, res=15, res2=0}, {data=0xda7a0b1b, obj=&iocb28, res=15, res2=0}, {data=0xda7a0b1c, obj=&iocb29, res=15, res2=0}, {data=0xda7a0b1d, obj=&iocb30, res=15, res2=0}, {data=0xda7a0b1e, obj=&iocb31, res=15, res2=0}, {data=0xda7a0b1f, obj=&iocb32, res=15, res2=0}], {tv_sec=10, tv_nsec=0}) = 12
//! io_destroy(ctx) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Mixes nothing up: buffered writes are complete when io_submit returns, each in its turn. The
//! last 32 completions come in two steps.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-submit-batch");

const MOST: usize = 32;

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-submit-batch", MFD_CLOEXEC));
    let mut iocbs = [pwrite(file.number(), 0xda7a_0b00); MOST];
    for (number, iocb) in (0_u8..).zip(&mut iocbs) {
        iocb.aio_data += u64::from(number);
        iocb.aio_offset = 16 * i64::from(number);
    }
    let iocbpp = iocbs.each_mut().map(|iocb| &raw mut *iocb);
    let (mut events, deadline) = ([IoEvent::default(); MOST], DEADLINE);
    let event = (&raw mut events).cast();
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx` before io_setup returns.
    unsafe { call!(io_setup(MOST as u64, &raw mut ctx.id) = 0) };
    // SAFETY: the kernel works on `iocbpp`, `iocbs`, PAYLOAD and `events`, room for all completions
    // of a batch. They outlive the context, the last declared.
    unsafe {
        call!(io_submit(ctx.id, 2, iocbpp.as_ptr()) = 2);
        call!(io_getevents(ctx.id, 2, 2, event, &raw const deadline) = 2);
        complete(&events, &iocbs, 2)?;
        call!(io_submit(ctx.id, 8, iocbpp.as_ptr()) = 8);
        call!(io_getevents(ctx.id, 8, 8, event, &raw const deadline) = 8);
        complete(&events, &iocbs, 8)?;
        call!(io_submit(ctx.id, 32, iocbpp.as_ptr()) = 32);
        call!(io_getevents(ctx.id, 20, 20, event, &raw const deadline) = 20);
        call!(io_getevents(ctx.id, 12, 12, event.add(20), &raw const deadline) = 12);
        complete(&events, &iocbs, 32)?;
    }
    call!(io_destroy(ctx.release()) = 0);
    call!(close(file.release()) = 0);
    Ok(())
}

/// Compares the first completions with their requests.
fn complete(events: &[IoEvent], iocbs: &[Iocb], all: usize) -> Outcome {
    for (event, iocb) in events.iter().zip(iocbs).take(all) {
        completed!(*event, *iocb, 15);
    }
    Ok(())
}
