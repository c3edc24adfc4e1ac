//! Waiting for a tracer: what opens a gate, and how long it is waited for.

use crate::output::Output;
use crate::rt::tail;
use crate::sleep::sleep;
use crate::sys::aio_abi::POLLIN;
use crate::sys::errno::{EAGAIN, EINTR, ENOENT};
use crate::sys::{
    AT_FDCWD, Errno, F_GETFD, F_OK, Pollfd, STDOUT, Timespec, faccessat, fcntl, getpid, ppoll, read,
};
use crate::text::Line;
use core::ffi::CStr;

/// The time between two looks for a file, in milliseconds.
pub const POLL_MS: u32 = 10;
/// The longest path, without its NUL (`include/uapi/linux/limits.h`, `PATH_MAX`).
const PATH_MAX: usize = 4095;

/// What opens a gate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode<'a> {
    /// It is open.
    None,
    /// A byte or the end-of-file that this descriptor has to read.
    Fd(u32),
    /// So many milliseconds.
    Sleep(u32),
    /// That this path exists; links are followed.
    File(&'a CStr),
}

impl<'a> Mode<'a> {
    /// What `none`, `stdin`, `fd:N`, `sleep:MS` and `file:PATH` stand for.
    ///
    /// # Errors
    /// Why it is none of these.
    pub fn parse(text: &'a CStr) -> Result<Self, &'static str> {
        let colon = text.to_bytes().iter().position(|byte| *byte == b':');
        let (kind, value) = text.to_bytes().split_at(colon.map_or(0, |at| at + 1));
        match (kind, value) {
            (b"", b"none") => Ok(Self::None),
            (b"", b"stdin") => Ok(Self::Fd(0)),
            (b"fd:", n) => number(n).map(Self::Fd).ok_or("no descriptor"),
            (b"sleep:", ms) => number(ms).map(Self::Sleep).ok_or(NO_MS),
            (b"file:", _) => Self::file(tail(text, kind.len()).unwrap_or_default()),
            _ => Err("unknown mode"),
        }
    }

    /// Waits for this path.
    ///
    /// # Errors
    /// Why no file can have it.
    pub fn file(path: &'a CStr) -> Result<Self, &'static str> {
        match path.count_bytes() {
            0 => Err("no path"),
            1..=PATH_MAX => Ok(Self::File(path)),
            _ => Err("a path of more than 4095 bytes"),
        }
    }
}

/// Why something is no number of milliseconds.
pub const NO_MS: &str = "no number of milliseconds up to 4294967295";

/// The number that decimal digits, and nothing but digits, stand for.
#[must_use]
pub fn number(digits: &[u8]) -> Option<u32> {
    let add = |number: u32, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    };
    let (first, rest) = digits.split_first()?;
    rest.iter().try_fold(add(0, first)?, add)
}

/// A place to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gate<'a> {
    /// What opens it.
    pub mode: Mode<'a>,
    /// How long it is waited for, in milliseconds; a sleep has none.
    pub deadline_ms: u32,
    /// Whether it is a failure that it has not opened.
    pub must_open: bool,
}

/// The memory that the calls of gates point to. It outlives all of them, so that no two things that
/// calls point to are ever at one address.
#[derive(Default)]
pub struct Memory {
    pid_line: Option<Output>,
    poll: Pollfd,
    time: Timespec,
    byte: [u8; 1],
}

