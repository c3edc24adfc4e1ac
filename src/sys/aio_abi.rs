//! The AIO ABI: the structures, opcodes and flags of `include/uapi/linux/aio_abi.h`, in the
//! header's words and order.

use core::mem::{offset_of, size_of};

/// The kernel's `aio_context_t`: the address of the completion ring that `io_setup` maps. 0 is no
/// context.
#[allow(non_camel_case_types, reason = "the kernel's word")]
pub type aio_context_t = u64;

/// `aio_lio_opcode`: read `aio_nbytes` into `aio_buf` at `aio_offset`.
pub const IOCB_CMD_PREAD: u16 = 0;
/// `aio_lio_opcode`: write `aio_nbytes` from `aio_buf` at `aio_offset`.
pub const IOCB_CMD_PWRITE: u16 = 1;
/// `aio_lio_opcode`: flush data and metadata.
pub const IOCB_CMD_FSYNC: u16 = 2;
/// `aio_lio_opcode`: flush data.
pub const IOCB_CMD_FDSYNC: u16 = 3;
/// `aio_lio_opcode`: only mentioned in the header, refused by the kernel (EINVAL).
pub const IOCB_CMD_PREADX: u16 = 4;
/// `aio_lio_opcode`: wait once for the poll events in `aio_buf`.
pub const IOCB_CMD_POLL: u16 = 5;
/// `aio_lio_opcode`: named in the header, refused by the kernel (EINVAL).
pub const IOCB_CMD_NOOP: u16 = 6;
/// `aio_lio_opcode`: read into the `aio_nbytes` iovecs at `aio_buf`.
pub const IOCB_CMD_PREADV: u16 = 7;
/// `aio_lio_opcode`: write from the `aio_nbytes` iovecs at `aio_buf`.
pub const IOCB_CMD_PWRITEV: u16 = 8;

/// `aio_flags`: `aio_resfd` is an eventfd that counts the completion.
pub const IOCB_FLAG_RESFD: u32 = 1 << 0;
/// `aio_flags`: `aio_reqprio` is an I/O priority.
pub const IOCB_FLAG_IOPRIO: u32 = 1 << 1;

/// `aio_rw_flags` (`include/uapi/linux/fs.h`, as the next ones): as if opened with O_DSYNC.
pub const RWF_DSYNC: i32 = 0x2;
/// `aio_rw_flags`: fail with EAGAIN instead of waiting.
pub const RWF_NOWAIT: i32 = 0x8;
/// `aio_rw_flags`: write at the end of the file, wherever `aio_offset` is.
pub const RWF_APPEND: i32 = 0x10;

/// Events of a poll (`include/uapi/asm-generic/poll.h`, as the next ones): there is something to
/// read.
pub const POLLIN: u32 = 0x1;
/// There is room to write.
pub const POLLOUT: u32 = 0x4;
/// The other end is gone.
pub const POLLHUP: u32 = 0x10;
/// Ordinary data can be read.
pub const POLLRDNORM: u32 = 0x40;

/// The kernel's `struct iocb`: one request, 64 bytes. The kernel reads it in `io_submit`, and
/// writes `aio_key` there.
///
/// The order of `aio_key` and `aio_rw_flags` is the little-endian one.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct Iocb {
    /// Handed back in the completion's `data`, untouched.
    pub aio_data: u64,
    /// The kernel's own; 0 after `io_submit`, and `io_cancel` wants it so.
    pub aio_key: u32,
    /// `RWF_*` flags.
    pub aio_rw_flags: i32,
    /// One of `IOCB_CMD_*`.
    pub aio_lio_opcode: u16,
    /// The I/O priority, if `aio_flags` says so.
    pub aio_reqprio: i16,
    /// The descriptor to work on.
    pub aio_fildes: u32,
    /// Address of the buffer or of the iovecs, or the events of a poll.
    pub aio_buf: u64,
    /// Bytes in the buffer, or number of iovecs.
    pub aio_nbytes: u64,
    /// Bytes from the start of the file.
    pub aio_offset: i64,
    /// Must be 0.
    pub aio_reserved2: u64,
    /// `IOCB_FLAG_*`.
    pub aio_flags: u32,
    /// The eventfd, if `aio_flags` says so.
    pub aio_resfd: u32,
}

