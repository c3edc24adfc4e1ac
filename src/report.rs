//! The one line that a failure prints, and the exit code that goes with it.

use crate::sys::Errno;
use crate::sys::errno::{EAGAIN, ENOSYS, EPERM};
use crate::text::Line;
use core::ffi::CStr;
use core::ptr::NonNull;

/// The exit code for "this machine can't just now".
pub const SKIP: u8 = 77;

/// What a story says of an answer or of a field: a byte for the kind, and two texts, `io_setup: `
/// and `0`, or `io_getevents: res is ` and `15`. A thin pointer: a failure is two words and travels in
/// registers, so that a fixture keeps within a page.
#[derive(Clone, Copy)]
pub struct Claim(NonNull<u8>);

impl Claim {
    /// The answer of `io_setup`.
    pub const SETUP: u8 = b's';
    /// The answer of another AIO call.
    pub const AIO: u8 = b'a';
    /// The answer of a call about the target file.
    pub const TARGET: u8 = b't';
    /// The answer of any other call.
    pub const CALL: u8 = b'c';
    /// A field that a call has filled.
    pub const FIELD: u8 = b'f';

    /// The claim that `bytes` spells: the kind, and the two texts, each ended by a NUL.
    ///
    /// # Panics
    /// When compiling, if it doesn't.
    #[must_use]
    pub const fn new(bytes: &'static [u8]) -> Self {
        let Ok(what) = CStr::from_bytes_until_nul(bytes) else {
            panic!("no NUL")
        };
        let (_, want) = bytes.split_at(what.count_bytes() + 1);
        assert!(
            what.count_bytes() > 0 && CStr::from_bytes_with_nul(want).is_ok(),
            "a kind and two texts"
        );
        assert!(
            matches!(
                bytes[0],
                Self::SETUP | Self::AIO | Self::TARGET | Self::CALL | Self::FIELD
            ),
            "one of the kinds"
        );
        Self(NonNull::from_ref(bytes).cast())
    }

    /// The kind, and where the first text starts.
    const fn parts(self) -> (u8, Text) {
        // SAFETY: `new` has seen a kind and a text at the pointer.
        unsafe { (self.0.read(), Text(self.0.add(1).as_ptr())) }
    }
}

/// Adds a text to `line`, as everything here does: by its address alone, since a length would make
/// each fixture larger.
#[inline(always)]
pub fn add(line: &mut Line, text: &CStr) {
    Text(text.as_ptr().cast()).tell(line);
}

/// A text, by the address of its first byte.
#[derive(Clone, Copy)]
struct Text(*const u8);

impl Text {
    const fn first(self) -> u8 {
        // SAFETY: at the least there is the NUL.
        unsafe { self.0.read() }
    }

    /// Adds the text to `line`, and returns what stands behind its NUL: for the first text of a
    /// claim, the second.
    fn tell(mut self, line: &mut Line) -> Self {
        loop {
            let byte = self.first();
            // SAFETY: not further than one byte behind the NUL, which is the next text or the end
            // of what holds this one.
            self.0 = unsafe { self.0.add(1) };
            if byte == 0 {
                return self;
            }
            line.byte(byte);
        }
    }
}

/// What went otherwise than the scenario says: the claim, and what the kernel gave instead.
#[derive(Clone, Copy)]
pub struct Failure {
    /// What the story says.
    pub claim: Claim,
    /// The value in the kernel's form: an error is negative.
    pub got: i64,
}

impl Failure {
    /// Adds what happened to `line`: `io_setup: EAGAIN (errno 11)`, `io_submit: 0, expected 1`,
    /// `io_getevents: res is 7, expected 15`. Returns the exit code: 77 where this machine can't
    /// run AIO just now, so that a harness can skip; otherwise 1.
    #[inline(always)]
    pub fn tell(self, line: &mut Line, target: &CStr) -> u8 {
        let (kind, what) = self.claim.parts();
        let want = what.tell(line);
        let expected = match Errno::check(self.got as usize) {
            Err(errno) if kind != Claim::FIELD => {
                errno.name(&mut |byte| line.byte(byte));
                add(line, c" (errno ");
                line.number(errno.number());
                line.byte(b')');
                want.first() == b'-'
            }
            _ => {
                line.number(self.got);
                true
            }
        };
        if expected {
            add(line, c", expected ");
            want.tell(line);
        }
        if kind == Claim::TARGET {
            add(line, c": ");
            add(line, target);
        }
        if kind == Claim::SETUP && self.got == -EAGAIN {
            add(line, c": raise fs.aio-max-nr");
            return SKIP;
        }
        self.code(kind)
    }

    /// The exit code that goes with any other answer.
    #[inline(always)]
    fn code(self, kind: u8) -> u8 {
        let aio = kind == Claim::SETUP || kind == Claim::AIO;
        if aio && (self.got == -ENOSYS || self.got == -EPERM) {
            SKIP
        } else {
            1
        }
    }
}
