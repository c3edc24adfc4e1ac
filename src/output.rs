//! What was asked for and is printed, whole or with an error: text of any length for a descriptor.

use crate::sys::aio_abi::POLLOUT;
use crate::sys::errno::{EAGAIN, EINTR, ENOSPC};
use crate::sys::{
    Errno, Pollfd, SIG_BLOCK, SIGPIPE, Timespec, ppoll, rt_sigprocmask, sigset, write,
};

/// A text, written in pieces. It ends at the first write that fails: it has no holes.
pub struct Output {
    fd: u32,
    /// How much longer it is waited for room in a descriptor that does not block.
    patience: Timespec,
    /// The signal of a pipe whose reader is gone. Here and not in a frame of its own: this structure
    /// outlives the scenario, so nothing of it is ever at the same address.
    broken_pipe: u64,
    written: Result<(), Errno>,
    piece: heapless::Vec<u8, 1024>,
}

impl Output {
    /// Starts a text.
    #[must_use]
    pub fn new(fd: u32, patience_ms: u32) -> Self {
        Self {
            fd,
            patience: Timespec::from_ms(patience_ms),
            broken_pipe: sigset(SIGPIPE),
            written: Ok(()),
            piece: heapless::Vec::new(),
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

    fn byte(&mut self, byte: u8) {
        if self.piece.is_full() {
            self.flush();
        }
        let _ = self.piece.push(byte);
    }

    /// Writes what is left, and says whether all of the text is written.
    ///
    /// # Errors
    /// Of the first write that failed; EAGAIN if there was no room in time.
    pub fn finish(&mut self) -> Result<(), Errno> {
        self.flush();
        self.written
    }

    fn flush(&mut self) {
        if self.written.is_ok() {
            // Such a pipe answers EPIPE then, instead of ending us.
            let _ = rt_sigprocmask(SIG_BLOCK, &self.broken_pipe, None);
            self.written = write_all(self.fd, &self.piece, &mut self.patience);
        }
        self.piece.clear();
    }
}

/// Goes on after a write that took a part, and after a signal.
fn write_all(fd: u32, mut bytes: &[u8], patience: &mut Timespec) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(fd, bytes) {
            // So some devices say that they are full.
            Ok(0) => return Err(ENOSPC),
            Ok(done) => bytes = bytes.get(done..).unwrap_or_default(),
            Err(EINTR) => {}
            Err(EAGAIN) => wait_for_room(fd, patience)?,
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// One `ppoll`, which takes its time off `patience`.
fn wait_for_room(fd: u32, patience: &mut Timespec) -> Result<(), Errno> {
    let mut poll = Pollfd {
        fd,
        events: POLLOUT as i16,
        revents: 0,
    };
    match ppoll(&mut poll, patience) {
        Ok(0) => Err(EAGAIN),
        Ok(_) | Err(EINTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}
