//! Text, put together in a fixed buffer: strings and digits, without a byte of `core::fmt`.

use crate::packed::Packed;
use crate::sys::{Errno, SIGPIPE, block_signal, write};
use core::ffi::CStr;

/// Text for a human, put together in place. What does not fit is left out.
#[derive(Default)]
pub struct Page<const MAX: usize>(heapless::Vec<u8, MAX>);

/// How many bytes of somebody else's are shown.
pub const SHOWN: usize = 80;

/// Room for one line: the longest has [`SHOWN`] bytes of somebody else's, each as `\xff`, with a
/// scenario's name, a time and an error.
pub type Line = Page<512>;

impl<const MAX: usize> Page<MAX> {
    /// Adds text.
    #[inline(always)]
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        for byte in bytes {
            self.byte(*byte);
        }
        self
    }

    /// Adds a byte as it is. Where there is no room it takes the place of the last, so that a line
    /// which is cut short still ends in its newline.
    #[inline(never)]
    pub fn byte(&mut self, byte: u8) {
        self.0.truncate(MAX - 1);
        let _ = self.0.push(byte);
    }

    /// Adds bytes that somebody else has chosen: at most [`SHOWN`], and only what a terminal prints,
    /// the rest as `\xff`.
    pub fn foreign(&mut self, bytes: &[u8]) -> &mut Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let (shown, hidden) = bytes.split_at(bytes.len().min(SHOWN));
        for &byte in shown {
            match byte {
                b' '..=b'~' => self.bytes(&[byte]),
                _ => self.bytes(&[
                    b'\\',
                    b'x',
                    HEX[usize::from(byte >> 4)],
                    HEX[usize::from(byte & 15)],
                ]),
            };
        }
        if hidden.is_empty() {
            self
        } else {
            self.text("...")
        }
    }

    /// Adds a number in decimal digits.
    pub fn number(&mut self, number: i64) {
        if number < 0 {
            self.byte(b'-');
        }
        self.digits(number.unsigned_abs());
    }

    /// Adds a time: `30 s`, `1500 ms`.
    pub fn duration(&mut self, ms: u32) -> &mut Self {
        let (number, unit) = if ms.is_multiple_of(1000) {
            (ms / 1000, " s")
        } else {
            (ms, " ms")
        };
        self.number(number.into());
        self.text(unit)
    }

    fn digits(&mut self, number: u64) {
        let (rest, last) = (number / 10, number % 10);
        if rest > 0 {
            self.digits(rest);
        }
        self.byte(b'0' + last as u8);
    }

    /// Adds an error: `EAGAIN (errno 11)`.
    pub fn errno(&mut self, errno: Errno) {
        errno.name(&mut |byte| self.byte(byte));
        self.text(" (errno ").digits(errno.number().unsigned_abs());
        self.byte(b')');
    }

    /// Ends the text with a newline and writes it to descriptor `fd`, all at once. A broken one
    /// changes nothing but the text.
    #[inline(always)]
    pub fn print(&mut self, fd: u32) {
        self.byte(b'\n');
        // A pipe whose reader is gone answers EPIPE instead of ending us with a signal.
        let _ = block_signal(SIGPIPE);
        let _ = write(fd, &self.0);
    }
}

/// What is behind the first `len` bytes of `text`.
#[must_use]
pub fn behind(text: &CStr, len: usize) -> Option<&CStr> {
    CStr::from_bytes_with_nul(text.to_bytes_with_nul().get(len..)?).ok()
}

/// Text of any length for a descriptor, written in pieces. What is left is written when it is
/// dropped. A broken descriptor changes nothing but the text, which ends at the first write that
/// fails: it has no holes.
pub struct Stream {
    fd: u32,
    broken: bool,
    piece: heapless::Vec<u8, 1024>,
}

impl Stream {
    /// Starts a text.
    #[must_use]
    pub fn new(fd: u32) -> Self {
        // As above.
        let _ = block_signal(SIGPIPE);
        let piece = heapless::Vec::new();
        Self {
            fd,
            broken: false,
            piece,
        }
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        for byte in text.bytes() {
            self.byte(byte);
        }
        self
    }

    /// Adds a number in decimal digits.
    pub fn number(&mut self, number: u64) -> &mut Self {
        if number > 9 {
            self.number(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
        self
    }

    /// Adds text.
    pub fn packed(&mut self, text: Packed) -> &mut Self {
        text.unpack(&mut |byte| self.byte(byte));
        self
    }

    /// Adds a byte as it is.
    pub fn byte(&mut self, byte: u8) {
        if self.piece.is_full() {
            self.flush();
        }
        let _ = self.piece.push(byte);
    }

    fn flush(&mut self) {
        let mut rest = self.piece.as_slice();
        while !rest.is_empty() && !self.broken {
            match write(self.fd, rest) {
                Ok(done @ 1..) => rest = rest.get(done..).unwrap_or_default(),
                _ => self.broken = true,
            }
        }
        self.piece.clear();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.flush();
    }
}
