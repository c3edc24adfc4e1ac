//! What a scenario is, and how a completion is compared with what is expected; with the requests and
//! the words, all that a story takes by `use crate::story::*`.

pub use crate::owned::{Context, Fd};
use crate::report::add;
pub use crate::report::{Claim, Failure, Outcome, expect};
pub use crate::rounds::Rounds;
pub use crate::sys::aio_abi::*;
pub use crate::sys::errno::*;
pub use crate::sys::*;
pub use crate::target::Target;
use crate::text::Line;
pub use crate::{bytes, call, claim, completed, fd, field, list, reaped, scenario};
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
    pub run: fn(&mut Rounds) -> Outcome,
}

/// Compares a completion with the request that it must be of, and with its result, which `claim`
/// states; the last three claim its fields `data`, `obj` and `res2`.
///
/// # Errors
/// The first field that differs.
pub fn completion(
    event: &IoEvent,
    iocb: &Iocb,
    res: i64,
    claim: Claim,
    [data, obj, res2]: &[Claim; 3],
) -> Outcome {
    let place = core::ptr::from_ref(iocb) as u64;
    expect(*data, event.data as i64, event.data == iocb.aio_data)?;
    expect(*obj, event.obj as i64, event.obj == place)?;
    expect(claim, event.res, event.res == res)?;
    expect(*res2, event.res2, event.res2 == 0).map(drop)
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
    let code = failure.write_to(&mut line, target);
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
