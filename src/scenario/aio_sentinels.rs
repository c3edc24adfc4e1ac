//! aio-sentinels: makes the five classic calls with arguments that can't be mistaken for anything
//! else.
//!
//! Calls, as strace shows them (`ctx` and `&…` are addresses):
//!
//! ```text
//! io_setup(1, 0xa10a00ce00000002) = -1 EFAULT (Bad address)
//! io_submit(0xa10a00d100000001, -6842655786187882494, 0xa10a00d100000003) = -1 EINVAL (Invalid argument)
//! io_submit(0xface1e55deadbeef, -3855172618362687475, NULL) = -1 EINVAL (Invalid argument)
//! io_submit(0xfacef157beeff00d, -2401050962395463955, NULL) = -1 EINVAL (Invalid argument)
//! io_cancel(0xa10a00d200000001, 0xa10a00d200000002, 0xa10a00d200000003) = -1 EFAULT (Bad address)
//! io_getevents(0xa10a00d000000001, -6842655790482849790, -6842655790482849789, 0xa10a00d000000004, 0xa10a00d000000005) = -1 EFAULT (Bad address)
//! io_destroy(0xa10a00cf00000001) = -1 EINVAL (Invalid argument)
//! io_destroy(0xface1e55deadbeef) = -1 EINVAL (Invalid argument)
//! exit_group(0) = ?
//! +++ exited with 0 +++
//! ```
//!
//! Does nothing: no address is one that can exist, and no handle is one of a context. Most arguments
//! are 0xa10a, the number of the call in the next four digits, and the number of the argument in the
//! last two; io_setup takes its first as 32 bits, which are 1.
//!
//! Ends with 0, or with 1 and a line that names the call; with 77 where there is no AIO, or a sandbox
//! forbids it.

use crate::story::*;

scenario!("aio-sentinels");

/// The argument `number`, from 1, of the call `nr`.
const fn sentinel(nr: u64, number: u64) -> u64 {
    0xa10a << 48 | nr << 32 | number
}

const fn place<T>(nr: u64, number: u64) -> *mut T {
    core::ptr::without_provenance_mut(sentinel(nr, number) as usize)
}

const fn count(nr: u64, number: u64) -> i64 {
    sentinel(nr, number) as i64
}

fn run() -> Outcome {
    // SAFETY: nothing can be mapped at these addresses.
    unsafe {
        call!(io_setup(sentinel(206, 1), place(206, 2)) = -EFAULT);
        call!(io_submit(sentinel(209, 1), count(209, 2), place(209, 3)) = -EINVAL);
        call!(
            io_submit(
                0xface_1e55_dead_beef,
                0xca7f_aced_dead_f00d_u64 as i64,
                null()
            ) = -EINVAL
        );
        call!(
            io_submit(
                0xface_f157_beef_f00d,
                0xdead_c0de_face_feed_u64 as i64,
                null()
            ) = -EINVAL
        );
        call!(io_cancel(sentinel(210, 1), place(210, 2), place(210, 3)) = -EFAULT);
        call!(
            io_getevents(
                sentinel(208, 1),
                count(208, 2),
                count(208, 3),
                place(208, 4),
                place(208, 5)
            ) = -EFAULT
        );
    }
    call!(io_destroy(sentinel(207, 1)) = -EINVAL);
    call!(io_destroy(0xface_1e55_dead_beef) = -EINVAL);
    Ok(())
}
