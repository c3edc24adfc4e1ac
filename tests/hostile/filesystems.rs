//! Every fixture on every file system that /tmp can be, on a read-only one, and without one.
//!
//! The rule: a run that opens no path which is missing there ends with 0. One that does ends with 77,
//! and one line names the path's error. Which run opens what is known from its expected trace.
//!
//! Each file system is made in a root directory of its own, by a shell that is the first process of
//! its own namespaces. When that ends, even by a signal, the kernel unmounts all of it.

use crate::run::{Ended, as_root, before, run};
use crate::tally::Cases;
use anyhow::{Context, Result, bail, ensure};
use ioworkload_check::expected::{Expected, Shape, load};
use ioworkload_tests::room::rooms;
use ioworkload_tests::trials::trial;
use ioworkload_tests::{scenarios, target};
use libtest_mimic::Trial;
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::unistd::{chdir, chroot};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

const AREA: &str = "3 file systems";

/// What became of the runs on each: a row of the table.
static ROWS: Mutex<BTreeMap<&'static str, String>> = Mutex::new(BTreeMap::new());

pub fn trials() -> Vec<Trial> {
    let each = |setup: &'static Setup| {
        trial(format!("{AREA}::{}", setup.name), move || {
            each_fixture(setup)
        })
    };
    let mut trials: Vec<_> = SETUPS.iter().map(each).collect();
    trials.push(trial(format!("{AREA}::control"), control));
    trials
}

