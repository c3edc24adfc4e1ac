//! Does a run that can't go well say why in one line, end with the right code, and leave nothing?

use ioworkload_check::expected::{Call, Child, Ret, load};
use ioworkload_tests::gated::{DELAY, HOLD, STARTUP};
use ioworkload_tests::hoard::Hoard;
use ioworkload_tests::room::Room;
use ioworkload_tests::trials;
use ioworkload_tests::{said_by, scenarios, shipped};
use libtest_mimic::{Arguments, Trial};
use nix::errno::Errno;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{PoisonError, RwLock};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of the time a run waits for the kernel to destroy its contexts.
    arguments.test_threads.get_or_insert(8);
    trials::run(&arguments, trials())
}

fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for name in scenarios() {
        for ground in GROUNDS {
            trials.push(trial(&name, ground.name, |name| ground.check(name)));
        }
        for call in aio_calls(&name) {
            for errno in [Errno::ENOSYS, Errno::EPERM] {
                let (title, call) = (format!("{}-{errno:?}", call.name), call.clone());
                trials.push(trial(&name, &title, move |name| {
                    refused(name, &call, errno);
                }));
            }
        }
        trials.push(alone(&name, "aio-max-nr-used-up", used_up));
        trials.push(trial(&name, "stdout-and-stderr-closed", unheard));
    }
    for row in ANSWERS {
        let title = format!("{}-answers-{}", row.call, row.errno);
        trials.push(trial(row.scenario, &title, |_| row.check()));
    }
    for &(name, code, text) in CUT_SHORT {
        let check = move |name: &str| cut_short(name, code, text);
        trials.push(trial(name, "file-size-limit-of-7", check));
    }
    trials.push(trial("aio-submit", "64-tries", tries));
    trials
}

/// One of the grounds is a resource of the whole machine: who takes it does so alone.
static MACHINE: RwLock<()> = RwLock::new(());

fn trial(scenario: &str, title: &str, check: impl Fn(&str) + Send + 'static) -> Trial {
    let name = scenario.to_owned();
    Trial::test(format!("{scenario}::{title}"), move || {
        let _shared = MACHINE.read().unwrap_or_else(PoisonError::into_inner);
        check(&name);
        Ok(())
    })
}

fn alone(scenario: &str, title: &str, check: fn(&str)) -> Trial {
    let name = scenario.to_owned();
    Trial::test(format!("{scenario}::{title}"), move || {
        let _whole = MACHINE.write().unwrap_or_else(PoisonError::into_inner);
        check(&name);
        Ok(())
    })
}

/// A way to run a scenario: the program, its argument, and what its failure line starts with.
struct Way {
    file: String,
    arg: Option<String>,
    front: String,
    says_pid: bool,
}

fn ways(scenario: &str) -> [Way; 3] {
    let way = |file: &str, arg: Option<String>, front, says_pid| Way {
        file: file.into(),
        arg,
        front,
        says_pid,
    };
    let attach = format!("--scenario={scenario}");
    let (front, failed) = (
        format!("{scenario}: "),
        format!("scenario {scenario} failed: "),
    );
    [
        way(scenario, None, front.clone(), false),
        way("ioworkload", Some(scenario.into()), front, false),
        way("ioworkload", Some(attach), failed, true),
    ]
}

impl Way {
    /// Runs `command` so, and compares the code and all that it says: `text`, unless it is empty.
    fn ends(&self, mut command: Command, code: i32, text: &str) {
        self.without_wait(&mut command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().expect("it starts");
        let pid = child.id();
        let output = child.wait_with_output().expect("it ends");
        let said = said_by(output);
        let stdout = if self.says_pid {
            format!("{pid}\n")
        } else {
            String::new()
        };
        let stderr = if text.is_empty() {
            String::new()
        } else {
            format!("{}{text}\n", self.front)
        };
        assert_eq!(
            said,
            (Some(code), stdout, stderr),
            "{} {:?}",
            self.file,
            self.arg
        );
    }

    /// Its arguments, and the environment of a run that waits for nothing.
    fn without_wait<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.args(&self.arg).env(DELAY, "0");
        command.env_remove(STARTUP).env_remove(HOLD)
    }

    fn in_tmp(&self, room: &Room) -> Command {
        let mut command = Command::new(shipped(&self.file));
        room.as_tmp(&mut command);
        command
    }
}

