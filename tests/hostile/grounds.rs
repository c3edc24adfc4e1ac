//! Hostile /tmp: what can stand at the target's path, what /tmp can be, who can own it.
//!
//! The rule: what stands in the way is removed, whatever it is, and nothing else is touched; or, if
//! the kernel forbids that, one line says which call was refused, and nothing is touched. A scenario
//! without a target does not care. `failure.rs` has the plain cases, these are the others.

use crate::run::{Ended, as_root, before, run};
use crate::tally::{Cases, area};
use anyhow::{Context, Result, ensure};
use ioworkload_check::expected::load;
use ioworkload_tests::room::Room;
use ioworkload_tests::{NOBODY, shipped};
use libtest_mimic::Trial;
use nix::mount::MsFlags;
use nix::sys::stat::{Mode, SFlag, makedev, mknod};
use nix::unistd::{Gid, Uid, chown, setgid, setgroups, setuid};
use std::fmt;
use std::fs::{self, Permissions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

const AREA: &str = "3 grounds";

pub fn trials() -> Vec<Trial> {
    area(AREA, each_ground, control)
}

struct Ground {
    name: &'static str,
    /// Lays out a room, given also the target's path in it.
    furnish: fn(&Path, &Path) -> Result<()>,
    flags: MsFlags,
    user: u32,
    /// What a run with a target says; nothing: it goes well, and the target is gone. `PATH` stands
    /// for the target's.
    line: &'static str,
}

const fn ground(name: &'static str, furnish: fn(&Path, &Path) -> Result<()>) -> Ground {
    Ground {
        name,
        furnish,
        flags: MsFlags::empty(),
        user: 0,
        line: "",
    }
}

impl Ground {
    const fn by(self, user: u32) -> Self {
        Self { user, ..self }
    }

    const fn mounted(self, flags: MsFlags) -> Self {
        Self { flags, ..self }
    }

    const fn refused(self, line: &'static str) -> Self {
        Self { line, ..self }
    }
}

const NOT_UNLINKED: &str = "unlinkat: EPERM (errno 1): PATH";
const NOT_ENTERED: &str = "openat: EACCES (errno 13): PATH";

#[rustfmt::skip]
const GROUNDS: &[Ground] = &[
    ground("link-to-a-device", |_, target| Ok(symlink("/dev/full", target)?)),
    ground("link-to-itself", |_, target| Ok(symlink(target, target)?)),
    ground("link-over-proc", |_, target| Ok(symlink("/proc/self/fd/2", target)?)),
    ground("socket", socket),
    ground("device", |_, target| Ok(mknod(target, SFlag::S_IFCHR, Mode::all(), makedev(1, 3))?)),
    ground("file-without-permissions", |_, target| put(target, 0, 0o000)),
    ground("file-of-another", |_, target| put(target, NOBODY, 0o600)),
    ground("in-a-sticky-tmp-of-another", |room, target| {
        put(target, NOBODY, 0o600)?;
        tmp(room, NOBODY, 0o1777)
    }),
    ground("sticky-file-of-another", |room, target| {
        put(target, 0, 0o666)?;
        tmp(room, 0, 0o1777)
    }).by(NOBODY).refused(NOT_UNLINKED),
    ground("sticky-link-of-another", |room, target| {
        put(&room.join("victim"), NOBODY, 0o600)?;
        symlink("victim", target)?;
        tmp(room, 0, 0o1777)
    }).by(NOBODY).refused(NOT_UNLINKED),
    ground("own-file-in-a-sticky-tmp", |room, target| {
        put(target, NOBODY, 0o000)?;
        tmp(room, 0, 0o1777)
    }).by(NOBODY),
    ground("file-of-another-that-may-go", |room, target| {
        put(target, 0, 0o600)?;
        tmp(room, 0, 0o777)
    }).by(NOBODY),
    ground("tmp-of-another", |room, _| tmp(room, 0, 0o755)).by(NOBODY).refused(NOT_ENTERED),
    ground("tmp-without-permissions", |room, _| tmp(room, 0, 0o000)).by(NOBODY).refused(NOT_ENTERED),
    ground("noexec", |_, target| put(target, 0, 0o755))
        .mounted(MsFlags::MS_NOEXEC.union(MsFlags::MS_NOSUID).union(MsFlags::MS_NODEV)),
    ground("immutable-file", |_, target| {
        put(target, 0, 0o600)?;
        attribute("+i", target)
    }).refused(NOT_UNLINKED),
    ground("append-only-file", |_, target| {
        put(target, 0, 0o600)?;
        attribute("+a", target)
    }).refused(NOT_UNLINKED),
    ground("immutable-tmp", |room, _| attribute("+i", room)).refused("openat: EPERM (errno 1): PATH"),
];

/// By a short way: a socket's path has at most 107 bytes, and a checkout's can be as long.
fn socket(room: &Path, target: &Path) -> Result<()> {
    let room = fs::File::open(room)?;
    let name = target.file_name().context("a name")?;
    let way = Path::new("/proc/self/fd").join(room.as_raw_fd().to_string());
    UnixListener::bind(way.join(name))?;
    Ok(())
}

fn put(path: &Path, owner: u32, mode: u32) -> Result<()> {
    fs::write(path, "content")?;
    chown(path, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)))?;
    Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
}

