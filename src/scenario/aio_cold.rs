//! aio-cold: makes the same calls twice: with all they point to on pages in use, and on pages never
//! touched before.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-cold", MFD_CLOEXEC) = 3
//! pwrite64(3, "\n", 1, 4095) = 1
//! mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_SHARED, 3, 0) = page
//! mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE, 3, 0) = page2
//! mmap(NULL, 12288, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = page3
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 1, [{aio_data=0xda7a1d01, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=4096}]) = 1
//! io_getevents(ctx, 1, 1, [{data=0xda7a1d01, obj=&iocb, res=15, res2=0}], {tv_sec=0, tv_nsec=0}) = 1
//! io_setup(1, [ctx2]) = 0
//! io_submit(ctx2, 1, [{aio_data=0xda7a1d02, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=4096}]) = 1
//! io_getevents(ctx2, 1, 1, [{data=0xda7a1d02, obj=&cold_iocb, res=15, res2=0}], {tv_sec=0, tv_nsec=0}) = 1
//! io_destroy(ctx2) = 0
//! io_destroy(ctx) = 0
//! munmap(page3, 12288) = 0
//! munmap(page2, 4096) = 0
//! munmap(page, 4096) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Answers the same both times: the kernel brings a page in when it reads it. A BPF program at
//! sys_enter can't, and gets -14 for every pointer of the second half; a tracer that stops the
//! process can read them. The cold request is in a file, written through one mapping and
//! handed over in another; the places for the handle, the completion and the timeout are pages of
//! zeros.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-cold");

/// What the cold io_submit points to, as it is in the file.
#[repr(C)]
struct Cold {
    iocbpp: [*mut Iocb; 1],
    iocb: Iocb,
    payload: [u8; 15],
}

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-cold", MFD_CLOEXEC));
    let fd = file.number();
    let (both, anonymous) = (PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS);
    // So that the page is there: a hole, on a full disk, would be noticed by SIGBUS only.
    call!(pwrite64(fd, b"\n", PAGE as u64 - 1) = 1);
    let warm_page = call!(mmap(PAGE, both, MAP_SHARED, fd, 0) > 0) as usize;
    let cold_page = call!(mmap(PAGE, both, MAP_PRIVATE, fd, 0) > 0) as usize;
    let zeros = call!(mmap(3 * PAGE, both, anonymous, u32::MAX, 0) > 0) as usize;
    let (cold_ctx, cold_event) = (zeros as *mut u64, (zeros + PAGE) as *mut IoEvent);
    let cold_now = (zeros + 2 * PAGE) as *const Timespec;
    let cold = cold_page as *mut Cold;
    let mut iocb = pwrite(fd, 0xda7a_1d01);
    iocb.aio_offset = PAGE as i64;
    let (mut event, now) = (IoEvent::default(), NOW);
    let iocbpp = [&raw mut iocb];
    let mut ctx = Context::default();
    // SAFETY: the kernel works on `ctx`, `iocbpp`, `iocb`, PAYLOAD and `event`, room for the one
    // completion that can come, and on the mapped pages, which have room for what they are used as.
    // All outlive the contexts, which end below or are the first to go.
    unsafe {
        (warm_page as *mut Cold).write(Cold {
            iocbpp: [&raw mut (*cold).iocb],
            iocb: Iocb {
                aio_data: 0xda7a_1d02,
                aio_buf: &raw const (*cold).payload as u64,
                ..iocb
            },
            payload: *PAYLOAD,
        });

        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
        call!(io_getevents(ctx.id, 1, 1, &raw mut event, &raw const now) = 1);
        completed!(event, iocb, 15);

        call!(io_setup(1, cold_ctx) = 0);
        let other = Context { id: *cold_ctx };
        call!(io_submit(other.id, 1, &raw const (*cold).iocbpp[0]) = 1);
        call!(io_getevents(other.id, 1, 1, cold_event, cold_now) = 1);
        completed!(*cold_event, (*cold).iocb, 15);

        call!(io_destroy(other.release()) = 0);
        call!(io_destroy(ctx.release()) = 0);
        call!(munmap(zeros, 3 * PAGE) = 0);
        call!(munmap(cold_page, PAGE) = 0);
        call!(munmap(warm_page, PAGE) = 0);
    }
    call!(close(file.release()) = 0);
    Ok(())
}
