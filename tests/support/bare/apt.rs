//! What Debian has and a test needs, fetched once with the machine's own package manager into
//! target/kernels, and never installed.

use anyhow::{Context, Result, bail, ensure};
use nix::fcntl::{Flock, FlockArg};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who signs Debian's archives; each package of this key ring knows the suites of its time.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A directory of target/kernels. The first time `fetch` fills it, out of packages of the suite; until
/// all is there, nothing stands under its name.
///
/// # Errors
/// It can't be fetched.
pub(super) fn fetched(
    name: &str,
    suite: &str,
    fetch: impl FnOnce(&Apt<'_>, &Path) -> Result<()>,
) -> Result<PathBuf> {
    let kernels = crate::target().join("kernels");
    fs::create_dir_all(&kernels)?;
    let lock = File::create(kernels.join("lock"))?;
    // Two that want the same one take it one after the other.
    let _lock = Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| errno)?;
    let place = kernels.join(name);
    if !place.exists() {
        eprintln!("fetching {name} of Debian {suite}");
        fill(&place, &kernels, suite, fetch)
            .with_context(|| format!("no {name} of Debian {suite}"))?;
    }
    Ok(place)
}

fn fill(
    place: &Path,
    kernels: &Path,
    suite: &str,
    fetch: impl FnOnce(&Apt<'_>, &Path) -> Result<()>,
) -> Result<()> {
    let room = tempfile::TempDir::new_in(kernels)?;
    let whole = room.path().join("whole");
    fs::create_dir(&whole)?;
    fetch(&Apt::new(suite, room.path())?, &whole)?;
    Ok(fs::rename(whole, place)?)
}

/// The machine's package manager with everything of its own: sources, lists, cache, state. Nothing
/// of the machine's is touched.
pub(super) struct Apt<'a> {
    room: &'a Path,
}

impl<'a> Apt<'a> {
    /// One for a suite, which knows its packages.
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
        let apt = Self { room };
        apt.run("apt-get", &["update", "-q"])?;
        Ok(apt)
    }

    /// What a command says on stdout.
    fn run(&self, command: &str, args: &[&str]) -> Result<String> {
        let mut command = Command::new(command);
        command.args(args).current_dir(self.room);
        said(command.env("APT_CONFIG", self.room.join("apt.conf")))
    }

    /// The newest package that another one, which has nothing in it, depends on.
    pub(super) fn newest(&self, meta: &str, start: &str) -> Result<String> {
        let said = self.run("apt-cache", &["depends", meta])?;
        let depends = said
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "));
        let name = depends.into_iter().find(|name| name.starts_with(start));
        Ok(name
            .with_context(|| format!("{meta} depends on none:\n{said}"))?
            .into())
    }

    /// Downloads a package and unpacks it; where it lies.
    pub(super) fn unpack(&self, package: &str) -> Result<PathBuf> {
        self.run("apt-get", &["download", "-q", package])?;
        let ours = |file: &PathBuf| {
            file.extension().is_some_and(|end| end == "deb") && named(file, &format!("{package}_"))
        };
        let file = files(self.room)?.into_iter().find(ours);
        let file = file.with_context(|| format!("{package} is not where apt-get puts it"))?;
        let root = self.room.join(package);
        said(Command::new("dpkg-deb").arg("-x").arg(file).arg(&root))?;
        eprintln!("fetched {package}");
        Ok(root)
    }
}

/// The file below a directory whose name starts so.
pub(super) fn find_file(directory: &Path, start: &str) -> Result<Option<PathBuf>> {
    for path in files(directory)? {
        if path.is_symlink() {
            continue;
        }
        let found = if path.is_dir() {
            find_file(&path, start)?
        } else {
            named(&path, start).then_some(path)
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
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
pub(super) fn said(command: &mut Command) -> Result<String> {
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
