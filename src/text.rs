//! Text for a human, put together in a fixed buffer: strings and digits, without a byte of `core::fmt`.

use crate::sys::{Errno, SIGPIPE, block_signal, write};

/// Text for a human, put together in place. What does not fit is left out.
#[derive(Default)]
pub struct Page<const MAX: usize>(heapless::Vec<u8, MAX>);

/// Room for one line: the longest has a scenario's name, a call, an error and a path of 120 bytes.
pub type Line = Page<512>;

impl<const MAX: usize> Page<MAX> {
    /// Adds text.
    #[inline(always)]
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds bytes as they are.
    #[inline(always)]
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let _ = self.0.extend_from_slice(bytes);
        self
    }

    /// Adds a byte as it is.
    pub fn byte(&mut self, byte: u8) {
        let _ = self.0.push(byte);
    }

    /// Adds bytes that somebody else has chosen: at most 80, and only what a terminal prints, the
    /// rest as `\xff`.
    pub fn foreign(&mut self, bytes: &[u8]) -> &mut Self {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let (shown, hidden) = bytes.split_at(bytes.len().min(80));
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

    fn digits(&mut self, number: u64) {
        if number > 9 {
            self.digits(number / 10);
        }
        self.byte(b'0' + (number % 10) as u8);
    }

    /// Adds an error: `EAGAIN (errno 11)`.
    pub fn errno(&mut self, errno: Errno) {
        self.bytes(errno.name())
            .text(" (errno ")
            .number(errno.number());
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