/// Why a gate is still shut.
pub enum Shut {
    /// Nobody has opened it in time; and why it can't be seen whether the file is there, if that is
    /// so.
    Late(Option<Errno>),
    /// This call has failed.
    Call(&'static str, Errno),
}

impl Gate<'_> {
    /// Whether there is something to wait for.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.mode != Mode::None
    }

    /// Looks whether its descriptor, if it has one, is open: one `fcntl`.
    ///
    /// # Errors
    /// The descriptor, which is not.
    pub fn check(&self) -> Result<(), u32> {
        match self.mode {
            Mode::Fd(fd) => fcntl(fd, F_GETFD).map(drop).map_err(|_| fd),
            _ => Ok(()),
        }
    }

    /// Waits. Signals that are handled or stop the process don't shorten it.
    ///
    /// # Errors
    /// It must open, and has not.
    pub fn wait(&self, memory: &mut Memory) -> Result<(), Shut> {
        let opened = match self.mode {
            Mode::None => Ok(()),
            Mode::Fd(fd) => memory.input(fd, self.deadline_ms),
            Mode::Sleep(ms) => {
                memory.sleep(ms);
                Ok(())
            }
            Mode::File(path) => memory.file(path, self.deadline_ms),
        };
        if self.must_open { opened } else { Ok(()) }
    }

    /// Its path, if that can stand in JSON as it is.
    #[must_use]
    pub fn plain_path(&self) -> Option<&str> {
        let Mode::File(path) = self.mode else {
            return None;
        };
        let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let path = path.to_bytes();
        let plain = path.iter().all(plain).then_some(path)?;
        core::str::from_utf8(plain).ok()
    }

    /// Adds to `line` what has not happened.
    pub fn describe(&self, shut: &Shut, line: &mut Line) {
        match (shut, self.mode) {
            (Shut::Call(name, errno), _) => line.text(name).text(": ").errno(*errno),
            (Shut::Late(unseen), Mode::File(path)) => {
                line.text("no such file after ");
                line.duration(self.deadline_ms).text(": ");
                line.foreign(path.to_bytes());
                if let Some(errno) = unseen {
                    line.text(": ").errno(*errno);
                }
            }
            (Shut::Late(_), Mode::Fd(fd)) => {
                line.text("nothing to read from fd ").number(fd.into());
                line.text(" after ").duration(self.deadline_ms);
            }
            (Shut::Late(_), _) => {}
        }
    }
}

impl Memory {
    /// Prints the PID, on a line of its own.
    ///
    /// # Errors
    /// The line can't be written: nobody would know what to attach to.
    pub fn print_pid(&mut self, patience_ms: u32) -> Result<(), Shut> {
        let pid = getpid().map_err(|errno| Shut::Call("getpid", errno))?;
        let line = self.pid_line.insert(Output::new(STDOUT, patience_ms));
        let written = line.number(pid as u64).text("\n").finish();
        written.map_err(|errno| Shut::Call("PID line: write", errno))
    }

    /// Waits in `ppoll`, which takes what remains of its time along when a stop or a tracer
    /// interrupts it, and only then reads: a read has no deadline.
    fn input(&mut self, fd: u32, deadline_ms: u32) -> Result<(), Shut> {
        self.time = Timespec::from_ms(deadline_ms);
        self.poll = Pollfd {
            fd,
            events: POLLIN as i16,
            revents: 0,
        };
        loop {
            match ppoll(&mut self.poll, &mut self.time) {
                Ok(0) => return Err(Shut::Late(None)),
                Err(EINTR) => continue,
                answer => answer.map_err(|errno| Shut::Call("ppoll", errno))?,
            };
            match read(fd, &mut self.byte) {
                // Somebody else who has this descriptor was quicker.
                Err(EAGAIN | EINTR) => {}
                Err(errno) => return Err(Shut::Call("read", errno)),
                Ok(_) => return Ok(()),
            }
        }
    }

    fn file(&mut self, path: &CStr, deadline_ms: u32) -> Result<(), Shut> {
        let mut left = deadline_ms / POLL_MS;
        while let Err(errno) = faccessat(AT_FDCWD, path, F_OK) {
            let late = Shut::Late((errno != ENOENT).then_some(errno));
            left = left.checked_sub(1).ok_or(late)?;
            self.sleep(POLL_MS);
        }
        Ok(())
    }

    fn sleep(&mut self, ms: u32) {
        self.time = Timespec::from_ms(ms);
        sleep(&mut self.time);
    }
}
