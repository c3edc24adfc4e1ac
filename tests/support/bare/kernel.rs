//! Kernels to boot: a file of somebody's, or one of Debian's, unpacked and never installed.

use super::apt::{fetched, find_file};
use anyhow::{Context, Result};
use ioworkload_check::expected::Kernel;
use std::fs;
use std::path::{Path, PathBuf};

/// The packages that depend on the newest kernel for virtual machines, and on that with a driver for
/// everything, 9p among them.
const CLOUD: &str = "linux-image-cloud-amd64";
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
    of_debian(word, word, CLOUD, &[])
}

/// A suite's kernel for every machine, and these of its modules.
///
/// # Errors
/// It can't be fetched, or has no such module.
pub fn with_modules(suite: &str, modules: &[&str]) -> Result<(Image, Vec<PathBuf>)> {
    let image = of_debian(&format!("{suite}-full"), suite, FULL, modules)?;
    let paths = modules
        .iter()
        .map(|module| image.path.with_file_name(module));
    Ok((image.clone(), paths.collect()))
}

fn of_debian(name: &str, suite: &str, meta: &str, modules: &[&str]) -> Result<Image> {
    let place = fetched(name, suite, [meta, "linux-image-"], |root, place| {
        for name in ["vmlinuz"].iter().chain(modules) {
            fs::rename(find_file(root, name)?, place.join(name))?;
        }
        Ok(())
    })?;
    let mut image = Image::of_file(&place.join("vmlinuz"))?;
    image.name = name.into();
    Ok(image)
}
