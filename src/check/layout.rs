//! How the kernel's structures lie in memory, which the witnesses' bytes are read with: field, offset,
//! bytes. tests/abi.rs compares them with the headers.

/// A field: its name in the header, where it starts, how many bytes it has.
pub type Field = (&'static str, usize, usize);

/// A structure: how many bytes it has, and its fields.
pub struct Layout {
    /// Bytes.
    pub size: usize,
    /// In the header's order.
    pub fields: &'static [Field],
}

/// Every structure that an expected trace can show. No two have a field's name in common.
const LAYOUTS: &[Layout] = &[
    // struct iocb, include/uapi/linux/aio_abi.h
    Layout {
        size: 64,
        fields: &[
            ("aio_data", 0, 8),
            ("aio_key", 8, 4),
            ("aio_rw_flags", 12, 4),
            ("aio_lio_opcode", 16, 2),
            ("aio_reqprio", 18, 2),
            ("aio_fildes", 20, 4),
            ("aio_buf", 24, 8),
            ("aio_nbytes", 32, 8),
            ("aio_offset", 40, 8),
            ("aio_reserved2", 48, 8),
            ("aio_flags", 56, 4),
            ("aio_resfd", 60, 4),
        ],
    },
    // struct io_event, there
    Layout {
        size: 32,
        fields: &[
            ("data", 0, 8),
            ("obj", 8, 8),
            ("res", 16, 8),
            ("res2", 24, 8),
        ],
    },
    // struct __kernel_timespec, include/uapi/linux/time_types.h
    Layout {
        size: 16,
        fields: &[("tv_sec", 0, 8), ("tv_nsec", 8, 8)],
    },
    // struct iovec, include/uapi/linux/uio.h
    Layout {
        size: 16,
        fields: &[("iov_base", 0, 8), ("iov_len", 8, 8)],
    },
    // struct __aio_sigset, fs/aio.c
    Layout {
        size: 16,
        fields: &[("sigmask", 0, 8), ("sigsetsize", 8, 8)],
    },
    // struct pollfd, include/uapi/asm-generic/poll.h
    Layout {
        size: 8,
        fields: &[("fd", 0, 4), ("events", 4, 2), ("revents", 6, 2)],
    },
    // struct sigaction, include/linux/signal_types.h
    Layout {
        size: 32,
        fields: &[
            ("sa_handler", 0, 8),
            ("sa_flags", 8, 8),
            ("sa_restorer", 16, 8),
            ("sa_mask", 24, 8),
        ],
    },
    // int *stat_addr, wait4(2)
    Layout {
        size: 4,
        fields: &[("stat", 0, 4)],
    },
    // int pipefd[2], pipe(2)
    Layout {
        size: 8,
        fields: &[("pipefd[0]", 0, 4), ("pipefd[1]", 4, 4)],
    },
];

/// The structure that has a field of this name.
#[must_use]
pub fn of(field: &str) -> Option<&'static Layout> {
    LAYOUTS
        .iter()
        .find(|layout| layout.fields.iter().any(|(name, ..)| *name == field))
}
