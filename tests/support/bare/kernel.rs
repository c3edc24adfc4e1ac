//! Kernels to boot: a file of somebody's, or Debian's cloud kernel of some suite, fetched once with
//! the machine's own package manager into target/kernels, unpacked there and never installed.

use crate::expected::Kernel;
use anyhow::{Context, Result, bail, ensure};
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package that depends on the newest one with a kernel in it.
const NEWEST: &str = "linux-image-cloud-amd64";

/// Who signs Debian's archives; each package of this key ring knows the suites of its time.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

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
    let kernels = crate::target().join("kernels");
    fs::create_dir_all(&kernels)?;
    let lock = File::create(kernels.join("lock"))?;
    // Two that want the same one take it one after the other.
    let _lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
    let path = kernels.join(word).join("vmlinuz");
    if !path.exists() {
        fetch(word, &kernels).with_context(|| format!("no kernel of Debian {word}"))?;
    }
    let mut image = Image::of_file(&path)?;
    image.name = word.into();
    Ok(image)
}

/// Fetches a suite's newest kernel. Until all of it is there, nothing stands under its name.
fn fetch(suite: &str, kernels: &Path) -> Result<()> {
    eprintln!("fetching the kernel of Debian {suite}");
    let room = tempfile::TempDir::new_in(kernels)?;
    let apt = Apt::new(suite, room.path())?;
    apt.run("apt-get", &["update", "-q"])?;
    let package = apt.newest()?;
    // Where the package has only scripts, one of the same version has the kernel.
    let binary = package.replacen("linux-image-", "linux-binary-", 1);
    let vmlinuz = match apt.unpack(&package)? {
        Some(vmlinuz) => vmlinuz,
        None => apt
            .unpack(&binary)?
            .with_context(|| format!("no vmlinuz in {binary}"))?,
    };
    let place = kernels.join(suite);
    fs::create_dir_all(&place)?;
    fs::rename(vmlinuz, place.join("vmlinuz"))?;
    eprintln!("fetched {package}");
    Ok(())
}

/// The machine's package manager with everything of its own: sources, lists, cache, state. Nothing
/// of the machine's is touched.
struct Apt<'a> {
    room: &'a Path,
}

impl<'a> Apt<'a> {
    fn new(suite: &str, room: &'a Path) -> Result<Self> {
        for directory in [
            "lists/partial",
            "cache/archives/partial",
            "sources",
            "preferences",
        ] {
            fs::create_dir_all(room.join(directory))?;
        }
        fs::write(room.join("sources/debian.sources"), sources(suite)?)?;
        let at = |name: &str| room.join(name).display().to_string();
        let config = [
            ("Dir::Etc::SourceList", "/dev/null".into()),
            ("Dir::Etc::SourceParts", at("sources")),
            ("Dir::Etc::Preferences", "/dev/null".into()),
            ("Dir::Etc::PreferencesParts", at("preferences")),
            ("Dir::State::Lists", at("lists")),
            ("Dir::State::status", "/dev/null".into()),
            ("Dir::Cache", at("cache")),
            // A mirror may stand still; a signature stays one.
            ("Acquire::Check-Valid-Until", "false".into()),
            // What describes programs for a software centre is half of all that would be fetched.
            (
                "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled",
                "false".into(),
            ),
        ];
        let lines = config.map(|(name, value)| format!("{name} \"{value}\";\n"));
        fs::write(room.join("apt.conf"), lines.concat())?;
        Ok(Self { room })
    }

    /// What a command says on stdout.
    fn run(&self, command: &str, args: &[&str]) -> Result<String> {
        let mut command = Command::new(command);
        command.args(args).current_dir(self.room);
        said(command.env("APT_CONFIG", self.room.join("apt.conf")))
    }

    /// The newest package with a kernel in it.
    fn newest(&self) -> Result<String> {
        let said = self.run("apt-cache", &["depends", NEWEST])?;
        let depends = said
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "));
        let kernel = |name: &&str| name.starts_with("linux-image-");
        let name = depends.into_iter().find(kernel);
        Ok(name
            .with_context(|| format!("{NEWEST} depends on none:\n{said}"))?
            .into())
    }

    /// Downloads a package, unpacks it, and looks for the kernel.
    fn unpack(&self, package: &str) -> Result<Option<PathBuf>> {
        self.run("apt-get", &["download", "-q", package])?;
        let ours = |file: &PathBuf| {
            file.extension().is_some_and(|end| end == "deb") && named(file, &format!("{package}_"))
        };
        let file = files(self.room)?.into_iter().find(ours);
        let file = file.with_context(|| format!("{package} is not where apt-get puts it"))?;
        let root = self.room.join(package);
        said(Command::new("dpkg-deb").arg("-x").arg(file).arg(&root))?;
        let mut places = vec![root.join("boot")];
        places.extend(files(&root.join("usr/lib/modules")).unwrap_or_default());
        let all = places
            .iter()
            .flat_map(|place| files(place).unwrap_or_default());
        Ok(all.into_iter().find(|file| named(file, "vmlinuz")))
    }
}

fn files(directory: &Path) -> Result<Vec<PathBuf>> {
    let entries = directory.read_dir()?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn named(file: &Path, start: &str) -> bool {
    file.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(start))
}

/// What a command says on stdout, if it succeeds.
fn said(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.env("LC_ALL", "C").output();
    let output = output.with_context(|| format!("{name} does not start"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{name} failed:\n{}",
        errors.trim_end()
    );
    Ok(String::from_utf8(output.stdout)?)
}

/// The machine's own sources of Debian, with the suite replaced.
fn sources(suite: &str) -> Result<String> {
    let release = fs::read_to_string("/etc/os-release")?;
    let here = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let here = here.context("/etc/os-release has no VERSION_CODENAME")?;
    let uris = said(Command::new("apt-get").args(["update", "--print-uris"]))?;
    let mut sources: Vec<_> = uris
        .lines()
        .filter_map(|line| source(line, here, suite))
        .collect();
    sources.sort();
    sources.dedup();
    if sources.is_empty() {
        bail!("apt-get has no source of Debian {here} here: name a kernel's file instead")
    }
    Ok(sources.join("\n"))
}

/// `'…/debian/dists/bookworm-updates/InRelease' …`: the same place for another suite. The newest
/// has nothing beside it, neither updates nor security.
#[must_use]
pub fn source(line: &str, here: &str, suite: &str) -> Option<String> {
    let (uri, _) = line.strip_prefix('\'')?.split_once("/InRelease'")?;
    let (uri, own) = uri.split_once("/dists/")?;
    let beside = own.strip_prefix(here)?;
    let known = ["", "-updates", "-security"].contains(&beside);
    (known && (suite != "sid" || beside.is_empty())).then(|| {
        format!("Types: deb\nURIs: {uri}\nSuites: {suite}{beside}\nComponents: main\nSigned-By: {KEYS}\n")
    })
}
