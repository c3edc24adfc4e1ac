//! The words that stories are told with; a story takes them all by `use ioworkload::story::*`.

pub use crate::fixture_story as story;
pub use crate::owned::{Context, Fd};
use crate::packed::Trace;
use crate::report::add;
pub use crate::report::{Claim, Failure};
pub use crate::rounds::Rounds;
pub use crate::sys::aio_abi::*;
pub use crate::sys::errno::*;
pub use crate::sys::*;
pub use crate::target::Target;
use crate::text::Line;
pub use crate::{bytes, call, completed, fd, field, list, reaped};
use core::ffi::CStr;
pub use core::ptr::{null, null_mut};

/// A named, fixed sequence of syscalls with known arguments and results.
pub struct Scenario {
    /// The name, which is also the fixture's.
    pub name: &'static str,
    /// The path of its target file.
    pub target: &'static CStr,
    /// Its expected trace, `tests/expected/<name>.json`.
    pub expected: Trace,
    /// How many rounds its fixture makes, where the scenario counts them itself.
    pub rounds: Option<u32>,
    /// Makes the calls, in each round; or around all rounds and in each, where it counts them
    /// itself.
    pub run: fn(Rounds) -> Outcome,
}

/// How a story ends: well, or with the first thing that went otherwise.
pub type Outcome = Result<(), Failure>;

/// The 15 bytes that are written, as the original workload writes them.
pub const PAYLOAD: &[u8; 15] = b"ior-aio-submit\n";

/// The request to write [`PAYLOAD`] at the start of `fd`; `data` comes back in its completion.
#[must_use]
pub fn pwrite(fd: u32, data: u64) -> Iocb {
    Iocb {
        aio_data: data,
        aio_lio_opcode: IOCB_CMD_PWRITE,
        aio_fildes: fd,
        aio_buf: PAYLOAD.as_ptr() as u64,
        aio_nbytes: PAYLOAD.len() as u64,
        ..Iocb::default()
    }
}

/// The request to read `nbytes` at the start of `fd` into `buf`.
#[must_use]
pub fn pread(fd: u32, data: u64, buf: *mut u8, nbytes: u64) -> Iocb {
    Iocb {
        aio_data: data,
        aio_lio_opcode: IOCB_CMD_PREAD,
        aio_fildes: fd,
        aio_buf: buf as u64,
        aio_nbytes: nbytes,
        ..Iocb::default()
    }
}

/// The request to wait once for `events` of `fd`.
#[must_use]
pub fn poll(fd: u32, data: u64, events: u32) -> Iocb {
    Iocb {
        aio_data: data,
        aio_lio_opcode: IOCB_CMD_POLL,
        aio_fildes: fd,
        aio_buf: u64::from(events),
        ..Iocb::default()
    }
}

/// A pipe, by its reading and its writing end; `fildes` is where the kernel writes their numbers.
///
/// # Errors
/// What `pipe2` answered.
#[inline(always)]
pub fn pipe(fildes: &mut [u32; 2]) -> Result<(Fd, Fd), Failure> {
    call!(pipe2(fildes, O_CLOEXEC) = 0);
    let [reader, writer] = *fildes;
    Ok((Fd::new(reader as usize), Fd::new(writer as usize)))
}

/// How long a completion that is sure to come may take: it comes from a worker of the kernel, on
/// machines that can be slow. Nothing waits so long unless something is wrong.
pub const DEADLINE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};

/// No time: what is not there now won't be waited for.
pub const NOW: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// A pointer that leads nowhere, and can't: all its bits are set.
#[must_use]
pub const fn bad<T>() -> *mut T {
    core::ptr::without_provenance_mut(usize::MAX)
}

/// A pointer into the kernel's half of the address space, and to none of its memory.
#[must_use]
pub const fn kernel<T>() -> *mut T {
    core::ptr::without_provenance_mut(0xffff_8000_dead_bee0)
}

/// A mask for `io_pgetevents` that lets all signals in but SIGPIPE: where nobody has read
/// ioworkload's PID line it is held back and waits, and an empty mask would let it in.
pub const OPEN_MASK: u64 = sigset(SIGPIPE);

