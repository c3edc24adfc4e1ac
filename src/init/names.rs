//! The fixtures of a directory, by name.

use crate::sys::machine::{O_DIRECTORY, getdents64};
use crate::sys::{AT_FDCWD, Errno, O_CLOEXEC, close, openat};
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
    /// There are more than [`Names`] or [`Entries`] has room for.
    TooMany,
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
/// `d_type`: a regular file (`include/linux/fs_types.h`).
const DT_REG: u8 = 8;

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
/// What `openat` or `getdents64` answered, or that there are too many.
pub fn find(entries: &mut Entries) -> Result<Names<'_>, Refusal> {
    let fd = openat(AT_FDCWD, c"/", O_DIRECTORY | O_CLOEXEC, 0)? as u32;
    let len = getdents64(fd, entries);
    // The end of the directory, or more of it than there is room for?
    let rest = getdents64(fd, &mut [0; 280]);
    let _ = close(fd);
    if rest? != 0 {
        return Err(Refusal::TooMany);
    }
    let mut left = entries.get(..len?).unwrap_or_default();
    let mut names = Names::new();
    while let Some((entry, next)) = split(left) {
        left = next;
        if let Some(name) = fixture(entry) {
            let place = names.iter().position(|other| *other > name);
            let place = place.unwrap_or(names.len());
            names.insert(place, name).map_err(|_| Refusal::TooMany)?;
        }
    }
    Ok(names)
}

/// The first entry, and the rest.
fn split(entries: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = entries.get(D_RECLEN..)?.first_chunk()?;
    entries.split_at_checked(usize::from(u16::from_ne_bytes(*len)))
}

fn fixture(entry: &[u8]) -> Option<&CStr> {
    let name = CStr::from_bytes_until_nul(entry.get(D_NAME..)?).ok()?;
    let hidden = name.to_bytes().starts_with(b".");
    let regular = entry.get(D_TYPE) == Some(&DT_REG);
    (regular && !hidden && !OTHERS.contains(&name.to_bytes())).then_some(name)
}
