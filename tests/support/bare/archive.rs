//! Archives that are the same to the last bit whenever they hold the same: for a kernel (cpio, the
//! form newc, gzip) and for a container (tar).

use anyhow::{Context, Result};
use cpio::newc::{Builder, trailer};
use libdeflater::{CompressionLvl, Compressor};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

const S_IFDIR: u32 = 0o040_000;
const S_IFCHR: u32 = 0o020_000;
const S_IFREG: u32 = 0o100_000;

/// A name in an archive, and what it stands for. All belong to root, and none has a time.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Node {
    /// The path, without a slash in front.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What stands in an archive.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A directory with these permissions.
    Directory(u32),
    /// A character device: permissions, major and minor number.
    Device(u32, u32, u32),
    /// A program that everybody may run: a copy of this file.
    Program(PathBuf),
}

impl Node {
    /// A program.
    #[must_use]
    pub fn program(name: &str, file: PathBuf) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Program(file),
        }
    }

    /// A device that takes characters: its major and minor number.
    #[must_use]
    pub fn device(name: &str, major: u32, minor: u32) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Device(0o600, major, minor),
        }
    }

    /// A directory.
    #[must_use]
    pub fn directory(name: &str) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Directory(0o755),
        }
    }

    /// /tmp, for everybody.
    #[must_use]
    pub fn tmp() -> Self {
        Self {
            name: "tmp".into(),
            kind: Kind::Directory(0o1777),
        }
    }

    /// /dev: the console, which the kernel opens for its first process, a serial port for the verdict,
    /// and what needs no driver.
    #[must_use]
    pub fn dev() -> [Self; 5] {
        let rows = [
            ("dev", Kind::Directory(0o755)),
            ("dev/console", Kind::Device(0o600, 5, 1)),
            ("dev/null", Kind::Device(0o666, 1, 3)),
            ("dev/ttyS1", Kind::Device(0o600, 4, 65)),
            ("dev/zero", Kind::Device(0o666, 1, 5)),
        ];
        rows.map(|(name, kind)| Self {
            name: name.into(),
            kind,
        })
    }

    fn mode(&self) -> u32 {
        match self.kind {
            Kind::Directory(permissions) => S_IFDIR | permissions,
            Kind::Device(permissions, ..) => S_IFCHR | permissions,
            Kind::Program(_) => S_IFREG | 0o755,
        }
    }

    fn content(&self) -> Result<Vec<u8>> {
        match &self.kind {
            Kind::Program(file) => fs::read(file).with_context(|| file.display().to_string()),
            Kind::Directory(_) | Kind::Device(..) => Ok(Vec::new()),
        }
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
        let mut entry = Builder::new(&node.name).ino(ino).mode(node.mode()).nlink(1);
        if let Kind::Device(_, major, minor) = node.kind {
            entry = entry.rdev_major(major).rdev_minor(minor);
        }
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

/// The archive that a container starts from.
///
/// # Errors
/// A program can't be read.
pub fn rootfs(mut nodes: Vec<Node>) -> Result<Vec<u8>> {
    nodes.sort();
    let mut tar = tar::Builder::new(Vec::new());
    for node in &nodes {
        let content = node.content()?;
        let mut header = tar::Header::new_ustar();
        header.set_mode(node.mode() & 0o7777);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(content.len() as u64);
        match node.kind {
            Kind::Directory(_) => header.set_entry_type(tar::EntryType::Directory),
            Kind::Program(_) => header.set_entry_type(tar::EntryType::Regular),
            Kind::Device(_, major, minor) => {
                header.set_entry_type(tar::EntryType::Char);
                header.set_device_major(major)?;
                header.set_device_minor(minor)?;
            }
        }
        tar.append_data(&mut header, &node.name, content.as_slice())?;
    }
    Ok(tar.into_inner()?)
}
