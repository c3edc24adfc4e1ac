//! The comparison of a process that was seen whole with what is expected of it: in order, to the last
//! bit of each argument, and to the bytes that pointers lead to where they were read.
//!
//! ```
//! use ioworkload_check::{compare::compare, expected, trace};
//!
//! let expected = expected::load("aio-setup-einval").unwrap();
//! let verdict = compare(&expected, &trace::Seen::default());
//! assert!(!verdict.exact());
//! assert_eq!(verdict.missing(), 6);
//! ```

pub use crate::judge::{bound, whole as compare};
pub use crate::verdict::{Row, Verdict};
