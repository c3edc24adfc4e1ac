//! aio-fork: has two children use its context: one with a copy of its memory (fork), and one in its
//! memory (vfork).
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(1, [ctx]) = 0
//! io_submit(ctx, 0, NULL) = 0
//! io_getevents(ctx, 0, 1, [], {tv_sec=0, tv_nsec=0}) = 0
//! fork() = child
//! wait4(child, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = child
//! io_getevents(ctx, 0, 1, [], {tv_sec=0, tv_nsec=0}) = 0
//! vfork() = child2
//! wait4(child2, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = child2
//! io_destroy(ctx) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//!
//! io_getevents(ctx, 0, 1, &event, {tv_sec=0, tv_nsec=0}) = -1 EINVAL (Invalid argument)
//! io_submit(ctx, 0, NULL) = -1 EINVAL (Invalid argument)
//! io_destroy(ctx) = -1 EINVAL (Invalid argument)
//! exit_group(0) = ?
//! +++ exited with 0 +++
//!
//! io_getevents(ctx, 0, 1, [], {tv_sec=0, tv_nsec=0}) = 0
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Shares no context with the first child: contexts belong to an address space, and what a child
//! has after fork is another. After vfork it is the same.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, a sandbox
//! forbids it, or `fs.aio-max-nr` is used up.

use crate::story::*;

scenario!("aio-fork");

/// What the first child does with the context `ctx` of its parent.
fn first(ctx: aio_context_t, event: *mut IoEvent, now: *const Timespec) -> Outcome {
    // SAFETY: without a context the kernel writes nothing.
    unsafe {
        call!(io_getevents(ctx, 0, 1, event, now) = -EINVAL);
        call!(io_submit(ctx, 0, null()) = -EINVAL);
    }
    call!(io_destroy(ctx) = -EINVAL);
    exit_group(0)
}

fn run() -> Outcome {
    let (mut event, now, mut stat) = (IoEvent::default(), NOW, 0);
    let (events, now) = (&raw mut event, &raw const now);
    let mut ctx = Context::default();
    // SAFETY: the kernel writes the handle to `ctx`; no completion can come.
    unsafe {
        call!(io_setup(1, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 0, null()) = 0);
        call!(io_getevents(ctx.id, 0, 1, events, now) = 0);
    }
    let child = call!(fork() > -1);
    if child == 0 {
        return first(ctx.release(), events, now);
    }
    call!(wait4(child as usize, &mut stat, 0) = child);
    let code = exit_code(stat)?;
    if code != 0 {
        // It has said why.
        let _ = io_destroy(ctx.release());
        exit_group(code);
    }
    // SAFETY: as above; io_getevents is sound in any process, and this one waits until it is over.
    unsafe {
        call!(io_getevents(ctx.id, 0, 1, events, now) = 0);
        let args = [ctx.id as usize, 0, 1, events as usize, now as usize];
        let child = call!(vfork(IO_GETEVENTS, args) > 0);
        call!(wait4(child as usize, &mut stat, 0) = child);
    }
    // It has said nothing: its exit code is the low byte of what io_getevents has answered.
    let answer = i64::from(exit_code(stat)?.cast_signed());
    expect(claim!(io_getevents, "0"), answer, answer == 0)?;
    call!(io_destroy(ctx.release()) = 0);
    Ok(())
}

/// The exit code of a child that no signal has ended.
fn exit_code(stat: u32) -> Result<u8, Failure> {
    let signal = stat & 0x7f;
    let claim = claim!("f", "wait4: the child's signal is ", "0");
    expect(claim, signal.into(), signal == 0)?;
    Ok((stat >> 8) as u8)
}
