//! Every fixture in every environment: each file system as /tmp, a read-only one and none, what can stand
//! at a target's path, other owners, no room.
//!
//! The rule: each row says with which code and line a run ends that opens a path below `below`; all
//! others end with 0. After 0 the run's target is gone, whatever stood there; nothing else is touched.
//!
//! Each environment is a root directory of its own, made by a shell that is the first process of its own
//! namespaces. When that ends, even by a signal, the kernel unmounts all of it.

use crate::run::{Ended, as_root, become_user, before, finish, start};
use crate::tally::Cases;
use anyhow::{Context, Result, bail, ensure};
use ioworkload_check::expected::{Expected, Shape, load};
use ioworkload_tests::gated::{DELAY, HOLD, STARTUP};
use ioworkload_tests::room::rooms;
use ioworkload_tests::trials::trial;
use ioworkload_tests::{NOBODY, scenarios, target};
use libtest_mimic::Trial;
use nix::sched::{CloneFlags, setns};
use nix::unistd::{chdir, chroot};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

const AREA: &str = "3 environments";

/// What became of the runs in each: a row of the table.
static ROWS: Mutex<BTreeMap<&'static str, String>> = Mutex::new(BTreeMap::new());

pub fn trials() -> Vec<Trial> {
    let each = |environment: &'static Environment| {
        trial(format!("{AREA}::{}", environment.name), move || {
            each_fixture(environment)
        })
    };
    let mut trials: Vec<_> = ENVIRONMENTS.iter().map(each).collect();
    trials.push(trial(format!("{AREA}::control"), control));
    trials
}

struct Environment {
    name: &'static str,
    /// What the shell does to make it, in the directory of `root/`.
    script: &'static str,
    user: u32,
    /// How a run ends that opens a path below this one.
    end: Option<(&'static str, i32, &'static str)>,
    /// How the runs of these scenarios end.
    own: &'static [(&'static str, &'static str)],
}

const fn environment(name: &'static str, script: &'static str) -> Environment {
    Environment {
        name,
        script,
        user: 0,
        end: None,
        own: &[],
    }
}

impl Environment {
    const fn by(self, user: u32) -> Self {
        Self { user, ..self }
    }

    const fn ends(self, below: &'static str, code: i32, line: &'static str) -> Self {
        let end = Some((below, code, line));
        Self { end, ..self }
    }

    /// With 1, about the target.
    const fn fails(self, line: &'static str) -> Self {
        self.ends("/tmp/", 1, line)
    }

    /// With 77, about the target.
    const fn skips(self, line: &'static str) -> Self {
        self.ends("/tmp/", 77, line)
    }
}

const NOT_UNLINKED: &str = "unlinkat: EPERM (errno 1)";
const NOT_ENTERED: &str = "openat: EACCES (errno 13)";

