//! Archives that are the same to the last bit whenever the same is in them: for a kernel (cpio, the form
//! newc, gzip) and for a container (tar).

use anyhow::{Context, Result};
use cpio::newc::{Builder, trailer};
use libdeflater::{CompressionLvl, Compressor};
use nix::libc::{S_IFCHR, S_IFDIR, S_IFMT, S_IFREG};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use tar::EntryType;

/// A name in an archive, and what it stands for. All belong to root, and none has a time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Node {
    /// The path, without a slash in front.
    pub name: String,
    /// Type and permissions.
    mode: u32,
    /// Of a device: major and minor number.
    device: (u32, u32),
    /// What a program is a copy of.
    file: Option<PathBuf>,
}

impl Node {
    fn new(name: &str, mode: u32) -> Self {
        Self {
            name: name.into(),
            mode,
            device: (0, 0),
            file: None,
        }
    }

    /// A program that everybody may run.
    #[must_use]
    pub fn program(name: &str, file: PathBuf) -> Self {
        Self {
            file: Some(file),
            ..Self::new(name, S_IFREG | 0o755)
        }
    }

    /// A device that takes characters: its permissions, major and minor number.
    #[must_use]
    pub fn device(name: &str, permissions: u32, major: u32, minor: u32) -> Self {
        Self {
            device: (major, minor),
            ..Self::new(name, S_IFCHR | permissions)
        }
    }

    /// A directory with these permissions.
    #[must_use]
    pub fn directory(name: &str, permissions: u32) -> Self {
        Self::new(name, S_IFDIR | permissions)
    }

    fn content(&self) -> Result<Vec<u8>> {
        let Some(file) = &self.file else {
            return Ok(Vec::new());
        };
        fs::read(file).with_context(|| file.display().to_string())
    }
}

/// The archive that a kernel unpacks into its first file system
/// (`Documentation/driver-api/early-userspace/buffer-format.rst`).
///
/// # Errors
/// A program can't be read.
pub fn initramfs(mut nodes: Vec<Node>) -> Result<Vec<u8>> {
    nodes.sort();
    let mut cpio = Vec::new();
    for (ino, node) in (1..).zip(&nodes) {
        let content = node.content()?;
        let entry = Builder::new(&node.name).ino(ino).mode(node.mode).nlink(1);
        let entry = entry.rdev_major(node.device.0).rdev_minor(node.device.1);
        let mut writer = entry.write(&mut cpio, u32::try_from(content.len())?);
        writer.write_all(&content)?;
        writer.finish()?;
    }
    gzip(trailer(&mut cpio)?)
}

/// gzip without name and time, as small as this format gets without minutes of work.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut compressor = Compressor::new(CompressionLvl::best());
    let mut gzip = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let len = compressor.gzip_compress(bytes, &mut gzip)?;
    gzip.truncate(len);
    Ok(gzip)
}

/// The archive that a container starts from: programs and directories.
///
/// # Errors
/// A program can't be read.
pub fn rootfs(mut nodes: Vec<Node>) -> Result<Vec<u8>> {
    nodes.sort();
    let mut tar = tar::Builder::new(Vec::new());
    for node in &nodes {
        let content = node.content()?;
        let mut header = tar::Header::new_ustar();
        header.set_mode(node.mode & !S_IFMT);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len() as u64);
        header.set_entry_type(match node.file {
            Some(_) => EntryType::Regular,
            None => EntryType::Directory,
        });
        tar.append_data(&mut header, &node.name, content.as_slice())?;
    }
    Ok(tar.into_inner()?)
}