/// A ground that a run with a target file stands on. A run without one succeeds on it.
struct Ground {
    name: &'static str,
    /// Lays out a room, given also the path of the target in it.
    furnish: fn(&Path, &Path),
    enter: fn(&Way, &Room) -> Command,
    /// The code and the text of a run with a target; `PATH` stands for the target's.
    end: (i32, &'static str),
}

const GROUNDS: &[Ground] = &[
    Ground {
        name: "tmp-empty",
        furnish: |_, _| (),
        enter: Way::in_tmp,
        end: (0, ""),
    },
    Ground {
        name: "no-tmp",
        furnish: |_, _| (),
        enter: as_root,
        end: (77, "openat: ENOENT (errno 2): PATH"),
    },
    Ground {
        name: "tmp-is-a-file",
        furnish: |room, _| put(&room.join("tmp"), "content"),
        enter: as_root,
        end: (77, "openat: ENOTDIR (errno 20): PATH"),
    },
    Ground {
        name: "tmp-is-a-loop",
        furnish: |room, _| link("tmp", &room.join("tmp")),
        enter: as_root,
        end: (1, "openat: ELOOP (errno 40): PATH"),
    },
    Ground {
        name: "tmp-read-only",
        furnish: |_, _| (),
        enter: read_only,
        end: (77, "openat: EROFS (errno 30): PATH"),
    },
    Ground {
        name: "tmp-read-only-with-a-left-over",
        furnish: |_, target| put(target, "left over"),
        enter: read_only,
        end: (77, "unlinkat: EROFS (errno 30): PATH"),
    },
    Ground {
        name: "no-descriptor-free",
        furnish: |_, _| (),
        enter: |way, room| limited(way, room, libc::RLIMIT_NOFILE, 3),
        end: (1, "openat: EMFILE (errno 24): PATH"),
    },
    Ground {
        name: "directory",
        furnish: |_, target| {
            fs::create_dir(target).expect("a room can be written");
            put(&target.join("file"), "content");
        },
        enter: Way::in_tmp,
        end: (1, "unlinkat: EISDIR (errno 21): PATH"),
    },
    Ground {
        name: "link-to-a-file",
        furnish: |room, target| {
            put(&room.join("file"), "content");
            link("file", target);
        },
        enter: Way::in_tmp,
        end: (0, ""),
    },
    Ground {
        name: "link-to-nothing",
        furnish: |_, target| link("nothing", target),
        enter: Way::in_tmp,
        end: (0, ""),
    },
    Ground {
        name: "link-to-a-directory",
        furnish: |room, target| {
            fs::create_dir(room.join("directory")).expect("a room can be written");
            put(&room.join("directory/file"), "content");
            link("directory", target);
        },
        enter: Way::in_tmp,
        end: (0, ""),
    },
    Ground {
        name: "left-over-file",
        furnish: |_, target| put(target, "of a killed run, longer than a payload"),
        enter: Way::in_tmp,
        end: (0, ""),
    },
    Ground {
        name: "left-over-file-with-another-name",
        furnish: |room, target| {
            put(&room.join("other"), "content of a file with two names");
            fs::hard_link(room.join("other"), target).expect("a room can be written");
        },
        enter: Way::in_tmp,
        end: (0, ""),
    },
    Ground {
        name: "left-over-fifo",
        furnish: |_, target| mkfifo(target, Mode::S_IRUSR).expect("a room can be written"),
        enter: Way::in_tmp,
        end: (0, ""),
    },
];

fn put(path: &Path, content: &str) {
    fs::write(path, content).expect("a room can be written");
}

fn link(to: &str, path: &Path) {
    symlink(to, path).expect("a room can be written");
}

fn as_root(way: &Way, room: &Room) -> Command {
    room.as_root(&shipped(&way.file))
}

fn read_only(way: &Way, room: &Room) -> Command {
    let mut command = Command::new(shipped(&way.file));
    room.as_read_only_tmp(&mut command);
    command
}

fn limited(way: &Way, room: &Room, what: libc::__rlimit_resource_t, max: u64) -> Command {
    let mut command = way.in_tmp(room);
    let limit = libc::rlimit {
        rlim_cur: max,
        rlim_max: max,
    };
    let set = move || {
        // SAFETY: the kernel reads `limit` before the call returns.
        Errno::result(unsafe { libc::setrlimit(what, &raw const limit) })?;
        Ok(())
    };
    // SAFETY: `set` makes one system call, on data made before the fork.
    unsafe { command.pre_exec(set) };
    command
}

impl Ground {
    fn check(&self, scenario: &str) {
        let target = format!("ioworkload-{scenario}");
        let path = format!("/tmp/{target}");
        let (code, text) = self.end(scenario);
        for way in ways(scenario) {
            let room = Room::new();
            (self.furnish)(room.path(), &room.path().join(&target));
            let command = (self.enter)(&way, &room);
            let mut wanted = inventory(&room);
            if code == 0 && has_target(scenario) {
                wanted.retain(|item| item.name != target);
            }
            way.ends(command, code, &text.replace("PATH", &path));
            assert_eq!(inventory(&room), wanted, "{} {:?}", way.file, way.arg);
        }
    }

