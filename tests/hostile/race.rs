//! A racing attacker: another user swaps what stands at the target's path (nothing, a link to
//! somebody's file, a file, another name of one of the attacker's files) while the scenario runs, over and
//! over, in a sticky /tmp and in one that everybody may empty.
//!
//! The rule: each run ends with 0, or with one of two lines; and inotify, which misses nothing, has
//! seen nobody open, read or write what a run did not make, and the files that the links lead to are
//! what they were, to the nanosecond.

use crate::length::rounds;
use crate::raised::Raised;
use crate::run::{Ended, as_root, as_user, run};
use crate::tally::{Cases, count, trial};
use anyhow::{Context, Result, ensure};
use ioworkload_check::expected::load;
use ioworkload_tests::room::Room;
use ioworkload_tests::{NOBODY, scenarios};
use libtest_mimic::Trial;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, open, openat, renameat};
use nix::libc;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{Gid, Uid, UnlinkatFlags, chown, linkat, symlinkat, unlinkat};
use std::fs::{self, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

const RUNS: &str = "3 race, runs";
const SWAPS: &str = "3 race, swaps";

/// Somebody who is neither root nor the attacker.
const SOMEBODY: u32 = 65533;

pub fn trials() -> Vec<Trial> {
    let targets = scenarios()
        .into_iter()
        .filter(|name| load(name).map_or(true, |expected| expected.has_target()));
    let mut trials: Vec<_> = targets.map(|name| trial(RUNS, &name, raced)).collect();
    trials.push(Trial::test("3 race::control", || Ok(control()?)));
    trials
}

/// How many runs start together, and how many there are at least in each setting.
const AT_ONCE: usize = 4;
const LEAST: usize = 8;

/// Who runs the scenario, and the mode of its /tmp.
const SETTINGS: [(u32, u32); 4] = [
    (0, 0o1777),
    (0, 0o777),
    (SOMEBODY, 0o1777),
    (SOMEBODY, 0o777),
];

fn raced(scenario: &str, cases: &mut Cases) -> Result<()> {
    as_root()?;
    for (user, mode) in SETTINGS {
        let arena = Arena::new(mode)?;
        let path = format!("ioworkload-{scenario}");
        let title = format!("run by {user} in a /tmp of mode {mode:o}");
        let mut next = 0..;
        attacked(&arena, &path, || {
            let runs: Vec<_> = next.by_ref().take(AT_ONCE).map(|n| (&title, n)).collect();
            cases.each(&runs, |_| one_run(scenario, &arena, user));
            runs.len()
        })?;
        arena.untouched()?;
    }
    Ok(())
}

/// Does some runs again and again, while the attacker is at work; each side ends with the other,
/// however that ends.
fn attacked(arena: &Arena, path: &str, mut some_runs: impl FnMut() -> usize) -> Result<()> {
    let (over, ended) = (&AtomicBool::new(false), &AtomicUsize::new(0));
    thread::scope(|scope| {
        let _over = Raised(over);
        let attack = scope.spawn(|| {
            let _over = Raised(over);
            attack(arena, path, over, ended)
        });
        while !over.load(Ordering::SeqCst) {
            ended.fetch_add(some_runs(), Ordering::SeqCst);
        }
        attack.join().expect("the attacker does not panic")
    })
}

fn one_run(scenario: &str, arena: &Arena, user: u32) -> Result<()> {
    let mut command = as_user(scenario, &arena.room, user)?;
    let ended = run(&mut command)?;
    let path = format!("/tmp/ioworkload-{scenario}");
    let lines = ["openat: EEXIST (errno 17)", "unlinkat: EPERM (errno 1)"];
    let fails = |line| ended == Ended::with(1, &format!("{scenario}: {line}: {path}"));
    ensure!(
        ended == Ended::with(0, "") || lines.into_iter().any(fails),
        "{ended:?}"
    );
    Ok(())
}

/// A room with somebody's file, and one of the attacker's, both watched.
struct Arena {
    room: Room,
    watch: Inotify,
    before: Item,
}

/// What must not change of somebody's file.
#[derive(PartialEq, Debug)]
struct Item {
    inode: u64,
    mode: u32,
    owner: u32,
    names: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    content: Vec<u8>,
}

const VICTIM: &str = "victim";
const KEPT: &str = "kept";

impl Arena {
    fn new(mode: u32) -> Result<Self> {
        let room = Room::new();
        let (victim, kept) = (room.path().join(VICTIM), room.path().join(KEPT));
        fs::write(&victim, "somebody's")?;
        fs::set_permissions(&victim, Permissions::from_mode(0o666))?;
        fs::write(&kept, "the attacker's")?;
        chown(
            &kept,
            Some(Uid::from_raw(NOBODY)),
            Some(Gid::from_raw(NOBODY)),
        )?;
        fs::set_permissions(&kept, Permissions::from_mode(0o666))?;
        fs::set_permissions(room.path(), Permissions::from_mode(mode))?;
        let before = item(&victim)?;
        let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)?;
        // No use begins without one of these. The end of one, IN_CLOSE, can be that of our own
        // write, in a child that another thread had just made.
        let uses = AddWatchFlags::IN_OPEN | AddWatchFlags::IN_ACCESS | AddWatchFlags::IN_MODIFY;
        let changes =
            AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_DELETE_SELF | AddWatchFlags::IN_MOVE_SELF;
        watch.add_watch(&victim, uses | changes)?;
        // Its names come and go, which is a change too.
        watch.add_watch(&kept, uses)?;
        Ok(Self {
            room,
            watch,
            before,
        })
    }

    fn untouched(&self) -> Result<()> {
        match self.watch.read_events() {
            Err(Errno::EAGAIN) => {}
            events => ensure!(false, "used: {events:?}"),
        }
        let victim = item(&self.room.path().join(VICTIM))?;
        ensure!(victim == self.before, "changed: {victim:?}");
        let kept = fs::read(self.room.path().join(KEPT)).context("the attacker's file")?;
        ensure!(kept == b"the attacker's", "written");
        Ok(())
    }
}