struct Setup {
    name: &'static str,
    /// What the shell does to make it, in the directory of `root/`.
    script: &'static str,
    /// Opening what is below this path answers this error.
    refused: Option<(&'static str, Errno)>,
}

const fn setup(name: &'static str, script: &'static str) -> Setup {
    Setup {
        name,
        script,
        refused: None,
    }
}

impl Setup {
    const fn refusing(self, below: &'static str, errno: Errno) -> Self {
        let refused = Some((below, errno));
        Self { refused, ..self }
    }
}

#[rustfmt::skip]
const SETUPS: &[Setup] = &[
    setup("tmpfs", "mount -t tmpfs none root/tmp"),
    setup("ramfs", "mount -t ramfs none root/tmp"),
    setup("overlay", "mkdir lower upper work
        mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none root/tmp"),
    setup("ext4", "image ext4"),
    setup("xfs", "image xfs"),
    setup("btrfs", "image btrfs"),
    setup("FUSE", "mkdir below; bindfs below root/tmp; can_map; rm root/tmp/map"),
    // The option depends on bindfs's version. With it, a file can't be mapped.
    setup("FUSE, direct I/O", "mkdir below
        bindfs -o direct_io below root/tmp || bindfs --direct-io below root/tmp
        if can_map; then echo 'not direct'; exit 1; fi; rm root/tmp/map"),
    setup("read-only root", "mount -t tmpfs none root/tmp; mount -o remount,ro root"),
    setup("read-only /tmp", "mount -o remount,ro root").refusing("/tmp/", Errno::EROFS),
    setup("no /tmp", "rmdir root/tmp").refusing("/tmp/", Errno::ENOENT),
    setup("/tmp is a file", "rmdir root/tmp; : >root/tmp").refusing("/tmp/", Errno::ENOTDIR),
    setup("no devices", "rm -r root/dev").refusing("/dev/", Errno::ENOENT),
];

/// Makes a root directory with every fixture in it, says by which number it is known outside, and waits for
/// the end of its input. What it mounts hides [`rooms`] in its own namespace, so nothing is left even
/// if it is killed.
const SCRIPT: &str = r#"
set -e
cd "$1"; mount -t tmpfs none .; cd "$1"
mkdir root; mount -t tmpfs none root; mkdir root/tmp root/dev
mknod root/dev/null c 1 3; mknod root/dev/zero c 1 5; cp "$2"/* root
can_map() { echo >root/tmp/map; python3 -c 'import mmap; mmap.mmap(0, 1)' <>root/tmp/map; }
image() { truncate -s 512M image; "mkfs.$1" -q image; mount -o loop image root/tmp; }
eval "$3" >&2
read -r pid rest </proc/self/stat; echo "$pid"; cat
"#;

/// It is there until this is dropped.
struct Made {
    shell: Child,
    /// The shell's number.
    pid: u32,
}

impl Setup {
    /// What is wrong if it can't be made is said by the shell.
    fn make(&self) -> Result<Made> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child"]);
        command.args(["sh", "-c", SCRIPT, "sh"]).arg(rooms());
        command.arg(target().join("fixtures")).arg(self.script);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.stderr(Stdio::piped()).spawn()?;
        let (mut line, mut errors) = (String::new(), String::new());
        let stdout = shell.stdout.take().context("a pipe")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let Ok(pid) = line.trim().parse() else {
            let mut stderr = shell.stderr.take().context("a pipe")?;
            stderr.read_to_string(&mut errors)?;
            shell.wait()?;
            bail!("{}", errors.trim());
        };
        Ok(Made { shell, pid })
    }

    /// How a run ends here.
    fn predict(&self, expected: &Expected) -> Ended {
        let scenario = &expected.scenario;
        let refused = self.refused.and_then(|(below, errno)| {
            let path = opened(expected).find(|path| path.starts_with(below))?;
            Some((path, errno))
        });
        let Some((path, errno)) = refused else {
            return Ended::with(0, "");
        };
        let number = errno as i32;
        let mut line = format!("{scenario}: openat: {errno:?} (errno {number})");
        if *path == format!("/tmp/ioworkload-{scenario}") {
            line = format!("{line}: {path}");
        }
        Ended::with(77, &line)
    }

    fn check(&self, scenario: &str, ended: &Ended, left: &[String]) -> Result<()> {
        let wanted = self.predict(&load(scenario)?);
        ensure!(*ended == wanted, "{ended:?}, expected {wanted:?}");
        let target = format!("ioworkload-{scenario}");
        ensure!(!left.contains(&target), "left {target}");
        Ok(())
    }
}

/// The paths that a run opens, in order.
fn opened(expected: &Expected) -> impl Iterator<Item = &String> {
    let calls = expected.each().into_iter();
    let opens = calls.filter(|call| call.name == "openat");
    let memory = opens.flat_map(|call| &call.before.0);
    memory.filter_map(|(_, shape)| match shape {
        Shape::Bytes(path) => Some(path),
        _ => None,
    })
}

impl Made {
    fn run(&self, scenario: &str) -> Result<Ended> {
        let namespace = File::open(format!("/proc/{}/ns/mnt", self.pid))?;
        let root = rooms().join("root");
        let mut command = Command::new(Path::new("/").join(scenario));
        before(&mut command, move || {
            setns(&namespace, CloneFlags::CLONE_NEWNS)?;
            chroot(&root)?;
            Ok(chdir("/")?)
        });
        run(&mut command)
    }

    /// The names in its /tmp, if it has one.
    fn names(&self) -> Vec<String> {
        let tmp = format!("/proc/{}/root{}/root/tmp", self.pid, rooms().display());
        let entries = Path::new(&tmp).read_dir().into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.filter(|name| name != "lost+found").collect()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Runs every fixture on a setup, and counts the ends.
fn each_fixture(setup: &'static Setup) -> Result<()> {
    as_root()?;
    let made = match setup.make() {
        Ok(made) => made,
        Err(reason) => return skip(setup, &reason),
    };
    let (mut cases, codes) = (Cases::new(AREA), Mutex::new(Vec::new()));
    cases.each(&scenarios(), |scenario| {
        let ended = made.run(scenario)?;
        let mut codes = codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.push(ended.code);
        drop(codes);
        setup.check(scenario, &ended, &made.names())
    });
    let codes = codes.into_inner().unwrap_or_else(PoisonError::into_inner);
    add_row(setup, counted(setup, &codes));
    cases.verdict()?;
    ensure!(made.names().is_empty(), "left {:?}", made.names());
    Ok(())
}

/// What this machine does not have is no failure, but is said. On CI it is one.
fn skip(setup: &Setup, reason: &anyhow::Error) -> Result<()> {
    let on_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    ensure!(!on_ci, "can't be made here: {reason}");
    eprintln!("SKIPPED: {AREA}: {}: {reason}", setup.name);
    add_row(setup, format!("  SKIPPED: {reason}"));
    Ok(())
}

fn counted(setup: &Setup, codes: &[Option<i32>]) -> String {
    let count = |code| codes.iter().filter(|end| **end == Some(code)).count();
    let (fine, cant) = (count(0), count(77));
    let other = scenarios().len() - fine - cant;
    let reason = setup.refused.map(|(_, errno)| format!("  {errno:?}"));
    let reason = reason.unwrap_or_default();
    format!("{fine:>6}{cant:>6}{other:>8}{reason}")
}

fn add_row(setup: &Setup, row: String) {
    let mut rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    rows.insert(setup.name, row);
}

/// File system, how many fixtures ended with 0, with 77, otherwise.
pub fn table() -> String {
    let rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    let head = format!("{:<20}{:>6}{:>6}{:>8}\n", "/tmp", 0, 77, "other");
    let row = |setup: &Setup| Some(format!("{:<20}{}\n", setup.name, rows.get(setup.name)?));
    let rows: Vec<_> = SETUPS.iter().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    head + &rows.concat() + "\n"
}

/// The rule by heart, what is noticed, and that a setup is gone afterwards.
fn control() -> Result<()> {
    as_root()?;
    let here = setup("control", ": >root/tmp/left; mount -o remount,ro root")
        .refusing("/tmp/", Errno::EROFS);
    let line = "aio-submit: openat: EROFS (errno 30): /tmp/ioworkload-aio-submit";
    let (fine, refused) = (Ended::with(0, ""), Ended::with(77, line));
    let devices = setup("control", "").refusing("/dev/", Errno::ENOENT);
    let no_device = Ended::with(77, "aio-devices: openat: ENOENT (errno 2)");
    let rows = [
        (&here, "aio-submit", &refused),
        (&here, "aio-setup", &fine),
        (&here, "aio-devices", &fine),
        (&devices, "aio-submit", &fine),
        (&devices, "aio-devices", &no_device),
    ];
    for (setup, scenario, wanted) in rows {
        let predicted = setup.predict(&load(scenario)?);
        ensure!(predicted == *wanted, "{scenario}: {predicted:?}");
    }
    let judge = |ended, left: &[String]| here.check("aio-submit", ended, left).is_ok();
    let target = ["ioworkload-aio-submit".to_owned()];
    ensure!(judge(&refused, &[]), "that is how it ends");
    ensure!(!judge(&refused, &target), "what is left is noticed");
    ensure!(!judge(&fine, &[]), "a run that should not is noticed");
    ensure!(!judge(&Ended::with(1, line), &[]), "1 is noticed");

    let made = here.make()?;
    let (pid, ended) = (made.pid, made.run("aio-submit")?);
    ensure!(ended == refused, "{ended:?}");
    ensure!(made.names() == ["left"], "{:?}", made.names());
    drop(made);
    let gone = !Path::new(&format!("/proc/{pid}")).exists();
    ensure!(gone, "the shell is still there");
    let Err(reason) = setup("control", "echo reason >&2; false").make() else {
        bail!("it can't be made");
    };
    ensure!(reason.to_string() == "reason", "{reason}");
    Ok(())
}