    /// The code and the text of a run on this ground.
    fn end(&self, scenario: &str) -> (i32, &'static str) {
        if has_target(scenario) {
            return self.end;
        }
        // Who has no target may still need a descriptor, or a file that an empty root does not have.
        let bare = self.name.starts_with("tmp-is-") || self.name == "no-tmp";
        match (calls(scenario)[0].name.as_str(), self.name) {
            ("pipe2", "no-descriptor-free") => (1, "pipe2: EMFILE (errno 24)"),
            ("openat", "no-descriptor-free") => (1, "openat: EMFILE (errno 24)"),
            ("memfd_create", "no-descriptor-free") => (1, "memfd_create: EMFILE (errno 24)"),
            ("openat", _) if bare => (77, "openat: ENOENT (errno 2)"),
            _ => (0, ""),
        }
    }
}

fn has_target(scenario: &str) -> bool {
    load(scenario).expect("an expected trace").has_target()
}

/// The calls of a scenario; those of a child, for which its parent waits, behind its birth.
fn calls(scenario: &str) -> Vec<Call> {
    let mut expected = load(scenario).expect("an expected trace");
    let children = std::mem::take(&mut expected.children);
    let mut children = children.iter().flat_map(Child::each);
    let mut calls = Vec::new();
    for call in expected.each() {
        calls.push(call.clone());
        if ["fork", "vfork"].contains(&call.name.as_str()) {
            let mut child = expected.clone();
            child.calls = children.next().expect("a child").to_vec();
            calls.extend(child.each().into_iter().cloned());
        }
    }
    calls
}

/// A name in a room, and what stands behind it.
#[derive(PartialEq, Debug)]
struct Item {
    name: String,
    kind: fs::FileType,
    content: Vec<u8>,
}

fn inventory(room: &Room) -> Vec<Item> {
    let item = |name: String| {
        let path = room.path().join(&name);
        let kind = fs::symlink_metadata(&path).expect("an entry").file_type();
        let content = content(&path, kind);
        Item {
            name,
            kind,
            content,
        }
    };
    room.names().into_iter().map(item).collect()
}

/// A file's bytes, a link's path, what is in a directory's only file.
fn content(path: &Path, kind: fs::FileType) -> Vec<u8> {
    if kind.is_file() {
        fs::read(path).expect("a file")
    } else if kind.is_dir() {
        fs::read(path.join("file")).expect("a file")
    } else if kind.is_symlink() {
        fs::read_link(path)
            .expect("a link")
            .into_os_string()
            .into_encoded_bytes()
    } else {
        Vec::new()
    }
}

/// The AIO calls of a scenario, the first of each name.
fn aio_calls(scenario: &str) -> Vec<Call> {
    let mut calls = calls(scenario);
    calls.retain(|call| call.name.starts_with("io_"));
    let names: Vec<_> = calls.iter().map(|call| call.name.clone()).collect();
    let mut at = 0..;
    calls.retain(|call| at.next() == names.iter().position(|name| *name == call.name));
    calls
}

/// The filter that answers a call with an error, or with 0 without making it.
fn filter(nr: u64, answer: i32) -> BpfProgram {
    let rules = [(nr as i64, vec![])].into();
    let answer = SeccompAction::Errno(answer as u32);
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, TargetArch::x86_64);
    filter.and_then(TryInto::try_into).expect("a filter")
}