fn item(path: &Path) -> Result<Item> {
    let data = fs::symlink_metadata(path)?;
    Ok(Item {
        inode: data.ino(),
        mode: data.mode(),
        owner: data.uid(),
        names: data.nlink(),
        size: data.size(),
        modified: (data.mtime(), data.mtime_nsec()),
        changed: (data.ctime(), data.ctime_nsec()),
        // This is an event, so the watch comes later.
        content: fs::read(path)?,
    })
}

/// Swaps as another user, with the rights of that user alone: a thread has its own.
fn attack(arena: &Arena, path: &str, over: &AtomicBool, ended: &AtomicUsize) -> Result<()> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let room = open(arena.room.path(), flags, Mode::empty())?;
    // SAFETY: the plain system call, unlike the C library's function, changes this thread alone.
    let id = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
    Errno::result(id)?;
    let swaps = AtomicUsize::new(0);
    let long = if path.ends_with("aio-submit") {
        |count| count * 10
    } else {
        |count| count
    };
    let more = (0..).take_while(|_| ended.load(Ordering::SeqCst) < LEAST);
    let mut attacks = rounds(400, long)
        .chain(more)
        .take_while(|_| !over.load(Ordering::SeqCst));
    let outcome = attacks.try_for_each(|round| swap(&room, path, round, &swaps));
    for _ in 0..swaps.into_inner() {
        count(SWAPS, outcome.is_ok());
    }
    outcome
}

/// Puts something else there, if the kernel lets it.
fn swap(room: &OwnedFd, path: &str, round: usize, swaps: &AtomicUsize) -> Result<()> {
    let done = match round % 5 {
        0 => symlinkat(VICTIM, room, path),
        1 => linkat(room, KEPT, room, path, AtFlags::empty()),
        2 => return own_file(room, path, swaps),
        3 => symlinkat(VICTIM, room, "spare").and_then(|()| renameat(room, "spare", room, path)),
        _ => symlinkat("/tmp/victim", room, path),
    };
    let _ = unlinkat(room, "spare", UnlinkatFlags::NoRemoveDir);
    if done.is_ok() {
        swaps.fetch_add(1, Ordering::SeqCst);
    }
    thread::yield_now();
    if unlinkat(room, path, UnlinkatFlags::NoRemoveDir).is_ok() {
        swaps.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

/// A file of the attacker's stays empty as long as it is there.
fn own_file(room: &OwnedFd, path: &str, swaps: &AtomicUsize) -> Result<()> {
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
    if let Ok(file) = openat(room, path, flags, Mode::from_bits_truncate(0o666)) {
        swaps.fetch_add(1, Ordering::SeqCst);
        thread::yield_now();
        let gone = unlinkat(room, path, UnlinkatFlags::NoRemoveDir).is_ok();
        swaps.fetch_add(usize::from(gone), Ordering::SeqCst);
        ensure!(
            fstat(&file)?.st_size == 0,
            "somebody has written to the attacker's file"
        );
    }
    Ok(())
}

/// A program that opens what stands there is caught, whichever way it does.
fn control() -> Result<()> {
    as_root()?;
    let deeds = [
        "ln -s victim t && : >>/tmp/t",
        "ln -s victim t && read -r line <t",
        "ln kept t && : >>t",
        "ln -s victim t && chmod 644 t",
        "mv victim other && cp other victim",
    ];
    for deed in deeds {
        let arena = Arena::new(0o1777)?;
        arena.untouched()?;
        let arena = Arena::new(0o1777)?;
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("cd /tmp && {deed}")]);
        arena.room.as_tmp(&mut shell);
        run(&mut shell)?;
        ensure!(arena.untouched().is_err(), "not noticed: {deed}");
    }
    neither_waits_for_ever()
}

/// An attacker who can't begin, and runs that panic: otherwise these are never over.
fn neither_waits_for_ever() -> Result<()> {
    let arena = Arena::new(0o777)?;
    let panics = || attacked(&arena, "t", || panic::resume_unwind(Box::new(())));
    ensure!(panic::catch_unwind(AssertUnwindSafe(panics)).is_err());
    fs::remove_dir_all(arena.room.path())?;
    ensure!(attacked(&arena, "t", || 0).is_err(), "no room to attack");
    Ok(())
}
