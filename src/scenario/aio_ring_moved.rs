//! aio-ring-moved: moves the ring of one context to another address by mremap, and unmaps the ring
//! of another.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(1, [ctx]) = 0
//! io_setup(1, [ctx2]) = 0
//! mmap(NULL, size, PROT_NONE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = page
//! mremap(ctx, size, size, MREMAP_MAYMOVE|MREMAP_FIXED, page) = page
//! io_getevents(ctx, 0, 1, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_getevents(page, 0, 1, [], {tv_sec=0, tv_nsec=0}) = 0
//! io_destroy(page) = 0
//! munmap(ctx2, size) = 0
//! io_getevents(ctx2, 0, 1, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_destroy(ctx2) = -1 EINVAL (Invalid argument)
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Goes on with the first, whose handle is now the new address. The second can't be reached any
//! more, not even to destroy it: it lasts until the process ends. In `ioworkload --repeat=N` each
//! round leaves one.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-ring-moved");

fn run() -> Outcome {
    let (mut event, now) = (IoEvent::default(), NOW);
    let (events, now) = (&raw mut event, &raw const now);
    let (mut ctx, mut lost) = (Context::default(), Context::default());
    // SAFETY: the kernel writes the handles to `ctx` and `lost`; no completion can come. The rings
    // are mapped, and nobody reads them where they have been.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_setup(1, &raw mut lost.id) = 0);
        let ring = (ctx.id as *const AioRing).read_volatile();
        let size =
            (size_of::<AioRing>() + ring.nr as usize * size_of::<IoEvent>()).next_multiple_of(PAGE);
        let (old, flags) = (ctx.id, MAP_PRIVATE | MAP_ANONYMOUS);
        let place = call!(mmap(size, 0, flags, u32::MAX, 0) > 0);
        let how = MREMAP_MAYMOVE | MREMAP_FIXED;
        call!(mremap(old as usize, size, size, how, place as usize) = place);
        ctx.id = place as u64;
        call!(io_getevents(old, 0, 1, events, now) = -EINVAL);
        call!(io_getevents(ctx.id, 0, 1, events, now) = 0);
        call!(io_destroy(ctx.release()) = 0);

        call!(munmap(lost.id as usize, size) = 0);
        let lost = lost.release();
        call!(io_getevents(lost, 0, 1, events, now) = -EINVAL);
        call!(io_destroy(lost) = -EINVAL);
    }
    Ok(())
}
