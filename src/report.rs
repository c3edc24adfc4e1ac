//! What a call is expected to answer, and where it answers otherwise: the one line that says so, and
//! the exit code.

use crate::sys::errno::{EACCES, EAGAIN, ENOENT, ENOSYS, ENOTDIR, EPERM, EROFS};
use crate::sys::{Answer, Errno};
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
    /// The answer of another call that a kernel or a sandbox may refuse: an AIO call, `memfd_create`.
    pub const AIO: u8 = b'a';
    /// The answer of an `openat`.
    pub const OPEN: u8 = b'o';
    /// The answer of the `openat` that makes the target file.
    pub const TARGET: u8 = b't';
    /// The answer of the `unlinkat` that removes it.
    pub const UNLINK: u8 = b'u';
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
                Self::SETUP
                    | Self::AIO
                    | Self::OPEN
                    | Self::TARGET
                    | Self::UNLINK
                    | Self::CALL
                    | Self::FIELD
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
    Text(text.as_ptr().cast()).write_to(line);
}

/// A text, by the address of its first byte.
#[derive(Clone, Copy)]
struct Text(*const u8);

impl Text {
    const fn first(self) -> u8 {
        // SAFETY: at the least there is the NUL.
        unsafe { self.0.read() }
    }

    /// Adds the text to `line`, and returns what follows its NUL: for the first text of a
    /// claim, the second.
    fn write_to(mut self, line: &mut Line) -> Self {
        loop {
            let byte = self.first();
            // SAFETY: not further than one byte after the NUL, which is the next text or the end
            // of what holds this one.
            self.0 = unsafe { self.0.add(1) };
            if byte == 0 {
                return self;
            }
            line.byte(byte);
        }
    }
}

/// What is not as the scenario says: the claim, and what the kernel gave instead.
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
    /// run the scenario just now, so that a harness can skip; otherwise 1.
    #[inline(always)]
    pub fn write_to(self, line: &mut Line, target: &CStr) -> u8 {
        let (kind, what) = self.claim.parts();
        let want = what.write_to(line);
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
            want.write_to(line);
        }
        if kind == Claim::TARGET || kind == Claim::UNLINK {
            add(line, c": ");
            add(line, target);
        }
        if kind == Claim::SETUP && self.got == -EAGAIN {
            add(line, c": raise fs.aio-max-nr");
        }
        self.code(kind)
    }

    /// The exit code.
    #[inline(always)]
    fn code(self, kind: u8) -> u8 {
        let this_machine_cannot = match kind {
            Claim::SETUP => const { set(&[EAGAIN, ENOSYS, EPERM, EACCES]) },
            Claim::AIO => const { set(&[ENOSYS, EPERM, EACCES]) },
            Claim::OPEN | Claim::TARGET => const { set(&[ENOENT, ENOTDIR, EROFS, EPERM, EACCES]) },
            Claim::UNLINK => const { set(&[EROFS]) },
            _ => 0,
        };
        match self.got {
            -63..0 if this_machine_cannot >> -self.got & 1 == 1 => SKIP,
            _ => 1,
        }
    }
}

/// How a story ends: well, or with the first failure.
pub type Outcome = Result<(), Failure>;

/// Passes on a value that is as expected.
///
/// # Errors
/// The claim, and the value that it got instead.
pub const fn expect(claim: Claim, got: i64, as_expected: bool) -> Result<i64, Failure> {
    if as_expected {
        Ok(got)
    } else {
        Err(Failure { claim, got })
    }
}

/// An answer in the kernel's form: an error is negative.
#[must_use]
pub fn raw(answer: Answer) -> i64 {
    answer.map_or_else(|errno| -errno, |value| value as i64)
}

/// A claim: its kind (the letters of [`Claim`]), what it is about, and the value.
#[macro_export]
macro_rules! claim {
    ($kind:literal, $what:expr, $want:expr) => {
        const { $crate::report::Claim::new(concat!($kind, $what, "\0", $want, "\0").as_bytes()) }
    };
    (io_setup, $want:expr) => {
        $crate::claim!("s", "io_setup: ", $want)
    };
    (io_destroy, $want:expr) => {
        $crate::claim!("a", "io_destroy: ", $want)
    };
    (io_getevents, $want:expr) => {
        $crate::claim!("a", "io_getevents: ", $want)
    };
    (io_submit, $want:expr) => {
        $crate::claim!("a", "io_submit: ", $want)
    };
    (io_cancel, $want:expr) => {
        $crate::claim!("a", "io_cancel: ", $want)
    };
    (io_pgetevents, $want:expr) => {
        $crate::claim!("a", "io_pgetevents: ", $want)
    };
    (memfd_create, $want:expr) => {
        $crate::claim!("a", "memfd_create: ", $want)
    };
    (openat, $want:expr) => {
        $crate::claim!("o", "openat: ", $want)
    };
    ($other:ident, $want:expr) => {
        $crate::claim!("c", concat!(stringify!($other), ": "), $want)
    };
}

/// Makes a call and compares its answer with what is expected, written as tracers print it:
/// `call!(io_destroy(0) = -EINVAL)`; a list where the kernel has a choice, the usual answer first;
/// `> 0` where it is any number above. Any other answer ends the story.
#[macro_export]
macro_rules! call {
    ($name:ident ( $($arg:expr),* ) = [$want:expr $(, $more:expr)*]) => {{
        let got = $crate::report::raw($name($($arg),*));
        $crate::report::expect(
            $crate::claim!($name, stringify!($want)),
            got,
            // The usual answer is looked for first: unhidden, the compiler would sort the others in.
            got == $want $(|| got == ::core::hint::black_box($more))*,
        )?
    }};
    ($name:ident ( $($arg:expr),* ) = $want:expr) => {
        $crate::call!($name($($arg),*) = [$want])
    };
    ($name:ident ( $($arg:expr),* ) > $least:expr) => {{
        let got = $crate::report::raw($name($($arg),*));
        let claim = $crate::claim!($name, concat!("> ", stringify!($least)));
        $crate::report::expect(claim, got, got > $least)?
    }};
}

/// Errors as a set of bits, each at its number.
const fn set(errors: &[Errno]) -> u64 {
    let (mut set, mut at) = (0, 0);
    while at < errors.len() {
        set |= 1 << errors[at].number();
        at += 1;
    }
    set
}
