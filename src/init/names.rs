//! The fixtures of a directory, by name.

use crate::sys::errno::{EINVAL, ENOTDIR};
use crate::sys::machine::{O_DIRECTORY, getdents64};
use crate::sys::{AT_FDCWD, Errno, O_CLOEXEC, O_PATH, close, openat};
use core::ffi::CStr;

/// Room for 64 names; more are refused.
pub type Names<'a> = heapless::Vec<&'a CStr, 64>;

/// Room for the entries of a directory with that many names.
pub type Entries = [u8; 8192];

/// What is no fixture, but may lie beside them.
const OTHERS: [&[u8]; 2] = [b"init", b"ioworkload"];

/// Why the fixtures can't be listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The kernel has answered so.
    Errno(Errno),
    /// There are more programs than [`Names`] has room for.
    TooMany,
    /// The directory has more in it than [`Entries`] has room for.
    TooLong,
    /// There is none.
    Nothing,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

/// `struct linux_dirent64` (`include/linux/dirent.h`): where its fields are.
const D_RECLEN: usize = 16;
const D_TYPE: usize = 18;
const D_NAME: usize = 19;
/// `d_type` (`include/linux/fs_types.h`): a regular file.
const DT_REG: u8 = 8;
/// `d_type`: the file system does not say.
const DT_UNKNOWN: u8 = 0;

/// Those that are asked for.
///
/// # Errors
/// There are too many.
pub fn given(mut args: impl Iterator<Item = &'static CStr>) -> Result<Names<'static>, Refusal> {
    let mut names = Names::new();
    args.try_for_each(|name| names.push(name))
        .map_err(|_| Refusal::TooMany)?;
    Ok(names)
}

/// The programs in the root directory, sorted by name: regular files, but no hidden ones, `init` or
/// `ioworkload`.
///
/// # Errors
/// What `openat` or `getdents64` answered, or that there are too many, or none.
pub fn find(entries: &mut Entries) -> Result<Names<'_>, Refusal> {
    let len = read(entries)?;
    let mut left = entries.get(..len).unwrap_or_default();
    let mut names = Names::new();
    while let Some((entry, next)) = split(left) {
        left = next;
        if let Some(name) = fixture(entry) {
            let place = names.iter().position(|other| *other > name);
            let place = place.unwrap_or(names.len());
            names.insert(place, name).map_err(|_| Refusal::TooMany)?;
        }
    }
    if names.is_empty() {
        return Err(Refusal::Nothing);
    }
    Ok(names)
}

/// Reads the root directory to its end, however little of it each call brings; the bytes of its
/// entries.
fn read(entries: &mut Entries) -> Result<usize, Refusal> {
    let fd = openat(AT_FDCWD, c"/", O_DIRECTORY | O_CLOEXEC, 0)? as u32;
    let mut len = 0;
    let end = loop {
        match getdents64(fd, entries.get_mut(len..).unwrap_or_default()) {
            Ok(0) => break Ok(len),
            Ok(more) => len += more,
            // Not even the next entry fits.
            Err(EINVAL) => break Err(Refusal::TooLong),
            Err(errno) => break Err(errno.into()),
        }
    };
    let _ = close(fd);
    end
}

/// The first entry, and the rest.
fn split(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = entries.get(D_RECLEN..)?.first_chunk()?;
    entries.split_at_checked(usize::from(u16::from_ne_bytes(*len)))
}

fn fixture(entry: &[u8]) -> Option<&CStr> {
    let name = CStr::from_bytes_until_nul(entry.get(D_NAME..)?).ok()?;
    let hidden = name.to_bytes().starts_with(b".");
    let visible = !hidden && !OTHERS.contains(&name.to_bytes());
    (visible && is_file(*entry.get(D_TYPE)?, name)).then_some(name)
}

/// Where the file system does not say what it is, a file is what is no directory.
fn is_file(kind: u8, name: &CStr) -> bool {
    let directory = || openat(AT_FDCWD, name, O_DIRECTORY | O_PATH | O_CLOEXEC, 0);
    match kind {
        DT_REG => true,
        DT_UNKNOWN => directory().map(|fd| close(fd as u32)) == Err(ENOTDIR),
        _ => false,
    }
}
