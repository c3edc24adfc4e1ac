//! Kernels to boot: a file of somebody's, or one of Debian's, unpacked and never installed.

use super::apt::{Apt, fetched, find_file};
use anyhow::{Context, Result};
use ioworkload_check::expected::Kernel;
use std::fs;
use std::path::{Path, PathBuf};

/// The package that depends on the newest one with a kernel for virtual machines.
const CLOUD: &str = "linux-image-cloud-amd64";

/// The same for a kernel with a driver for everything, 9p among them.
const FULL: &str = "linux-image-amd64";

/// A kernel in the form that a boot loader takes.
#[derive(Clone, Debug)]
pub struct Image {
    /// The file.
    pub path: PathBuf,
    /// What it was asked for by: the suite, or the file's name.
    pub name: String,
    /// Its version in its own words: `6.1.0-40-cloud-amd64`.
    pub release: String,
}

impl Image {
    /// The kernel in a file.
    fn of_file(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("kernel {}", path.display()))?;
        let release =
            release(&bytes).with_context(|| format!("{} is no bzImage", path.display()))?;
        let name = path.file_name().context("a kernel is a file")?;
        Ok(Self {
            path: path.into(),
            name: name.to_string_lossy().into_owned(),
            release,
        })
    }

    /// The version, as far as expected traces differ by it.
    ///
    /// # Errors
    /// The kernel has no number for a name.
    pub fn version(&self) -> Result<Kernel> {
        self.release.parse()
    }
}

/// The first word of the version that a bzImage carries (`Documentation/arch/x86/boot.rst`: the
/// header's magic at 0x202, kernel_version at 0x20e, to be counted from 0x200).
fn release(image: &[u8]) -> Option<String> {
    let magic = image.get(0x202..)?.starts_with(b"HdrS");
    let place = u16::from_le_bytes(*image.get(0x20e..)?.first_chunk()?);
    let text = image.get(0x200 + usize::from(place)..)?;
    let text = text.split(|byte| b" \0".contains(byte)).next()?;
    magic.then(|| String::from_utf8_lossy(text).into_owned())
}

/// The kernel that a word asks for: a path, or else a suite of Debian's.
///
/// # Errors
/// It can't be read or fetched.
pub fn find(word: &str) -> Result<Image> {
    if word.contains('/') {
        return Image::of_file(Path::new(word));
    }
    of_debian(word, word, |apt, place| unpack(apt, CLOUD, place).map(drop))
}

/// A suite's kernel for every machine, and these of its modules.
///
/// # Errors
/// It can't be fetched, or has no such module.
pub fn with_modules(suite: &str, modules: &[&str]) -> Result<(Image, Vec<PathBuf>)> {
    let fetch = |apt: &Apt<'_>, place: &Path| {
        let root = unpack(apt, FULL, place)?;
        modules
            .iter()
            .try_for_each(|module| keep(&root, module, place))
    };
    let image = of_debian(&format!("{suite}-full"), suite, fetch)?;
    let paths = modules
        .iter()
        .map(|module| image.path.with_file_name(module));
    Ok((image.clone(), paths.collect()))
}

fn of_debian(
    name: &str,
    suite: &str,
    fetch: impl FnOnce(&Apt<'_>, &Path) -> Result<()>,
) -> Result<Image> {
    let mut image = Image::of_file(&fetched(name, suite, fetch)?.join("vmlinuz"))?;
    image.name = name.into();
    Ok(image)
}

/// Keeps the newest kernel that a package depends on; where all of it was unpacked.
fn unpack(apt: &Apt<'_>, newest: &str, place: &Path) -> Result<PathBuf> {
    let package = apt.newest(newest, "linux-image-")?;
    let root = apt.unpack(&package)?;
    // Where the package has only scripts, one of the same version has the kernel.
    if keep(&root, "vmlinuz", place).is_err() {
        let root = apt.unpack(&package.replacen("linux-image-", "linux-binary-", 1))?;
        keep(&root, "vmlinuz", place)?;
    }
    Ok(root)
}

/// Moves the file whose name starts so to its place.
fn keep(root: &Path, name: &str, place: &Path) -> Result<()> {
    let file = find_file(root, name)?;
    let file = file.with_context(|| format!("no {name} in {}", root.display()))?;
    Ok(fs::rename(file, place.join(name))?)
}