#[rustfmt::skip]
const ENVIRONMENTS: &[Environment] = &[
    // File systems.
    environment("tmpfs", "mount -t tmpfs none root/tmp"),
    environment("ramfs", "mount -t ramfs none root/tmp"),
    environment("overlay", "mkdir lower upper work
        mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none root/tmp"),
    environment("ext4", "image ext4"),
    environment("xfs", "image xfs"),
    environment("btrfs", "image btrfs"),
    environment("FUSE", "mkdir below; bindfs below root/tmp; can_map; rm root/tmp/map"),
    // The option depends on bindfs's version. With it, a file can't be mapped.
    environment("FUSE, direct I/O", "mkdir below
        bindfs -o direct_io below root/tmp || bindfs --direct-io below root/tmp
        if can_map; then echo 'not direct'; exit 1; fi; rm root/tmp/map"),
    environment("noexec, nosuid, nodev", "mount -t tmpfs -o noexec,nosuid,nodev none root/tmp
        each 'echo content >$t; chmod 755 $t'"),
    environment("read-only root", "mount -t tmpfs none root/tmp; mount -o remount,ro root"),
    environment("no devices", "rm -r root/dev").ends("/dev/", 77, "openat: ENOENT (errno 2)"),
    // /tmp as something else.
    environment("read-only /tmp", "mount -o remount,ro root").skips("openat: EROFS (errno 30)"),
    environment("read-only, left over", "each 'echo content >$t'; mount -o remount,ro root")
        .skips("unlinkat: EROFS (errno 30)"),
    environment("no /tmp", "rmdir root/tmp").skips("openat: ENOENT (errno 2)"),
    environment("/tmp is a file", "rmdir root/tmp; : >root/tmp").skips("openat: ENOTDIR (errno 20)"),
    environment("/tmp is a loop", "rmdir root/tmp; ln -s tmp root/tmp").fails("openat: ELOOP (errno 40)"),
    environment("no room for data", "mount -t tmpfs -o size=4k none root/tmp
        head -c 4096 /dev/zero >root/tmp/filler").own(NO_ROOM),
    environment("no room for a name", "mount -t tmpfs -o nr_inodes=2 none root/tmp; : >root/tmp/filler")
        .fails("openat: ENOSPC (errno 28)"),
    // At the target's path.
    environment("file", "each 'echo of a killed run, longer than a payload >$t'"),
    environment("file, two names", "each 'echo content >root/tmp/other; ln -f root/tmp/other $t'"),
    environment("file, no permissions", "each ': >$t; chmod 0 $t'"),
    environment("file, immutable", "image ext4; each 'echo content >$t; chattr +i $t'").fails(NOT_UNLINKED),
    environment("file, append-only", "image ext4; each 'echo content >$t; chattr +a $t'").fails(NOT_UNLINKED),
    environment("directory", "each 'mkdir $t; echo content >$t/file'").fails("unlinkat: EISDIR (errno 21)"),
    environment("link to a file", "echo content >root/tmp/file; each 'ln -s file $t'"),
    environment("link to nothing", "each 'ln -s nothing $t'"),
    environment("link to a directory", "mkdir root/tmp/sub; : >root/tmp/sub/file; each 'ln -s sub $t'"),
    environment("link to a device", "mknod root/dev/full c 1 7; each 'ln -s /dev/full $t'"),
    environment("link to itself", "each 'ln -s ${t##*/} $t'"),
    environment("link through /proc", "mkdir root/proc; mount -t proc none root/proc
        each 'ln -s /proc/self/fd/2 $t'"),
    environment("FIFO", "each 'mkfifo $t'"),
    environment("device", "each 'mknod $t c 1 3'"),
    environment("socket", "each 'python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind(\\\"$t\\\")\"'"),
    // Other owners.
    environment("another's file", "each 'echo content >$t; chown nobody $t'"),
    environment("another's sticky /tmp", "each 'echo content >$t; chown nobody $t'
        chown nobody root/tmp; chmod 1777 root/tmp"),
    environment("root's sticky file", "each ': >$t; chmod 666 $t'; chmod 1777 root/tmp")
        .by(NOBODY).fails(NOT_UNLINKED),
    environment("root's sticky link", ": >root/tmp/victim; chown nobody root/tmp/victim
        each 'ln -s victim $t'; chmod 1777 root/tmp").by(NOBODY).fails(NOT_UNLINKED),
    environment("own file, sticky", "each ': >$t; chmod 0 $t; chown nobody $t'; chmod 1777 root/tmp").by(NOBODY),
    environment("root's file", "each ': >$t; chmod 600 $t'; chmod 777 root/tmp").by(NOBODY),
    environment("root's /tmp", "chmod 755 root/tmp").by(NOBODY).skips(NOT_ENTERED),
    environment("/tmp, no permissions", "chmod 0 root/tmp").by(NOBODY).skips(NOT_ENTERED),
    environment("/tmp, immutable", "image ext4; chattr +i root/tmp").skips("openat: EPERM (errno 1)"),
];

/// Makes a root directory with every program in it, says by which number it is known outside, and waits
/// for the end of its input. What it mounts hides [`rooms`] in its own namespace, so nothing is left even
/// if it is killed.
const SCRIPT: &str = r#"
set -e; umask 022
cd "$1"; mount -t tmpfs none .; cd "$1"
mkdir root; mount -t tmpfs none root; mkdir root/tmp root/dev
mknod -m 666 root/dev/null c 1 3; mknod -m 666 root/dev/zero c 1 5; cp "$2"/* root
can_map() { echo >root/tmp/map; python3 -c 'import mmap; mmap.mmap(0, 1)' <>root/tmp/map; }
image() { truncate -s 512M image; "mkfs.$1" -q image; mount -o loop image root/tmp; }
each() { for name in $targets; do t=root/tmp/ioworkload-$name; eval "$1"; done; }
targets=$4; eval "$3" >&2
read -r pid rest </proc/self/stat; echo "$pid"; cat
"#;

/// It is there until this is dropped.
struct Made {
    shell: Child,
    /// The shell's number.
    pid: u32,
    user: u32,
}

impl Environment {
    const fn own(self, own: &'static [(&'static str, &'static str)]) -> Self {
        Self { own, ..self }
    }

    /// What is wrong if it can't be made is said by the shell.
    fn make(&self) -> Result<Made> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child"]);
        command.args(["sh", "-c", SCRIPT, "sh"]).arg(rooms());
        command.arg(target().join("fixtures")).arg(self.script);
        command.arg(with_target()?.join(" "));
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
        let user = self.user;
        Ok(Made { shell, pid, user })
    }

    /// The code and the text with which a run ends here.
    fn predict(&self, expected: &Expected) -> (i32, String) {
        let scenario = &expected.scenario;
        if let Some((_, text)) = self.own.iter().find(|(name, _)| name == scenario) {
            return (1, (*text).into());
        }
        let end = self.end.and_then(|(below, code, text)| {
            let path = opened(expected).find(|path| path.starts_with(below))?;
            Some((path, code, text))
        });
        match end {
            None => (0, String::new()),
            Some((path, code, text)) if *path == format!("/tmp/ioworkload-{scenario}") => {
                (code, format!("{text}: {path}"))
            }
            Some((_, code, text)) => (code, text.into()),
        }
    }

    /// A run that ends with 0 has removed what stood at its target's path, one that fails has not
    /// touched it.
    fn check(&self, run: &Run, items: [&Items; 2]) -> Result<()> {
        let expected = load(&run.scenario)?;
        let (code, text) = self.predict(&expected);
        let front = match run.way {
            Way::Scenario => format!("scenario {} failed: ", run.scenario),
            _ => format!("{}: ", run.scenario),
        };
        let line = if text.is_empty() { text } else { front + &text };
        let wanted = Ended::with(code, &line);
        ensure!(run.ended == wanted, "{:?}, expected {wanted:?}", run.ended);
        let name = format!("ioworkload-{}", run.scenario);
        let [before, after] = items.map(|items| items.get(&name));
        let wanted = before.filter(|_| code != 0 || !expected.has_target());
        ensure!(after == wanted, "there is {after:?}, expected {wanted:?}");
        Ok(())
    }
}

/// The scenarios that have a target.
fn with_target() -> Result<Vec<String>> {
    let mut names = scenarios();
    let all: Result<Vec<_>> = names
        .iter()
        .map(|name| Ok(load(name)?.has_target()))
        .collect();
    let mut all = all?.into_iter();
    names.retain(|_| all.next() == Some(true));
    Ok(names)
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

/// How a scenario is started: its fixture, `ioworkload NAME`, `ioworkload --scenario=NAME`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Fixture,
    Name,
    Scenario,
}

/// A run that has ended.
struct Run {
    scenario: String,
    way: Way,
    ended: Ended,
}

/// What stands at a name: inode, mode, owner, size, time of the last change.
type Item = (u64, u32, u32, u64, (i64, i64));

/// The names of a /tmp.
type Items = BTreeMap<String, Item>;

impl Made {
    fn run(&self, scenario: &str, way: Way) -> Result<Run> {
        let namespace = File::open(format!("/proc/{}/ns/mnt", self.pid))?;
        let (root, user) = (rooms().join("root"), self.user);
        let mut command = match way {
            Way::Fixture => Command::new(Path::new("/").join(scenario)),
            _ => Command::new("/ioworkload"),
        };
        match way {
            Way::Fixture => {}
            Way::Name => drop(command.arg(scenario)),
            Way::Scenario => drop(command.arg(format!("--scenario={scenario}"))),
        }
        command.env(DELAY, "0").env_remove(STARTUP).env_remove(HOLD);
        before(&mut command, move || {
            setns(&namespace, CloneFlags::CLONE_NEWNS)?;
            chroot(&root)?;
            chdir("/")?;
            become_user(user)
        });
        let child = start(&mut command)?;
        let pid = format!("{}\n", child.id());
        let mut ended = finish(child)?;
        if way == Way::Scenario {
            ensure!(ended.stdout == pid.as_bytes(), "no PID line: {ended:?}");
            ended.stdout.clear();
        }
        let scenario = scenario.into();
        Ok(Run {
            scenario,
            way,
            ended,
        })
    }

    /// What is in its /tmp, if it has one.
    fn items(&self) -> Items {
        let root = format!("/proc/{}/root{}/root", self.pid, rooms().display());
        let entries = Path::new(&root).join("tmp").read_dir();
        let paths = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        paths
            .filter(|path| !path.ends_with("lost+found"))
            .filter_map(|path| item(&path))
            .collect()
    }
}

/// Nothing, if it has gone meanwhile.
fn item(path: &Path) -> Option<(String, Item)> {
    let data = fs::symlink_metadata(path).ok()?;
    let changed = (data.mtime(), data.mtime_nsec());
    let name = path.file_name()?.to_string_lossy().into_owned();
    Some((
        name,
        (data.ino(), data.mode(), data.uid(), data.size(), changed),
    ))
}

impl Drop for Made {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// Runs every fixture in an environment, and counts the ends. Where some fail, `ioworkload` says the same.
fn each_fixture(environment: &'static Environment) -> Result<()> {
    as_root()?;
    let made = match environment.make() {
        Ok(made) => made,
        Err(reason) => return skip(environment, &reason),
    };
    let (mut cases, codes) = (Cases::new(AREA), Mutex::new(Vec::new()));
    let ways = [Way::Fixture, Way::Name, Way::Scenario];
    let ways = if environment.end.is_some() {
        &ways[..]
    } else {
        &ways[..1]
    };
    let all = made.items();
    for way in ways {
        cases.each(&scenarios(), |scenario| {
            let before = made.items();
            let run = made.run(scenario, *way)?;
            let mut codes = codes.lock().unwrap_or_else(PoisonError::into_inner);
            codes.push(run.ended.code);
            drop(codes);
            environment.check(&run, [&before, &made.items()])
        });
    }
    let codes = codes.into_inner().unwrap_or_else(PoisonError::into_inner);
    add_row(environment, counted(&codes));
    cases.verdict()?;
    let mut wanted = all;
    if environment.end.is_none() {
        wanted.retain(|name, _| !name.starts_with("ioworkload-"));
    }
    let left = made.items();
    ensure!(left == wanted, "there is {left:?}, expected {wanted:?}");
    Ok(())
}

/// What this machine does not have is no failure, but is said. On CI it is one.
fn skip(environment: &Environment, reason: &anyhow::Error) -> Result<()> {
    let on_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    ensure!(!on_ci, "can't be made here: {reason}");
    eprintln!("SKIPPED: {AREA}: {}: {reason}", environment.name);
    add_row(environment, format!("  SKIPPED: {reason}"));
    Ok(())
}

fn counted(codes: &[Option<i32>]) -> String {
    let count = |code| codes.iter().filter(|end| **end == Some(code)).count();
    let (fine, cant) = (count(0), count(77));
    format!("{fine:>6}{cant:>6}{:>8}", codes.len() - fine - cant)
}

fn add_row(environment: &Environment, row: String) {
    let mut rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    rows.insert(environment.name, row);
}

/// Environment, how many runs ended with 0, with 77, otherwise.
pub fn table() -> String {
    let rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    let head = format!("{:<22}{:>6}{:>6}{:>8}\n", "environment", 0, 77, "other");
    let row = |one: &Environment| Some(format!("{:<22}{}\n", one.name, rows.get(one.name)?));
    let rows: Vec<_> = ENVIRONMENTS.iter().filter_map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    head + &rows.concat() + "\n"
}

/// What is noticed, and that an environment is gone afterwards.
fn control() -> Result<()> {
    as_root()?;
    let here = environment(
        "control",
        "each 'echo >$t'; : >root/tmp/other; mount -o remount,ro root",
    )
    .skips("unlinkat: EROFS (errno 30)");
    let made = here.make()?;
    let (pid, before) = (made.pid, made.items());
    ensure!(before.len() == with_target()?.len() + 1, "{before:?}");
    let mut run = made.run("aio-submit", Way::Fixture)?;
    let line = "aio-submit: unlinkat: EROFS (errno 30): /tmp/ioworkload-aio-submit";
    let (refused, fine) = (Ended::with(77, line), Ended::with(0, ""));
    ensure!(run.ended == refused, "{:?}", run.ended);
    let mut after = made.items();
    here.check(&run, [&before, &after])?;
    let name = "ioworkload-aio-submit";
    let good = environment("control", "");
    for (judge, ended, wanted) in [
        (&here, Ended::with(1, line), "Ended"),
        (&here, fine.clone(), "Ended"),
        (&good, fine, "there is Some"),
    ] {
        run.ended = ended;
        let error = judge.check(&run, [&before, &after]).expect_err("noticed");
        ensure!(error.to_string().starts_with(wanted), "{error}");
    }
    run.ended = refused;
    after.get_mut(name).context("it stands there")?.4.1 += 1;
    ensure!(
        here.check(&run, [&before, &after]).is_err(),
        "a change is noticed"
    );
    after.remove(name);
    ensure!(
        here.check(&run, [&before, &after]).is_err(),
        "a loss is noticed"
    );
    drop(made);
    let gone = !Path::new(&format!("/proc/{pid}")).exists();
    ensure!(gone, "the shell is still there");
    let Err(reason) = environment("control", "echo reason >&2; false").make() else {
        bail!("it can't be made");
    };
    ensure!(reason.to_string() == "reason", "{reason}");
    Ok(())
}

/// What the scenarios that look at what they have written say where there is no room for it.
const NO_ROOM: &[(&str, &str)] = &[
    ("aio-cancel", "io_getevents: res is -28, expected 15"),
    ("aio-getevents", "io_getevents: res is -28, expected 15"),
    ("aio-read-write", "io_getevents: res is -28, expected 16"),
];
