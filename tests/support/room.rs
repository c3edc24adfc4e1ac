//! Private places to run a fixture in, so that tests neither meet each other in /tmp nor touch the
//! machine's.

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{Gid, Uid, chroot};
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The directory of all rooms, next to the build's other output.
///
/// # Panics
/// If it can't be made.
#[must_use]
pub fn rooms() -> PathBuf {
    let rooms = crate::target().join("rooms");
    fs::create_dir_all(&rooms).expect("target/ can be written");
    rooms
}

/// A directory that stands in for /tmp, or for the whole root, of the commands that are sent there.
pub struct Room(TempDir);

impl Room {
    /// An empty one.
    ///
    /// # Panics
    /// If it can't be made.
    #[must_use]
    pub fn new() -> Self {
        let room = TempDir::new_in(rooms()).expect("target/ can be written");
        // Now, because a test can make the room one that nothing can be made in.
        for way in kept().iter().flat_map(|path| path.strip_prefix(TMP)) {
            fs::create_dir_all(room.path().join(way)).expect("a room can be written");
        }
        Self(room)
    }

    /// Where it is, seen from outside.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The names in it, less those that lead to what is kept in reach.
    ///
    /// # Panics
    /// If it can't be read.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let entries = self.path().read_dir().expect("a room can be read");
        let kept = kept();
        let ways = kept.iter().flat_map(|path| path.strip_prefix(TMP));
        let ways: Vec<_> = ways.filter_map(|way| way.iter().next()).collect();
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let names = names.filter(|name| !ways.contains(&name.as_os_str()));
        let mut names: Vec<_> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Runs `command` with this room as its /tmp.
    pub fn as_tmp(&self, command: &mut Command) {
        self.mounted(command, MsFlags::empty());
    }

    /// Runs `command` with this room as its /tmp, read-only.
    pub fn as_read_only_tmp(&self, command: &mut Command) {
        self.mounted(command, MsFlags::MS_RDONLY);
    }

    /// Makes this room the /tmp of this process and of all that it starts. No other thread may run
    /// yet.
    ///
    /// # Errors
    /// The machine does not allow a private /tmp.
    pub fn enter(&self) -> io::Result<()> {
        Ids::now().private()?;
        bind(self.path(), MsFlags::empty())
    }

    /// Runs `command` with this room as its /tmp, mounted with these flags.
    pub fn mounted(&self, command: &mut Command, flags: MsFlags) {
        let room = self.path().to_path_buf();
        let ids = Ids::now();
        // SAFETY: between fork and exec the closure only makes system calls on data made before the
        // fork.
        unsafe { command.pre_exec(move || ids.private().and_then(|()| bind(&room, flags))) };
    }

    /// A command that runs `program` with this room as its root, and nothing in it but what the
    /// test has put there and the program itself.
    ///
    /// # Panics
    /// If the program can't be copied.
    #[must_use]
    pub fn as_root(&self, program: &Path) -> Command {
        let name = program.file_name().expect("a program has a name");
        // By a process of its own: a copy that this one has open for writing, a child that another
        // thread has just forked has open too, and until it executes its program, the copy can't be
        // (ETXTBSY).
        let copied = Command::new("cp").arg(program).arg(self.path()).status();
        assert!(
            copied.is_ok_and(|status| status.success()),
            "a room can be written"
        );
        let mut command = Command::new(Path::new("/").join(name));
        let room = self.path().to_path_buf();
        let ids = Ids::now();
        // SAFETY: as above.
        unsafe {
            command.pre_exec(move || {
                ids.private()?;
                chroot(&room)?;
                Ok(nix::unistd::chdir("/")?)
            });
        }
        command
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}

const TMP: &str = "/tmp";

/// What is itself in /tmp and stays where it was when a room is mounted there: the sources, and the
/// programs to run.
fn kept() -> Vec<PathBuf> {
    let mut kept = vec![crate::root().to_path_buf(), crate::target()];
    kept.retain(|path| path.starts_with(TMP));
    kept
}

/// Mounts the room over /tmp.
fn bind(room: &Path, flags: MsFlags) -> io::Result<()> {
    let none = None::<&Path>;
    let kept = kept();
    let open = kept
        .iter()
        .map(File::open)
        .collect::<io::Result<Vec<_>>>()?;
    mount(Some(room), TMP, none, MsFlags::MS_BIND, none)?;
    for (path, file) in kept.iter().zip(open) {
        let file = format!("/proc/self/fd/{}", file.as_raw_fd());
        mount(Some(file.as_str()), path, none, MsFlags::MS_BIND, none)?;
    }
    mount(
        none,
        TMP,
        none,
        MsFlags::MS_BIND | MsFlags::MS_REMOUNT | flags,
        none,
    )?;
    Ok(())
}

/// Who we are, and the maps that keep it so in a user namespace: without root that is the way to a
/// private /tmp.
struct Ids {
    root: bool,
    uid_map: String,
    gid_map: String,
}

impl Ids {
    fn now() -> Self {
        let (uid, gid) = (Uid::effective(), Gid::effective());
        Self {
            root: uid.is_root(),
            uid_map: format!("{uid} {uid} 1"),
            gid_map: format!("{gid} {gid} 1"),
        }
    }

    /// Enters a mount namespace of its own, whose mounts reach nobody else.
    fn private(&self) -> io::Result<()> {
        if self.root {
            unshare(CloneFlags::CLONE_NEWNS)?;
        } else {
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
            fs::write("/proc/self/setgroups", "deny")?;
            fs::write("/proc/self/uid_map", &self.uid_map)?;
            fs::write("/proc/self/gid_map", &self.gid_map)?;
        }
        let none = None::<&Path>;
        Ok(mount(
            none,
            "/",
            none,
            MsFlags::MS_REC | MsFlags::MS_PRIVATE,
            none,
        )?)
    }
}