/// What stands for a mask of so many bytes in `io_pgetevents`.
#[must_use]
pub const fn aio_sigset((sigmask, sigsetsize): (*const u64, u64)) -> AioSigset {
    AioSigset {
        sigmask,
        sigsetsize,
    }
}

/// Holds a completion against the request that it must be of, and against its result, which `claim`
/// states; `others` are about its fields `data`, `obj` and `res2`.
///
/// # Errors
/// The first field that is otherwise.
pub fn completion(
    event: &IoEvent,
    iocb: &Iocb,
    res: i64,
    claim: Claim,
    [data, obj, res2]: &[Claim; 3],
) -> Outcome {
    let place = core::ptr::from_ref(iocb) as u64;
    hold(*data, event.data as i64, event.data == iocb.aio_data)?;
    hold(*obj, event.obj as i64, event.obj == place)?;
    hold(claim, event.res, event.res == res)?;
    hold(*res2, event.res2, event.res2 == 0).map(drop)
}

/// Where two texts differ: the number of the first byte, from 0; -1 if they don't.
#[must_use]
pub fn first_difference(got: &[u8], want: &[u8]) -> i64 {
    let mut pairs = got.iter().zip(want);
    pairs
        .position(|(one, other)| one != other)
        .map_or(-1, |at| at as i64)
}

/// Ends a fixture whose story has failed: one line on stderr, which starts with `name`, and the exit
/// code.
#[cold]
pub fn failed(name: &CStr, target: &CStr, failure: Failure) -> ! {
    let mut line = Line::default();
    add(&mut line, name);
    let code = failure.tell(&mut line, target);
    line.print(STDERR);
    exit_group(code)
}

/// A text that `concat!` has ended with a NUL.
///
/// # Panics
/// When compiling, if there is another in it.
#[must_use]
pub const fn c_text(text: &str) -> &CStr {
    match CStr::from_bytes_with_nul(text.as_bytes()) {
        Ok(text) => text,
        Err(_) => panic!("a NUL in the text"),
    }
}

