//! aio-submit-errors: submits with wrong contexts, numbers and pointers.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! memfd_create("aio-submit-errors", MFD_CLOEXEC) = 3
//! mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = page
//! mprotect(page, 4096, PROT_READ) = 0
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 0, NULL) = 0
//! io_submit(NULL, 0, NULL) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, -1, &one) = -1 EINVAL (Invalid argument)
//! io_submit(NULL, -1, NULL) = -1 EINVAL (Invalid argument)
//! io_submit(NULL, 1, [{aio_data=0xda7a0501, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EINVAL (Invalid argument)
//! io_submit(0xffffffffffffffff, 1, [{aio_data=0xda7a0501, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EINVAL (Invalid argument)
//! io_submit(0xface1e55deadbeef, 1, [{aio_data=0xda7a0501, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 1, NULL) = -1 EFAULT (Bad address)
//! io_submit(ctx, 1, 0xffffffffffffffff) = -1 EFAULT (Bad address)
//! io_submit(ctx, 2, 0x401000) = -1 EFAULT (Bad address)
//! io_submit(ctx, 9223372036854775807, NULL) = -1 EFAULT (Bad address)
//! io_submit(ctx, 1, [NULL]) = -1 EFAULT (Bad address)
//! io_submit(ctx, 2, [NULL, {aio_data=0xda7a0501, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EFAULT (Bad address)
//! io_submit(ctx, 2, [0xffff8000deadbee0, {aio_data=0xda7a0501, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EFAULT (Bad address)
//! io_submit(ctx, 1, [{aio_data=0xda7a0501, aio_lio_opcode=IOCB_CMD_PWRITE, aio_fildes=3, aio_buf="ior-aio-submit\n", aio_nbytes=15, aio_offset=0}]) = -1 EFAULT (Bad address)
//! io_destroy(ctx) = 0
//! munmap(page, 4096) = 0
//! close(3) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Submits nothing: each call is refused before its first request is taken. The kernel looks at the
//! number first, then at the context, and then at one pointer after the other. It writes `aio_key`
//! back, so that a request in read-only memory is refused too; the page for that one comes from
//! mmap and is made read-only by mprotect.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-submit-errors");

/// Read-only memory that holds `iocb`; `munmap` is the caller's duty.
fn read_only(iocb: Iocb) -> Result<*mut Iocb, Failure> {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS;
    let page = call!(mmap(PAGE, PROT_READ | PROT_WRITE, flags, u32::MAX, 0) > 0) as usize;
    let place = page as *mut Iocb;
    // SAFETY: the page is ours and can be written; from mprotect on nobody tries.
    unsafe {
        place.write(iocb);
        call!(mprotect(page, PAGE, PROT_READ) = 0);
    }
    Ok(place)
}

fn run() -> Outcome {
    let file = fd!(memfd_create(c"aio-submit-errors", MFD_CLOEXEC));
    let mut iocb = pwrite(file.number(), 0xda7a_0501);
    let page = read_only(iocb)?; // mmap, mprotect
    let one = [&raw mut iocb];
    let (null_first, kernel_first) = ([null_mut(), &raw mut iocb], [kernel(), &raw mut iocb]);
    let protected = [page];
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx`. It takes no request: if it did, `iocb`,
    // PAYLOAD and the page outlive the context.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 0, null()) = 0);
        call!(io_submit(0, 0, null()) = -EINVAL);
        call!(io_submit(ctx.id, -1, one.as_ptr()) = -EINVAL);
        call!(io_submit(0, -1, null()) = -EINVAL);
        call!(io_submit(0, 1, one.as_ptr()) = -EINVAL);
        call!(io_submit(u64::MAX, 1, one.as_ptr()) = -EINVAL);
        call!(io_submit(0xface_1e55_dead_beef, 1, one.as_ptr()) = -EINVAL);
        call!(io_submit(ctx.id, 1, null()) = -EFAULT);
        call!(io_submit(ctx.id, 1, bad()) = -EFAULT);
        call!(io_submit(ctx.id, 2, guard() as *const *mut Iocb) = -EFAULT);
        call!(io_submit(ctx.id, i64::MAX, null()) = -EFAULT);
        call!(io_submit(ctx.id, 1, null_first.as_ptr()) = -EFAULT);
        call!(io_submit(ctx.id, 2, null_first.as_ptr()) = -EFAULT);
        call!(io_submit(ctx.id, 2, kernel_first.as_ptr()) = -EFAULT);
        call!(io_submit(ctx.id, 1, protected.as_ptr()) = -EFAULT);
        call!(io_destroy(ctx.release()) = 0);
        call!(munmap(page as usize, PAGE) = 0);
    }
    call!(close(file.release()) = 0);
    Ok(())
}
