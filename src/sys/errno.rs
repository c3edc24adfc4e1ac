//! The kernel's error numbers, and their names without a byte of `core::fmt`.

use core::ops::Neg;

/// An error number, 1 to 4095 (`include/linux/err.h`, `MAX_ERRNO`). Kept as a syscall returns it,
/// negated, so that to hold an answer against one costs a comparison and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Errno(i64);

impl Errno {
    /// What a return value in rax means: the kernel uses -4095 to -1 for errors, and nothing else
    /// for them.
    ///
    /// # Errors
    /// The error that the value stands for.
    pub const fn check(ret: usize) -> Result<usize, Self> {
        match ret as i64 {
            error @ -4095..0 => Err(Self(error)),
            _ => Ok(ret),
        }
    }

    /// The number as `errno.h` has it.
    #[must_use]
    pub const fn number(self) -> i64 {
        -self.0
    }

    /// The name in `include/uapi/asm-generic/errno*.h`, byte by byte, for the errors that our calls
    /// can meet, or `unknown`.
    #[inline(always)]
    pub fn name(self, each: &mut impl FnMut(u8)) {
        let row = self.number() + i64::from(NUMBER);
        let mut found = false;
        for &byte in &NAMES {
            if byte < NUMBER {
                if found {
                    each(byte);
                }
            } else if found {
                return;
            } else {
                found = i64::from(byte) == row || byte == UNKNOWN;
            }
        }
    }
}

/// The error as a call returns it: `-EINVAL` is -22.
impl Neg for Errno {
    type Output = i64;

    fn neg(self) -> i64 {
        self.0
    }
}

/// Defines the constants and `ROWS`, from which the table of names is packed.
macro_rules! errnos {
    ($($name:ident = $number:literal)+) => {
        $(
            #[doc = concat!("`", stringify!($name), "`, ", stringify!($number), ".")]
            pub const $name: Errno = Errno(-$number);
        )+
        const ROWS: &[(u8, &str)] = &[$(($number, stringify!($name)),)+ (0, "unknown")];
    };
}

errnos! {
    EPERM = 1
    ENOENT = 2
    EINTR = 4
    EIO = 5
    ENXIO = 6
    EBADF = 9
    ECHILD = 10
    EAGAIN = 11
    ENOMEM = 12
    EACCES = 13
    EFAULT = 14
    EBUSY = 16
    EEXIST = 17
    ENODEV = 19
    ENOTDIR = 20
    EISDIR = 21
    EINVAL = 22
    ENFILE = 23
    EMFILE = 24
    EFBIG = 27
    ENOSPC = 28
    EROFS = 30
    EPIPE = 32
    ENOSYS = 38
    ELOOP = 40
    EOPNOTSUPP = 95
    ENOTCONN = 107
    ETIMEDOUT = 110
    EINPROGRESS = 115
    ESTALE = 116
    EDQUOT = 122
}

/// Tells a number, to which it is added, from the letters.
const NUMBER: u8 = 0x80;

/// The number of the last row, which stands for all errors that have none.
const UNKNOWN: u8 = NUMBER;

/// Each row as bytes: number, name. An array of `&str` would cost 16 bytes a row more: they are packed
/// so that a fixture keeps within a page.
static NAMES: [u8; packed_len(ROWS)] = packed(ROWS);

const fn packed_len(rows: &[(u8, &str)]) -> usize {
    let (mut len, mut row) = (0, 0);
    while row < rows.len() {
        len += 1 + rows[row].1.len();
        row += 1;
    }
    len
}

const fn packed<const LEN: usize>(rows: &[(u8, &str)]) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    let (mut at, mut row) = (0, 0);
    while row < rows.len() {
        let (number, name) = rows[row];
        assert!(number < NUMBER);
        bytes[at] = NUMBER | number;
        let (_, rest) = bytes.split_at_mut(at + 1);
        let (place, _) = rest.split_at_mut(name.len());
        place.copy_from_slice(name.as_bytes());
        at += 1 + name.len();
        row += 1;
    }
    bytes
}