fn confine(command: &mut Command, filter: BpfProgram) {
    let apply = move || apply_filter(&filter).map_err(|_| io::Error::last_os_error());
    // SAFETY: `apply` makes two system calls, on a filter made before the fork.
    unsafe { command.pre_exec(apply) };
}

/// An AIO call answers ENOSYS, as a kernel without it, or EPERM, as a sandbox.
fn refused(scenario: &str, call: &Call, errno: Errno) {
    let text = format!(
        "{}: {errno:?} (errno {}){}",
        call.name,
        errno as i32,
        instead(call)
    );
    for way in ways(scenario) {
        let room = Room::new();
        let mut command = way.in_tmp(&room);
        confine(&mut command, filter(call.nr, errno as i32));
        way.ends(command, 77, &text);
        assert!(room.names().is_empty(), "left behind: {:?}", room.names());
    }
}

/// What is said where the scenario wants another error.
fn instead(call: &Call) -> String {
    let wanted = match &call.ret {
        Some(Ret::Number(number)) => *number,
        Some(Ret::Any(numbers)) => numbers[0],
        Some(Ret::Name(_) | Ret::Range(_)) | None => 0,
    };
    let name = || format!(", expected -{:?}", Errno::from_raw(-wanted as i32));
    (wanted < 0).then(name).unwrap_or_default()
}

fn used_up(scenario: &str) {
    let _hoard = Hoard::all();
    let wants_context = calls(scenario).iter().any(wants_context);
    let text = "io_setup: EAGAIN (errno 11): raise fs.aio-max-nr";
    let (code, text) = if wants_context { (77, text) } else { (0, "") };
    for way in ways(scenario) {
        let room = Room::new();
        way.ends(way.in_tmp(&room), code, text);
        assert!(room.names().is_empty(), "left behind: {:?}", room.names());
    }
}

fn wants_context(call: &Call) -> bool {
    call.name == "io_setup" && matches!(call.ret, Some(Ret::Number(0)))
}

/// The kernel writes 7 bytes of 15, and only who looks at the completion knows.
fn cut_short(scenario: &str, code: i32, text: &str) {
    for way in ways(scenario) {
        let room = Room::new();
        way.ends(limited(&way, &room, libc::RLIMIT_FSIZE, 7), code, text);
        assert!(room.names().is_empty(), "left behind: {:?}", room.names());
    }
}

const CUT_SHORT: &[(&str, i32, &str)] = &[
    ("aio-submit", 0, ""),
    ("aio-getevents", 1, "io_getevents: res is 7, expected 15"),
    ("aio-cancel", 1, "io_getevents: res is 7, expected 15"),
];

/// Without stdout and stderr every exit code is what it was, but where a PID line is asked for.
fn unheard(scenario: &str) {
    let opens = calls(scenario)[0].name == "openat";
    let no_tmp = if opens { 77 } else { 0 };
    for way in ways(scenario).into_iter().filter(|way| !way.says_pid) {
        let room = Room::new();
        assert_eq!(silenced(way.in_tmp(&room), &way), Some(0));
        let mut refused = way.in_tmp(&room);
        confine(
            &mut refused,
            filter(aio_calls(scenario)[0].nr, libc::ENOSYS),
        );
        assert_eq!(silenced(refused, &way), Some(77));
        assert!(room.names().is_empty(), "left behind: {:?}", room.names());
        assert_eq!(silenced(as_root(&way, &room), &way), Some(no_tmp));
        assert_eq!(room.names(), [way.file]);
    }
}

fn silenced(mut command: Command, way: &Way) -> Option<i32> {
    let close = || {
        for fd in [1, 2] {
            // SAFETY: between fork and exec nobody uses these two.
            unsafe { libc::close(fd) };
        }
        Ok(())
    };
    // SAFETY: `close` only makes system calls.
    unsafe { command.pre_exec(close) };
    way.without_wait(&mut command);
    command.status().expect("it starts").code()
}

