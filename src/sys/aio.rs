//! The AIO calls, 206 to 210 and 333. Pointers are raw, because scenarios hand the kernel bad ones on
//! purpose.

use super::aio_abi::{AioSigset, IoEvent, Iocb, aio_context_t};
use super::{Answer, Errno, Timespec};
use sc::syscall;

/// `io_setup(2)`, 206: makes a context for `nr_events` requests and writes its handle to `ctxp`,
/// which must hold 0.
///
/// The kernel reads the low 32 bits of `nr_events`.
///
/// # Errors
/// EAGAIN (`fs.aio-max-nr` is used up), EFAULT, EINVAL, ENOMEM, ENOSYS.
///
/// # Safety
/// `ctxp` may be written, or is an address that the kernel refuses.
pub unsafe fn io_setup(nr_events: u64, ctxp: *mut aio_context_t) -> Answer {
    // SAFETY: the kernel writes eight bytes at `ctxp` before it returns, which the caller allows.
    Errno::check(unsafe { syscall!(IO_SETUP, nr_events, ctxp) })
}

/// `io_destroy(2)`, 207: cancels what it can, waits for the rest, and removes the context.
///
/// # Errors
/// EINVAL, ENOSYS.
pub fn io_destroy(ctx_id: aio_context_t) -> Answer {
    // SAFETY: the call touches no memory of ours; the ring it unmaps belongs to the kernel.
    Errno::check(unsafe { syscall!(IO_DESTROY, ctx_id) })
}

/// The number of `io_getevents`, for the child of a `vfork`.
pub const IO_GETEVENTS: usize = 208;

/// `io_getevents(2)`, 208: waits for `min_nr` completions, fetches at most `nr`, and returns their
/// number.
///
/// # Errors
/// EFAULT, EINTR, EINVAL, ENOSYS.
///
/// # Safety
/// `events` has room for `nr` completions, or for as many as can come, or is an address
/// that the kernel refuses.
pub unsafe fn io_getevents(
    ctx_id: aio_context_t,
    min_nr: i64,
    nr: i64,
    events: *mut IoEvent,
    timeout: *const Timespec,
) -> Answer {
    // SAFETY: the kernel writes completions at `events`, which the caller allows; it only reads
    // `timeout`.
    Errno::check(unsafe { syscall!(IO_GETEVENTS, ctx_id, min_nr, nr, events, timeout) })
}

/// `io_submit(2)`, 209: hands `nr` requests to the kernel and returns how many it took.
///
/// # Errors
/// Of the first request, if none was taken: EAGAIN, EBADF, EFAULT, EINVAL, EOPNOTSUPP, ENOSYS.
///
/// # Safety
/// `iocbpp` leads to `nr` pointers to requests. The requests and the memory they name stay
/// in place until the kernel has reported their completion or destroyed the context. Addresses that
/// the kernel refuses are allowed anywhere.
pub unsafe fn io_submit(ctx_id: aio_context_t, nr: i64, iocbpp: *const *mut Iocb) -> Answer {
    // SAFETY: what the kernel reads and writes, now and later, is the caller's promise.
    Errno::check(unsafe { syscall!(IO_SUBMIT, ctx_id, nr, iocbpp) })
}

/// `io_cancel(2)`, 210: asks for the end of one request. Its completion still comes through the
/// ring.
///
/// # Errors
/// EAGAIN, EFAULT, EINPROGRESS (cancelled), EINVAL (no such request is waiting), ENOSYS.
///
/// # Safety
/// `result` may be written, or is an address that the kernel refuses.
pub unsafe fn io_cancel(ctx_id: aio_context_t, iocb: *const Iocb, result: *mut IoEvent) -> Answer {
    // SAFETY: the kernel reads `iocb`; kernels of long ago wrote `result`, which the caller allows.
    Errno::check(unsafe { syscall!(IO_CANCEL, ctx_id, iocb, result) })
}

/// `io_pgetevents(2)`, 333: as `io_getevents`, with another signal mask while it waits.
///
/// # Errors
/// EFAULT, EINTR, EINVAL, ENOSYS; EPERM in some sandboxes.
///
/// # Safety
/// As `io_getevents`.
pub unsafe fn io_pgetevents(
    ctx_id: aio_context_t,
    min_nr: i64,
    nr: i64,
    events: *mut IoEvent,
    timeout: *const Timespec,
    usig: *const AioSigset,
) -> Answer {
    // SAFETY: the kernel writes completions at `events`, which the caller allows; it only reads
    // `timeout`, `usig` and the mask that it points to.
    Errno::check(unsafe { syscall!(IO_PGETEVENTS, ctx_id, min_nr, nr, events, timeout, usig) })
}
