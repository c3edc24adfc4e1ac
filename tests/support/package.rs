//! A release as a packager makes it: a copy of the source tree, `make dist deb` in it, and what comes
//! out.

use crate::root;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Who packs, where and when: nothing of it may be in a release.
pub struct Packager<'a> {
    /// The variables TZ, LC_ALL and USER.
    pub environment: [&'a str; 3],
    /// What permissions new files lack.
    pub umask: &'a str,
    /// The date that the source's files bear.
    pub sources: &'a str,
    /// Whether another user than ourselves packs what we have built.
    pub stranger: bool,
}

/// A copy of the source tree, and all that a packager leaves there.
pub struct Workshop {
    place: TempDir,
    /// What `make install`, `dist` and `deb` are run with.
    environment: Vec<(&'static str, OsString)>,
}