/// Passes on a value that the story expects.
///
/// # Errors
/// The claim, and the value that it got instead.
pub const fn hold(claim: Claim, got: i64, expected: bool) -> Result<i64, Failure> {
    if expected {
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
    ($other:ident, $want:expr) => {
        $crate::claim!("c", concat!(stringify!($other), ": "), $want)
    };
}

/// Makes a call and holds it against its answer, written as tracers print it:
/// `call!(io_destroy(0) = -EINVAL)`; a list where the kernel has a choice, the usual answer first;
/// `> 0` where it is any number above. Any other answer ends the story.
#[macro_export]
macro_rules! call {
    ($name:ident ( $($arg:expr),* ) = [$want:expr $(, $more:expr)*]) => {{
        let got = $crate::story::raw($name($($arg),*));
        $crate::story::hold(
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
        let got = $crate::story::raw($name($($arg),*));
        let claim = $crate::claim!($name, concat!("> ", stringify!($least)));
        $crate::story::hold(claim, got, got > $least)?
    }};
}

/// Makes a call that opens a descriptor, and takes it over: `fd!(eventfd2(0, O_CLOEXEC))`.
#[macro_export]
macro_rules! fd {
    ($name:ident ( $($arg:expr),* )) => {
        $crate::story::Fd::new($crate::call!($name($($arg),*) > -1) as usize)
    };
}

/// Holds a field that a call has filled against its value: `field!(io_getevents: event.res = 15)`.
#[macro_export]
macro_rules! field {
    ($call:ident: $place:ident.$field:ident = $want:expr) => {{
        let (got, want) = ($place.$field, $want);
        let what = $crate::claim!(
            "f",
            concat!(stringify!($call), ": ", stringify!($field), " is "),
            stringify!($want)
        );
        #[allow(clippy::cast_lossless, reason = "some fields are u64")]
        let shown = got as i64;
        $crate::story::hold(what, shown, got == want)?
    }};
}

/// Holds what a call has written to memory against what it should be, up to the shorter's end:
/// `bytes!(io_submit: buffer => PAYLOAD)`.
#[macro_export]
macro_rules! bytes {
    ($call:ident: $got:expr => $want:expr) => {{
        let at = $crate::story::first_difference(&$got[..], &$want[..]);
        let what = $crate::claim!(
            "f",
            concat!(stringify!($call), ": the first wrong byte is "),
            "none"
        );
        $crate::story::hold(what, at, at == -1)?
    }};
}

/// Holds a completion against the request that it must be of, and against its result; it comes from
/// io_getevents, if no other call is named: `completed!(io_pgetevents: event, iocb, 15)`.
#[macro_export]
macro_rules! completed {
    ($call:ident: $event:expr, $iocb:expr, $res:expr) => {
        $crate::story::completion(
            &$event,
            &$iocb,
            $res,
            $crate::claim!("f", concat!(stringify!($call), ": res is "), stringify!($res)),
            &[
                $crate::claim!("f", concat!(stringify!($call), ": data is "), "aio_data"),
                $crate::claim!("f", concat!(stringify!($call), ": obj is "), "&iocb"),
                $crate::claim!("f", concat!(stringify!($call), ": res2 is "), "0"),
            ],
        )?
    };
    ($event:expr, $iocb:expr, $res:expr) => {
        $crate::completed!(io_getevents: $event, $iocb, $res)
    };
}

/// The list of these requests, for io_submit: writes their addresses to `list`, a place of its own,
/// and gives the place's. `list!(iocbpp: iocb)`.
#[macro_export]
macro_rules! list {
    ($list:ident: $($iocb:expr),+) => {{
        $list = [$(&raw mut $iocb),+];
        $list.as_ptr()
    }};
}

/// Fetches the one completion that is there or sure to come, and looks at it.
#[macro_export]
macro_rules! reaped {
    ($ctx:ident, $deadline:ident, $event:ident, $iocb:expr, $res:expr) => {{
        $crate::call!(io_getevents($ctx.id, 1, 1, &raw mut $event, &raw const $deadline) = 1);
        $crate::completed!($event, $iocb, $res);
    }};
}

/// Declares the story of a file as the scenario of that name, told by the file's function `run`.
/// With a number, `run` counts its rounds itself, and the number is how many the fixture makes.
///
/// A story is a program of its own, the fixture, and a module of the library. It says
/// `crate::story!`: in the fixture `crate` is the story itself, which has this macro from here and
/// so gets its entry point; in the library `crate` is the library, which has [`story_module`] under
/// that name.
#[macro_export]
macro_rules! fixture_story {
    ($name:literal $(, $rounds:literal)?) => {
        $crate::story_module!($name $(, $rounds)?);
        $crate::program!(main);

        #[inline(always)]
        fn main(_: $crate::rt::Stack) -> u8 {
            match run($($crate::rounds::Rounds::new($rounds, 0))?) {
                Ok(()) => 0,
                Err(failure) => $crate::story::failed(
                    const { $crate::story::c_text(concat!($name, ": \0")) },
                    TARGET,
                    failure,
                ),
            }
        }
    };
}

/// Declares the scenario and nothing else.
#[macro_export]
macro_rules! story_module {
    ($name:literal) => {
        $crate::story_module!(@ $name, None, |rounds| rounds.each(run));
    };
    ($name:literal, $rounds:literal) => {
        $crate::story_module!(@ $name, Some($rounds), run);
    };
    (@ $name:literal, $rounds:expr, $run:expr) => {
        /// The path of the target file.
        const TARGET: &::core::ffi::CStr =
            $crate::story::c_text(concat!(env!("FIXTURE_TMP"), "/ioworkload-", $name, "\0"));

        #[doc = concat!("The scenario `", $name, "`.")]
        pub const SCENARIO: $crate::story::Scenario = $crate::story::Scenario {
            name: $name,
            target: TARGET,
            expected: include!(concat!(env!("OUT_DIR"), "/", $name, ".rs")),
            rounds: $rounds,
            run: $run,
        };
    };
}
