//! What a scenario is, and how an answer is held against what is expected; with the requests and the
//! words, all that a story takes by `use ioworkload::story::*`.

pub use crate::fixture_story as story;
pub use crate::owned::{Context, Fd};
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
pub use requests::*;

mod requests;
mod words;

/// A named, fixed sequence of syscalls with known arguments and results.
pub struct Scenario {
    /// The name, which is also the fixture's.
    pub name: &'static str,
    /// The path of its target file.
    pub target: &'static CStr,
    /// The text of its expected trace, `tests/expected/<name>.json`.
    pub expected: &'static str,
    /// How many rounds its fixture makes, where the scenario counts them itself.
    pub rounds: Option<u32>,
    /// Makes the calls, in each round; or around all rounds and in each, where it counts them
    /// itself.
    pub run: fn(Rounds) -> Outcome,
}

/// How a story ends: well, or with the first thing that went otherwise.
pub type Outcome = Result<(), Failure>;

/// Holds a completion against the request that it must be of, and against its result, which `claim`
/// states; the last three claim its fields `data`, `obj` and `res2`.
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
