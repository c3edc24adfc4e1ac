//! Whether a tracer saw exactly the syscalls that a fixture of ioworkload makes: the expected traces,
//! what was seen, and the comparison of the two.
//!
//! ```
//! use ioworkload_check::event::{Call, Event, Ret, Value, What};
//! use ioworkload_check::expected;
//! use ioworkload_check::judge::{Judge, Options};
//!
//! let expected = expected::load("aio-setup").unwrap();
//! let mut judge = Judge::new(&expected, Options::default());
//! let io_setup = Call {
//!     name: Some("io_setup".into()),
//!     args: Some(vec![Value::Number(33), Value::Number(0x7ffd_1000)]),
//!     ret: Some(Ret::Number(0)),
//!     ..Call::default()
//! };
//! judge.event(Event { tid: 1, line: 1, what: What::Whole(io_setup) });
//! let verdict = judge.finish();
//! assert!(!verdict.exact());
//! assert_eq!(
//!     verdict.differences(),
//!     [
//!         "io_setup(0x21, 0x7ffd1000) = 0: argument 0 should be 0x20",
//!         "missing: io_destroy",
//!         "missing: exit_group",
//!     ]
//! );
//! ```

pub mod compare;
pub mod ctype;
pub mod event;
pub mod events;
pub mod expected;
pub mod formats;
pub mod judge;
pub mod layout;
#[cfg(feature = "proof")]
pub mod proof;
pub mod render;
pub mod strace;
pub mod syscalls;
pub mod trace;
pub mod verdict;