fn tmp(room: &Path, owner: u32, mode: u32) -> Result<()> {
    chown(room, Some(Uid::from_raw(owner)), Some(Gid::from_raw(owner)))?;
    Ok(fs::set_permissions(room, Permissions::from_mode(mode))?)
}

fn attribute(change: &str, path: &Path) -> Result<()> {
    let status = Command::new("chattr").arg(change).arg(path).status();
    ensure!(
        status.context("chattr does not start")?.success(),
        "chattr {change} fails here"
    );
    Ok(())
}

impl fmt::Debug for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn each_ground(scenario: &str, cases: &mut Cases) -> Result<()> {
    as_root()?;
    cases.each(GROUNDS, |ground| ground.check(scenario));
    Ok(())
}

impl Ground {
    fn check(&self, scenario: &str) -> Result<()> {
        let room = Room::new();
        let target = format!("ioworkload-{scenario}");
        (self.furnish)(room.path(), &room.path().join(&target))?;
        let before = inventory(&room)?;
        let ended = as_user(scenario, &room, self.flags, self.user)
            .and_then(|mut command| run(&mut command));
        let after = inventory(&room);
        // So that the room can go.
        for path in [room.path().to_path_buf(), room.path().join(&target)] {
            let _ = Command::new("chattr")
                .args(["-f", "-i", "-a"])
                .arg(path)
                .status();
        }
        self.judge(scenario, &ended?, before, &after?)
    }

    fn judge(
        &self,
        scenario: &str,
        ended: &Ended,
        mut before: Vec<Item>,
        after: &[Item],
    ) -> Result<()> {
        let (target, cares) = (
            format!("ioworkload-{scenario}"),
            load(scenario)?.has_target(),
        );
        let line = self.line.replace("PATH", &format!("/tmp/{target}"));
        let wanted = match (cares, line.as_str()) {
            (false, _) | (true, "") => Ended::with(0, ""),
            (true, line) => {
                // Where no file can be made the scenario is skipped; what is in the way is a failure.
                let code = if line.starts_with("openat") { 77 } else { 1 };
                Ended::with(code, &format!("{scenario}: {line}"))
            }
        };
        ensure!(*ended == wanted, "{ended:?}, expected {wanted:?}");
        if cares && line.is_empty() {
            before.retain(|item| item.name != target);
        }
        ensure!(before == after, "there was {before:?}, there is {after:?}");
        Ok(())
    }
}

/// A fixture in a room, started by this user. It is opened by us and executed by its descriptor:
/// another user need not be able to reach it.
pub fn as_user(scenario: &str, room: &Room, flags: MsFlags, user: u32) -> Result<Command> {
    let program = fs::File::open(shipped(scenario))?;
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    room.mounted(&mut command, flags);
    before(&mut command, move || {
        let _kept = &program;
        if user != 0 {
            setgroups(&[])?;
            setgid(Gid::from_raw(user))?;
            setuid(Uid::from_raw(user))?;
        }
        Ok(())
    });
    Ok(command)
}

/// A name in a room, and all that is known of what it leads to but the time of its last use.
#[derive(Clone, PartialEq, Debug)]
struct Item {
    name: String,
    inode: u64,
    mode: u32,
    owner: u32,
    names: u64,
    size: u64,
    modified: (i64, i64),
}

fn inventory(room: &Room) -> Result<Vec<Item>> {
    let item = |name: String| {
        let data = fs::symlink_metadata(room.path().join(&name))?;
        Ok(Item {
            name,
            inode: data.ino(),
            mode: data.mode(),
            owner: data.uid(),
            names: data.nlink(),
            size: data.size(),
            modified: (data.mtime(), data.mtime_nsec()),
        })
    };
    room.names().into_iter().map(item).collect()
}

/// A change to a file, another name, another line: each is noticed.
fn control() -> Result<()> {
    let ground = ground("control", |_, target| put(target, 0, 0o600));
    let room = Room::new();
    let target = room.path().join("ioworkload-aio-submit");
    (ground.furnish)(room.path(), &target)?;
    fs::write(room.path().join("other"), "content")?;
    let before = inventory(&room)?;
    let well = Ended::with(0, "");
    let judge = |ended: &Ended, after: &[Item]| {
        ground
            .judge("aio-submit", ended, before.clone(), after)
            .is_ok()
    };
    fs::remove_file(target)?;
    let after = inventory(&room)?;
    ensure!(
        judge(&well, &after) && !judge(&well, &before),
        "the target must be gone"
    );
    ensure!(
        !judge(&Ended::with(1, "aio-submit: x"), &after),
        "a failure is noticed"
    );
    fs::write(room.path().join("other"), "CONTENT")?;
    ensure!(!judge(&well, &inventory(&room)?), "a change is noticed");
    fs::remove_file(room.path().join("other"))?;
    ensure!(!judge(&well, &inventory(&room)?), "a loss is noticed");
    Ok(())
}