const _: () = {
    assert!(size_of::<Iocb>() == 64);
    assert!(offset_of!(Iocb, aio_data) == 0);
    assert!(offset_of!(Iocb, aio_key) == 8);
    assert!(offset_of!(Iocb, aio_rw_flags) == 12);
    assert!(offset_of!(Iocb, aio_lio_opcode) == 16);
    assert!(offset_of!(Iocb, aio_reqprio) == 18);
    assert!(offset_of!(Iocb, aio_fildes) == 20);
    assert!(offset_of!(Iocb, aio_buf) == 24);
    assert!(offset_of!(Iocb, aio_nbytes) == 32);
    assert!(offset_of!(Iocb, aio_offset) == 40);
    assert!(offset_of!(Iocb, aio_reserved2) == 48);
    assert!(offset_of!(Iocb, aio_flags) == 56);
    assert!(offset_of!(Iocb, aio_resfd) == 60);
};

/// The kernel's `struct io_event`: one completion, 32 bytes. The kernel writes it in
/// `io_getevents`.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct IoEvent {
    /// `aio_data` of the request.
    pub data: u64,
    /// The address that the request's iocb was submitted from.
    pub obj: u64,
    /// Bytes transferred, poll events, or an error, negated.
    pub res: i64,
    /// 0 on every kernel that we know.
    pub res2: i64,
}

const _: () = {
    assert!(size_of::<IoEvent>() == 32);
    assert!(offset_of!(IoEvent, data) == 0);
    assert!(offset_of!(IoEvent, obj) == 8);
    assert!(offset_of!(IoEvent, res) == 16);
    assert!(offset_of!(IoEvent, res2) == 24);
};

/// The kernel's `struct aio_ring` (`fs/aio.c`), 32 bytes: the head of the memory that `io_setup`
/// maps, in front of the completions. Not in a header, but libaio and others have relied on it for
/// twenty years.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct AioRing {
    /// The kernel's number of the context.
    pub id: u32,
    /// How many completions there is room for.
    pub nr: u32,
    /// The first completion that nobody has fetched. A program may fetch one itself, and count on.
    pub head: u32,
    /// Where the next completion goes.
    pub tail: u32,
    /// [`AIO_RING_MAGIC`].
    pub magic: u32,
    /// 1.
    pub compat_features: u32,
    /// 0, or the rest is not as here.
    pub incompat_features: u32,
    /// Bytes in front of the first completion: 32.
    pub header_length: u32,
}

/// What an `aio_ring` is known by.
pub const AIO_RING_MAGIC: u32 = 0xa10a_10a1;

const _: () = {
    assert!(size_of::<AioRing>() == 32);
    assert!(offset_of!(AioRing, id) == 0);
    assert!(offset_of!(AioRing, nr) == 4);
    assert!(offset_of!(AioRing, head) == 8);
    assert!(offset_of!(AioRing, tail) == 12);
    assert!(offset_of!(AioRing, magic) == 16);
    assert!(offset_of!(AioRing, compat_features) == 20);
    assert!(offset_of!(AioRing, incompat_features) == 24);
    assert!(offset_of!(AioRing, header_length) == 28);
};

/// The kernel's `struct __aio_sigset` (`fs/aio.c`): what `io_pgetevents` takes in place of a signal
/// mask, 16 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct AioSigset {
    /// The signals that wait while the call does; NULL leaves the mask as it is.
    pub sigmask: *const u64,
    /// Bytes in the mask: 8.
    pub sigsetsize: u64,
}

const _: () = {
    assert!(size_of::<AioSigset>() == 16);
    assert!(offset_of!(AioSigset, sigmask) == 0);
    assert!(offset_of!(AioSigset, sigsetsize) == 8);
};

/// The kernel's `struct iovec` (`include/uapi/linux/uio.h`), 16 bytes.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
pub struct Iovec {
    /// Where it starts: an address.
    pub iov_base: u64,
    /// Bytes.
    pub iov_len: u64,
}

const _: () = {
    assert!(size_of::<Iovec>() == 16);
    assert!(offset_of!(Iovec, iov_base) == 0);
    assert!(offset_of!(Iovec, iov_len) == 8);
};