/// An answer that is given to one of the calls of a scenario, instead of making it.
struct Answer {
    scenario: &'static str,
    call: &'static str,
    /// An error's number, or 0 for the answer 0.
    errno: i32,
    end: (i32, &'static str),
}

const fn answer(
    scenario: &'static str,
    call: &'static str,
    errno: i32,
    code: i32,
    text: &'static str,
) -> Answer {
    Answer {
        scenario,
        call,
        errno,
        end: (code, text),
    }
}

/// What means "this machine can't", 77, depends on the call. `PATH` stands for the target's path.
#[rustfmt::skip]
const ANSWERS: &[Answer] = &[
    answer("aio-submit", "openat", libc::EPERM, 77, "openat: EPERM (errno 1): PATH"),
    answer("aio-submit", "openat", libc::ENOSYS, 1, "openat: ENOSYS (errno 38): PATH"),
    answer("aio-submit", "openat", libc::EEXIST, 1, "openat: EEXIST (errno 17): PATH"),
    answer("aio-submit", "openat", libc::ENOSPC, 1, "openat: ENOSPC (errno 28): PATH"),
    answer("aio-submit", "openat", libc::ELIBBAD, 1, "openat: unknown (errno 80): PATH"),
    answer("aio-submit", "io_setup", libc::EAGAIN, 77,
        "io_setup: EAGAIN (errno 11): raise fs.aio-max-nr"),
    answer("aio-submit", "io_setup", libc::ENOMEM, 1, "io_setup: ENOMEM (errno 12)"),
    answer("aio-submit", "io_submit", libc::EAGAIN, 1, "io_submit: EAGAIN (errno 11)"),
    answer("aio-submit", "io_submit", 0, 1, "io_submit: 0, expected 1"),
    answer("aio-submit", "io_destroy", libc::EINVAL, 1, "io_destroy: EINVAL (errno 22)"),
    answer("aio-submit", "close", libc::EIO, 1, "close: EIO (errno 5)"),
    answer("aio-submit", "close", libc::EPERM, 1, "close: EPERM (errno 1)"),
    answer("aio-submit", "unlinkat", libc::EPERM, 1, "unlinkat: EPERM (errno 1): PATH"),
    answer("aio-submit", "unlinkat", libc::ENOENT, 0, ""),
    answer("aio-getevents", "io_getevents", 0, 1, "io_getevents: 0, expected 1"),
    answer("aio-getevents", "io_getevents", libc::EINTR, 1, "io_getevents: EINTR (errno 4)"),
    answer("aio-cancel", "io_cancel", libc::EAGAIN, 1,
        "io_cancel: EAGAIN (errno 11), expected -EINVAL"),
    answer("aio-cancel", "io_cancel", libc::EINPROGRESS, 0, ""),
    answer("aio-cancel", "io_cancel", 0, 0, ""),
    answer("aio-cancel", "io_getevents", 0, 0, ""),
    answer("aio-setup", "io_setup", 0, 1, "io_destroy: EINVAL (errno 22)"),
    answer("aio-setup-einval", "io_setup", 0, 1, "io_setup: 0, expected -EINVAL"),
    answer("aio-setup-einval", "io_setup", libc::EFAULT, 1,
        "io_setup: EFAULT (errno 14), expected -EINVAL"),
];

impl Answer {
    fn check(&self) {
        let target = format!("ioworkload-{}", self.scenario);
        let (code, text) = self.end;
        let text = text.replace("PATH", &format!("/tmp/{target}"));
        for way in ways(self.scenario) {
            let room = Room::new();
            let mut command = way.in_tmp(&room);
            confine(
                &mut command,
                filter(number(self.scenario, self.call), self.errno),
            );
            way.ends(command, code, &text);
            // Only a run that can't remove its target leaves it.
            let left = if self.call == "unlinkat" {
                vec![target.clone()]
            } else {
                vec![]
            };
            assert_eq!(room.names(), left);
        }
    }
}

fn number(scenario: &str, call: &str) -> u64 {
    let calls = calls(scenario);
    let call = calls.iter().find(|one| one.name == call);
    call.expect("a call of the scenario").nr
}

/// Names that come again and again: openat is tried 64 times, and what is in the way is removed in
/// between.
fn tries(scenario: &str) {
    let (room, log) = (Room::new(), Room::new());
    let log = log.path().join("log");
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-e", "inject=openat:error=EEXIST", "-o"])
        .arg(&log);
    strace
        .arg("--")
        .arg(shipped(scenario))
        .stderr(Stdio::null());
    room.as_tmp(&mut strace);
    assert_eq!(strace.status().expect("strace starts").code(), Some(1));
    let log = fs::read_to_string(log).expect("a trace");
    let lines = |call: &str| log.lines().filter(|line| line.contains(call)).count();
    assert_eq!((lines(" openat("), lines(" unlinkat(")), (64, 63));
}
