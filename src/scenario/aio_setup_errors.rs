//! aio-setup-errors: asks for contexts in every way that the kernel refuses.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(1, [ctx]) = 0
//! io_setup(1, &ctx) = -1 EINVAL (Invalid argument)
//! io_setup(1, &taken) = -1 EINVAL (Invalid argument)
//! io_setup(1, NULL) = -1 EFAULT (Bad address)
//! io_setup(0, NULL) = -1 EFAULT (Bad address)
//! io_setup(1, 0x401000) = -1 EFAULT (Bad address)
//! io_setup(1000, 0xffff8000deadbee0) = -1 EFAULT (Bad address)
//! io_setup(4294966296, 0xffff8000deadbee0) = -1 EFAULT (Bad address)
//! io_setup(0, 0xffff8000deadbee0) = -1 EFAULT (Bad address)
//! io_setup(1, &constant) = -1 EFAULT (Bad address)
//! io_setup(0, &none) = -1 EINVAL (Invalid argument)
//! io_setup(4194305, &none) = -1 EINVAL (Invalid argument)
//! io_setup(2147483647, &none) = -1 EINVAL (Invalid argument)
//! io_setup(4294966296, &none) = -1 EINVAL (Invalid argument)
//! io_setup(4294967295, &none) = -1 EINVAL (Invalid argument)
//! io_setup(2147483648, &none) = -1 EAGAIN (Resource temporarily unavailable)
//! io_destroy(ctx) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Keeps no context but the first. The kernel looks at the pointer before the number; it reads the
//! low 32 bits of the number, doubles them in 32 bits, and has two limits: one of its own, EINVAL,
//! and `fs.aio-max-nr`, EAGAIN. 0x80000000 doubled is 0, which passes the first and not the second,
//! on every machine. The place in read-only memory costs a context that is made and destroyed again
//! within the call.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-setup-errors");

/// A place for a handle that can be read and not written: it stands in the program's segment.
static CONSTANT: aio_context_t = 0;

fn run() -> Outcome {
    let mut taken: aio_context_t = 0x0101_0101_0101_0101;
    let mut none: aio_context_t = 0;
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx` before io_setup returns; it refuses the other
    // pointers, and would find `taken` and `none` in this frame.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_setup(1, &raw mut ctx.id) = -EINVAL);
        call!(io_setup(1, &raw mut taken) = -EINVAL);

        call!(io_setup(1, null_mut()) = -EFAULT);
        call!(io_setup(0, null_mut()) = -EFAULT);
        call!(io_setup(1, guard() as *mut aio_context_t) = -EFAULT);
        call!(io_setup(1000, kernel()) = -EFAULT);
        call!(io_setup(0xffff_fc18, kernel()) = -EFAULT);
        call!(io_setup(0, kernel()) = -EFAULT);
        call!(io_setup(1, (&raw const CONSTANT).cast_mut()) = -EFAULT);

        call!(io_setup(0, &raw mut none) = -EINVAL);
        call!(io_setup(4_194_305, &raw mut none) = -EINVAL);
        call!(io_setup(0x7fff_ffff, &raw mut none) = -EINVAL);
        call!(io_setup(0xffff_fc18, &raw mut none) = -EINVAL);
        call!(io_setup(0xffff_ffff, &raw mut none) = -EINVAL);
        call!(io_setup(0x8000_0000, &raw mut none) = -EAGAIN);
    }
    call!(io_destroy(ctx.release()) = 0);
    Ok(())
}
