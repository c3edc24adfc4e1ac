//! Text, put together in a fixed buffer: strings and digits, without a byte of `core::fmt`.

use crate::sys::{Errno, SIGPIPE, block_signal, write};

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

    /// Ends the text with a newline and writes it to descriptor `fd`, all at once. It is what a failure
    /// says: a broken descriptor changes nothing but the text. What was asked for is an
    /// [`Output`](crate::output::Output).
    #[inline(always)]
    pub fn print(&mut self, fd: u32) {
        self.byte(b'\n');
        // A pipe whose reader is gone answers EPIPE instead of ending us with a signal.
        let _ = block_signal(SIGPIPE);
        let _ = write(fd, &self.0);
    }
}
