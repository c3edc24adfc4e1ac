//! What stories hand to the kernel: requests, times, masks, pipes, and addresses that lead nowhere.

use super::Failure;
use crate::call;
use crate::owned::Fd;
use crate::sys::aio_abi::*;
use crate::sys::*;

/// The 15 bytes that are written, as the original workload writes them.
pub const PAYLOAD: &[u8; 15] = b"ior-aio-submit\n";

/// The request to write [`PAYLOAD`] at the start of `fd`; `data` comes back in its completion.
#[must_use]
pub fn pwrite(fd: u32, data: u64) -> Iocb {
    Iocb {
        aio_data: data,
        aio_lio_opcode: IOCB_CMD_PWRITE,
        aio_fildes: fd,
        aio_buf: PAYLOAD.as_ptr() as u64,
        aio_nbytes: PAYLOAD.len() as u64,
        ..Iocb::default()
    }
}

/// The request to read `nbytes` at the start of `fd` into `buf`.
#[must_use]
pub fn pread<T>(fd: u32, data: u64, buf: *mut T, nbytes: u64) -> Iocb {
    Iocb {
        aio_data: data,
        aio_lio_opcode: IOCB_CMD_PREAD,
        aio_fildes: fd,
        aio_buf: buf as u64,
        aio_nbytes: nbytes,
        ..Iocb::default()
    }
}

/// The request to wait once for `events` of `fd`.
#[must_use]
pub fn poll(fd: u32, data: u64, events: u32) -> Iocb {
    Iocb {
        aio_data: data,
        aio_lio_opcode: IOCB_CMD_POLL,
        aio_fildes: fd,
        aio_buf: u64::from(events),
        ..Iocb::default()
    }
}

/// A pipe, by its reading and its writing end; `fildes` is where the kernel writes their numbers.
///
/// # Errors
/// What `pipe2` answered.
#[inline(always)]
pub fn pipe(fildes: &mut [u32; 2]) -> Result<(Fd, Fd), Failure> {
    call!(pipe2(fildes, O_CLOEXEC) = 0);
    let [reader, writer] = *fildes;
    Ok((Fd::new(reader as usize), Fd::new(writer as usize)))
}

/// How long a completion that is sure to come may take: it comes from a worker of the kernel, on
/// machines that can be slow. Nothing waits so long unless something is wrong.
pub const DEADLINE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};

/// No time: what is not there now won't be waited for.
pub const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Times that are none: nanoseconds beyond a second, then negative seconds too. The kernel reads
/// them and looks for the context before it would wait.
pub const GARBAGE: [Timespec; 2] = [
    Timespec {
        tv_sec: 0xdead_beef,
        tv_nsec: 0xface_feed,
    },
    Timespec {
        tv_sec: 0xcafe_f00d_dead_beef_u64 as i64,
        tv_nsec: 0xbadc_0ded_face_feed_u64 as i64,
    },
];

/// Two seconds as nobody writes them: in nanoseconds alone.
pub const UNNORMALISED: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 2_000_000_000,
};

/// A pointer that leads nowhere, and can't: all its bits are set.
#[must_use]
pub const fn bad<T>() -> *mut T {
    core::ptr::without_provenance_mut(usize::MAX)
}

/// A pointer into the kernel's half of the address space, and to none of its memory.
#[must_use]
pub const fn kernel<T>() -> *mut T {
    core::ptr::without_provenance_mut(0xffff_8000_dead_bee0)
}

/// A mask for `io_pgetevents` that lets all signals in but SIGPIPE: where nobody has read
/// ioworkload's PID line it is held back and waits, and an empty mask would let it in.
pub const OPEN_MASK: u64 = sigset(SIGPIPE);

/// What stands for a mask of so many bytes in `io_pgetevents`.
#[must_use]
pub const fn aio_sigset((sigmask, sigsetsize): (*const u64, u64)) -> AioSigset {
    AioSigset {
        sigmask,
        sigsetsize,
    }
}
