//! Waiting for a tracer: the gates of the original workload, set by environment variables.

use crate::cli::Misuse;
use crate::sys::errno::EINTR;
use crate::sys::{AT_FDCWD, F_OK, Timespec, faccessat, nanosleep};
use core::ffi::CStr;

const DELAY_MS: u32 = 8_000;
const POLL_MS: u32 = 10;
const STARTUP_DEADLINE_MS: u32 = 30_000;
const HOLD_DEADLINE_MS: u32 = 120_000;

/// A way to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gate {
    /// Not at all.
    None,
    /// For so many milliseconds.
    Sleep(u32),
    /// Until this path exists.
    File {
        /// The path; links are followed.
        path: &'static CStr,
        /// How long at most, in milliseconds of sleep between the looks.
        deadline_ms: u32,
    },
}

impl Gate {
    /// The gate before the scenario: `IOR_WORKLOAD_STARTUP_FILE`, else
    /// `IOR_WORKLOAD_STARTUP_DELAY_MS`, else 8 s. An empty variable counts as none.
    ///
    /// # Errors
    /// A delay that is no number, or that 32 bits don't hold.
    pub fn startup(
        file: Option<&'static CStr>,
        delay: Option<&'static CStr>,
    ) -> Result<Self, Misuse<'static>> {
        match (given(file), given(delay)) {
            (Some(path), _) => Ok(Self::File {
                path,
                deadline_ms: STARTUP_DEADLINE_MS,
            }),
            (None, Some(ms)) => number(ms.to_bytes())
                .map(Self::Sleep)
                .ok_or(Misuse::BadDelay(ms.to_bytes())),
            (None, None) => Ok(Self::Sleep(DELAY_MS)),
        }
    }

    /// The gate behind the scenario: `IOR_WORKLOAD_HOLD_FILE`, else none.
    #[must_use]
    pub fn hold(file: Option<&'static CStr>) -> Self {
        given(file).map_or(Self::None, |path| Self::File {
            path,
            deadline_ms: HOLD_DEADLINE_MS,
        })
    }

    /// Waits. Signals that are handled or stop the process don't shorten it.
    ///
    /// # Errors
    /// The path that did not appear in time.
    pub fn wait(self) -> Result<(), &'static CStr> {
        match self {
            Self::None => {}
            Self::Sleep(ms) => sleep(ms),
            Self::File { path, deadline_ms } => {
                let mut left = deadline_ms / POLL_MS;
                while faccessat(AT_FDCWD, path, F_OK).is_err() {
                    left = left.checked_sub(1).ok_or(path)?;
                    sleep(POLL_MS);
                }
            }
        }
        Ok(())
    }
}

fn given(variable: Option<&'static CStr>) -> Option<&'static CStr> {
    variable.filter(|value| !value.is_empty())
}

fn sleep(ms: u32) {
    let mut time = Timespec {
        tv_sec: i64::from(ms / 1000),
        tv_nsec: i64::from(ms % 1000) * 1_000_000,
    };
    while nanosleep(&mut time) == Err(EINTR) {}
}

/// The number that decimal digits, and nothing but digits, stand for.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u32::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
