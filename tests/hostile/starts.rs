//! Hostile start: what a program can inherit from the process that starts it.
//!
//! The rule: it makes its calls and ends with 0, says nothing and leaves nothing; started without
//! descriptors 0 to 2, its files get these numbers, and a failure's line still reaches none of them.

use crate::driven::{EXIT_GROUP, WRITE, drive_in};
use crate::errors::answers;
use crate::faults::Fault;
use crate::length;
use crate::places::{Place, places};
use crate::run::{Ended, as_root, before, fixture, limit, run};
use crate::tally::{Cases, area, trial};
use anyhow::{Context, Result, ensure};
use ioworkload_check::expected::load;
use ioworkload_tests::driver::{Act, End};
use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use libtest_mimic::Trial;
use nix::errno::Errno;
use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::personality::{self, Persona};
use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::Resource;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, raise, signal, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, close, execve, fork};
use std::ffi::CString;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::process::Command;

const AREA: &str = "4 starts";

pub fn trials() -> Vec<Trial> {
    area(AREA, each_start, control)
}

/// What is done to the process before it becomes the program.
type Start = (&'static str, fn() -> io::Result<()>);

const STARTS: &[Start] = &[
    ("stdin-closed", || closed(&[0])),
    ("stdout-closed", || closed(&[1])),
    ("stderr-closed", || closed(&[2])),
    ("stdin-and-stderr-closed", || closed(&[0, 2])),
    ("all-closed", || closed(&[0, 1, 2])),
    ("signals-blocked", || {
        Ok(sigprocmask(
            SigmaskHow::SIG_SETMASK,
            Some(&SigSet::all()),
            None,
        )?)
    }),
    ("signals-ignored", || ignored(Signal::iterator())),
    ("signals-blocked-and-ignored", || {
        ignored(Signal::iterator())?;
        Ok(sigprocmask(
            SigmaskHow::SIG_SETMASK,
            Some(&SigSet::all()),
            None,
        )?)
    }),
    ("SIGPIPE-pending", || {
        let pipe = SigSet::from(Signal::SIGPIPE);
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&pipe), None)?;
        Ok(raise(Signal::SIGPIPE)?)
    }),
    ("addresses-not-random", || persona(libc::ADDR_NO_RANDOMIZE)),
    ("short-inode-and-whole-seconds", || {
        persona(libc::SHORT_INODE | libc::WHOLE_SECONDS)
    }),
    ("page-zero-mapped", || persona(libc::MMAP_PAGE_ZERO)),
    ("address-compat-layout", || {
        persona(libc::ADDR_COMPAT_LAYOUT)
    }),
    ("no-new-privileges", || Ok(set_no_new_privs()?)),
    ("mount-namespace", || Ok(unshare(CloneFlags::CLONE_NEWNS)?)),
    ("user-namespace", || Ok(unshare(CloneFlags::CLONE_NEWUSER)?)),
    ("network-and-ipc-namespace", || {
        Ok(unshare(
            CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC,
        )?)
    }),
    ("pid-namespace", first_of_its_namespace),
    ("umask", || {
        umask(Mode::all());
        Ok(())
    }),
    ("nice", || {
        // SAFETY: the call touches no memory.
        Errno::result(unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 19) })?;
        Ok(())
    }),
];

fn closed(descriptors: &[i32]) -> io::Result<()> {
    descriptors.iter().try_for_each(|fd| Ok(close(*fd)?))
}

fn ignored(signals: impl Iterator<Item = Signal>) -> io::Result<()> {
    for one in signals.filter(|one| ![Signal::SIGKILL, Signal::SIGSTOP].contains(one)) {
        // SAFETY: the signal gets no handler.
        unsafe { signal(one, SigHandler::SigIgn)? };
    }
    Ok(())
}

fn persona(bits: i32) -> io::Result<()> {
    personality::set(Persona::from_bits_retain(bits))?;
    Ok(())
}

/// The program is PID 1 of the namespace; who has started it passes its end on.
fn first_of_its_namespace() -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWPID)?;
    // SAFETY: one thread, the one that std has forked, calls this, and the child goes on to execve.
    match unsafe { fork()? } {
        ForkResult::Child => Ok(()),
        ForkResult::Parent { child } => {
            let status = waitpid(child, None)?;
            let code = match status {
                WaitStatus::Exited(_, code) => code,
                _ => 111,
            };
            // SAFETY: ends the process at once.
            unsafe { libc::_exit(code) }
        }
    }
}

fn each_start(scenario: &str, cases: &mut Cases) -> Result<()> {
    as_root()?;
    let start = |(name, prepare): &Start| Case(name, Way::Prepared(*prepare));
    let mut list: Vec<_> = STARTS.iter().map(start).collect();
    list.push(Case("a-mebibyte-each", Way::Alone(with_much)));
    list.push(Case("no-arguments", Way::Alone(with_no_arguments)));
    list.push(Case(
        "fails-without-descriptors",
        Way::Alone(fails_without_descriptors),
    ));
    cases.each(&list, |Case(name, way)| match way {
        Way::Prepared(prepare) => started(scenario, *prepare, &outcome(scenario, name)),
        Way::Alone(check) => check(scenario),
    });
    Ok(())
}

/// A way to start a scenario.
struct Case(&'static str, Way);

enum Way {
    Prepared(fn() -> io::Result<()>),
    Alone(fn(&str) -> Result<()>),
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Two scenarios are about signals and would need a call more to be safe from what they inherit, and
/// three are about an address 0 that is none: they say what they miss. All else succeeds.
fn outcome(scenario: &str, start: &str) -> Ended {
    let line = match (scenario, start) {
        ("aio-getevents-eintr", "signals-blocked" | "signals-blocked-and-ignored") => {
            "io_getevents: 0, expected -EINTR"
        }
        ("aio-fork", "signals-ignored" | "signals-blocked-and-ignored") => {
            "wait4: ECHILD (errno 10)"
        }
        ("aio-cancel-errors", "page-zero-mapped") => {
            "io_cancel: EINVAL (errno 22), expected -EFAULT"
        }
        ("aio-setup-errors", "page-zero-mapped") => "io_setup: EINVAL (errno 22), expected -EFAULT",
        ("aio-submit-iocb-errors", "page-zero-mapped") => "io_submit: 1, expected -EFAULT",
        _ => return Ended::with(0, ""),
    };
    Ended::with(1, &format!("{scenario}: {line}"))
}

fn started(scenario: &str, prepare: fn() -> io::Result<()>, wanted: &Ended) -> Result<()> {
    let room = Room::new();
    let mut command = fixture(scenario, &room);
    before(&mut command, prepare);
    ends(&room, &mut command, wanted)
}

/// Ends so, and leaves nothing in its room.
fn ends(room: &Room, command: &mut Command, wanted: &Ended) -> Result<()> {
    let ended = run(command)?;
    ensure!(ended == *wanted, "{ended:?}, expected {wanted:?}");
    ensure!(room.names().is_empty(), "left {:?}", room.names());
    Ok(())
}

/// A mebibyte of arguments, and another of environment.
fn with_much(scenario: &str) -> Result<()> {
    with_strings(scenario, much(), much())
}

/// An argument list without even a name, and a mebibyte of environment.
fn with_no_arguments(scenario: &str) -> Result<()> {
    with_strings(scenario, Vec::new(), much())
}

/// A mebibyte, in strings that are as long as the kernel takes them: 128 KiB with the NUL.
fn much() -> Vec<CString> {
    const LONGEST: usize = 128 * 1024 - 1;
    let string = CString::new(vec![b'='; LONGEST]).expect("no NUL");
    vec![string; 8]
}

/// The kernel takes strings up to a quarter of the stack's limit.
fn with_strings(scenario: &str, args: Vec<CString>, envs: Vec<CString>) -> Result<()> {
    let room = Room::new();
    let program = CString::new(shipped(scenario).into_os_string().into_vec())?;
    let mut command = fixture(scenario, &room);
    limit(&mut command, Resource::RLIMIT_STACK, 64 << 20);
    before(&mut command, move || {
        let Err(error) = execve(&program, &args, &envs);
        Err(error.into())
    });
    ends(&room, &mut command, &Ended::with(0, ""))
}

/// With 0 to 2 closed each call fails in turn: the line is written to a closed descriptor 2.
fn fails_without_descriptors(scenario: &str) -> Result<()> {
    let expected = load(scenario)?;
    let room = Room::new();
    let whole = drive_in(without_descriptors(scenario, &room), &room, |_| Act::Go)?;
    ensure!(whole.run.ends[0] == Some(End::Exited(0)), "{:?}", whole.run);
    for place in places(&expected.calls) {
        // A close that is not made keeps its descriptor, which no kernel does. Two calls can't fail.
        let fails = place.call.nr != EXIT_GROUP && !answers(place.call).is_empty();
        if fails && place.call.name != "close" {
            let fault = Fault::new(scenario, place, Errno::ENOTRECOVERABLE);
            unheard(scenario, place, &fault).with_context(|| format!("{fault:?}"))?;
        }
    }
    Ok(())
}

fn without_descriptors(scenario: &str, room: &Room) -> Command {
    let mut command = fixture(scenario, room);
    before(&mut command, || closed(&[0, 1, 2]));
    command
}

fn unheard(scenario: &str, place: Place, fault: &Fault) -> Result<()> {
    let room = Room::new();
    let driven = drive_in(without_descriptors(scenario, &room), &room, |stop| {
        if place.is(stop) && stop.entry {
            Act::Answer(-(Errno::ENOTRECOVERABLE as i64))
        } else {
            Act::Go
        }
    })?;
    let calls = &driven.run.calls[0];
    let write = calls
        .iter()
        .rfind(|call| call.nr == WRITE)
        .context("a line")?;
    let (code, text) = fault.line();
    let len = scenario.len() + 2 + text.len() + 1;
    let ebadf = Some(-(Errno::EBADF as i64));
    ensure!(
        (write.args[0], write.args[2], write.ret) == (2, len as u64, ebadf),
        "{write:?}"
    );
    ensure!(
        driven.run.ends[0] == Some(End::Exited(code)),
        "{:?}",
        driven.run.ends
    );
    Ok(())
}

/// vm.overcommit_memory is the whole machine's, so nothing runs beside these, and only the long form
/// sets it.
pub fn trials_alone() -> Vec<Trial> {
    let alone = length::long().then(|| trial(AREA, "no-overcommit", without_overcommit));
    alone.into_iter().collect()
}

fn without_overcommit(_: &str, cases: &mut Cases) -> Result<()> {
    as_root()?;
    let _sysctl = Overcommit::set("2")?;
    cases.each(&scenarios(), |name| {
        started(name, || Ok(()), &Ended::with(0, ""))
    });
    Ok(())
}

/// What the sysctl was before: it is set again, whatever happens.
struct Overcommit(String);

impl Overcommit {
    const PATH: &str = "/proc/sys/vm/overcommit_memory";

    fn set(value: &str) -> Result<Self> {
        let before = Self(fs::read_to_string(Self::PATH)?);
        fs::write(Self::PATH, value)?;
        Ok(before)
    }
}

impl Drop for Overcommit {
    fn drop(&mut self) {
        fs::write(Self::PATH, &self.0).expect("it was written before");
    }
}

/// Commands that say what they have inherited, as far as a start changes that. No shell is between: it
/// would put right what it gets.
const SAY: &[&[&str]] = &[
    &["ls", "/proc/self/fd"],
    &["cat", "/proc/self/personality"],
    &[
        "grep",
        "-E",
        "^(Umask|Sig[PBIC]|ShdPnd|NoNew)",
        "/proc/self/status",
    ],
    &["readlink", "/proc/self/ns/mnt", "/proc/self/ns/user"],
    &["readlink", "/proc/self/ns/net", "/proc/self/ns/pid"],
    &["cut", "-d ", "-f19", "/proc/self/stat"],
];

fn inherited(prepare: fn() -> io::Result<()>) -> Result<Vec<Ended>> {
    let say = |words: &&[&str]| {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        before(&mut command, prepare);
        run(&mut command)
    };
    SAY.iter().map(say).collect()
}

/// Each start changes something, and a program that is not silent is noticed.
fn control() -> Result<()> {
    let plain = inherited(|| Ok(()))?;
    ensure!(plain == inherited(|| Ok(()))?, "not always the same");
    for (name, prepare) in STARTS {
        ensure!(plain != inherited(*prepare)?, "{name} changes nothing");
    }
    let room = Room::new();
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo >/tmp/left; echo said >&2; exit 3"]);
    room.as_tmp(&mut shell);
    let ended = run(&mut shell)?;
    ensure!(ended == Ended::with(3, "said"), "{ended:?}");
    ensure!(room.names() == ["left"], "{:?}", room.names());
    Ok(())
}
