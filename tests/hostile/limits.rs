//! Too little of everything: descriptors, file size, stack, address space.
//!
//! The rule: a run succeeds, or one line names the call that could not be and the kernel's error,
//! and nothing is left. Which call the limit of descriptors hits is known exactly. Three things are
//! the kernel's alone: where it does not start a program at all, where it kills one by SIGXFSZ for
//! writing beyond RLIMIT_FSIZE, and where it kills one by SIGSEGV that RLIMIT_STACK does not give
//! [`STACK`]; the name that stays then is removed by the next run.

use crate::driven::{Driven, drive_in};
use crate::faults::Fault;
use crate::length;
use crate::places::{Place, places};
use crate::run::{Ended, as_root, before, limit, next_run, run};
use crate::tally::{Cases, area};
use anyhow::{Context, Result, bail, ensure};
use ioworkload_check::expected::load;
use ioworkload_tests::driver::{self, Act, End, Run};
use ioworkload_tests::room::Room;
use ioworkload_tests::shipped;
use libtest_mimic::Trial;
use nix::errno::Errno;
use nix::libc;
use nix::sys::resource::Resource;
use nix::sys::signal::{SigHandler, Signal, signal};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

const AREA: &str = "3 limits";

pub fn trials() -> Vec<Trial> {
    area(AREA, each_limit, control)
}

/// A limit, and where it is.
#[derive(Clone, Copy, Debug)]
enum Limit {
    Descriptors(u64),
    FileSize(u64),
    /// The same, and SIGXFSZ is ignored.
    FileSizeError(u64),
    Stack(u64),
    AddressSpace(u64),
}

const PAGE: u64 = 4096;

/// The stack that a fixture needs, with what the kernel puts there.
const STACK: u64 = 16 * 1024;

fn each_limit(scenario: &str, cases: &mut Cases) -> Result<()> {
    as_root()?;
    let mut limits: Vec<_> = (3..=8).map(Limit::Descriptors).collect();
    limits.extend([0, 1, 7].map(Limit::FileSize));
    limits.extend([0, 1, 7].map(Limit::FileSizeError));
    limits.extend((0..=8).map(|pages| Limit::Stack(pages * PAGE)));
    let step = if length::long() { 1 } else { 4 };
    let pages = (0..=64).step_by(step);
    limits.extend(pages.map(|pages| Limit::AddressSpace(pages * PAGE)));
    cases.each(&limits, |limit| limit.check(scenario));
    Ok(())
}

impl Limit {
    fn check(self, scenario: &str) -> Result<()> {
        match self {
            Self::Descriptors(max) => descriptors(scenario, max),
            Self::FileSize(max) => file_size(scenario, max, false),
            Self::FileSizeError(max) => file_size(scenario, max, true),
            Self::Stack(max) => started(scenario, Resource::RLIMIT_STACK, max, &[]),
            Self::AddressSpace(max) => started(
                scenario,
                Resource::RLIMIT_AS,
                max,
                &without_memory(scenario)?,
            ),
        }
    }
}

/// A fixture without an environment, in a room, with nothing open but 0 to 2.
fn bare(scenario: &str, room: &Room) -> Command {
    let mut command = Command::new(shipped(scenario));
    command.env_clear().arg0("");
    room.as_tmp(&mut command);
    before(&mut command, || {
        let (first, last, flags) = (3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
        // SAFETY: the call touches no memory. What it marks is closed by execve.
        Errno::result(unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) })?;
        Ok(())
    });
    command
}

/// The first call that needs a number at or above the limit answers EMFILE.
fn descriptors(scenario: &str, max: u64) -> Result<()> {
    let room = Room::new();
    let whole = drive_in(bare(scenario, &room), &room, |_| Act::Go)?;
    let expected = load(scenario)?;
    let mut command = bare(scenario, &room);
    limit(&mut command, Resource::RLIMIT_NOFILE, max);
    let ended = run(&mut command)?;
    let wanted = match whole.first_descriptor_from(max) {
        None => Ended::with(0, ""),
        Some(at) => {
            let nr = whole.run.calls[0][at].nr;
            let mut places = places(&expected.calls)
                .into_iter()
                .filter(|place| place.call.nr == nr && whole.run.place(nr, place.nth) == Some(at));
            let place = places.next().context("a call that is expected")?;
            let (code, text) = Fault::new(scenario, place, Errno::EMFILE).line();
            Ended::with(code, &format!("{scenario}: {text}"))
        }
    };
    ensure!(ended == wanted, "{ended:?}, expected {wanted:?}");
    ensure!(room.names().is_empty(), "left {:?}", room.names());
    Ok(())
}

/// What is written short beyond a limit of file size: the call that tells, and what it should be.
#[rustfmt::skip]
const SHORT: &[(&str, &str, u64)] = &[
    ("aio-cancel", "io_getevents", 15),
    ("aio-cancel-errors", "io_getevents", 15),
    ("aio-eventfd", "io_getevents", 15),
    ("aio-getevents", "io_getevents", 15),
    ("aio-getevents-errors", "io_getevents", 15),
    ("aio-getevents-ring", "io_submit", 15),
    ("aio-getevents-steps", "io_getevents", 15),
    ("aio-pgetevents", "io_pgetevents", 15),
    ("aio-pgetevents-eintr", "io_pgetevents", 15),
    ("aio-pgetevents-errors", "io_pgetevents", 15),
    ("aio-read-write", "io_getevents", 16),
    ("aio-rw-flags", "io_getevents", 4),
    ("aio-submit-batch", "io_getevents", 15),
    ("aio-submit-full", "io_getevents", 15),
    ("aio-submit-odd", "io_getevents", 15),
    ("aio-submit-partial", "io_getevents", 15),
];

/// A write that begins at the limit raises SIGXFSZ, which kills; ignored, there is an error. One that
/// begins below it is short, and a run that looks at the completion says so.
fn cut_short(scenario: &str, max: u64, ignored: bool) -> Ended {
    let short = SHORT.iter().find(|(name, ..)| *name == scenario);
    let at_the_limit = match scenario {
        // Both write at an offset beyond 7 too.
        "aio-cold" | "aio-submit-batch" => true,
        _ => max == 0 && (short.is_some() || scenario == "aio-submit"),
    };
    if at_the_limit && !ignored {
        let (code, signal) = (None, Some(Signal::SIGXFSZ as i32));
        return Ended {
            code,
            signal,
            ..Ended::with(0, "")
        };
    }
    match short {
        _ if scenario == "aio-cold" => Ended::with(1, "aio-cold: pwrite64: EFBIG (errno 27)"),
        None => Ended::with(0, ""),
        Some((_, call, right)) => {
            let got = match max {
                0 => "-27".into(),
                // Its first four bytes are there already.
                7 if scenario == "aio-rw-flags" => "3".into(),
                max => max.to_string(),
            };
            Ended::with(
                1,
                &format!("{scenario}: {call}: res is {got}, expected {right}"),
            )
        }
    }
}

fn file_size(scenario: &str, max: u64, ignored: bool) -> Result<()> {
    let room = Room::new();
    let mut command = bare(scenario, &room);
    limit(&mut command, Resource::RLIMIT_FSIZE, max);
    if ignored {
        before(&mut command, ignore_sigxfsz);
    }
    let (ended, wanted) = (run(&mut command)?, cut_short(scenario, max, ignored));
    ensure!(ended == wanted, "{ended:?}, expected {wanted:?}");
    if ended.signal.is_some() {
        return next_run(scenario, &room);
    }
    ensure!(room.names().is_empty(), "left {:?}", room.names());
    Ok(())
}

fn ignore_sigxfsz() -> io::Result<()> {
    // SAFETY: the signal gets no handler.
    unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn)? };
    Ok(())
}

/// What a run says where the kernel has no addresses left for it.
fn without_memory(scenario: &str) -> Result<Vec<String>> {
    let expected = load(scenario)?;
    let maps = |place: &Place| ["io_setup", "mmap"].contains(&place.call.name.as_str());
    let line = |place| Fault::new(scenario, place, Errno::ENOMEM).line().1;
    Ok(places(&expected.calls)
        .into_iter()
        .filter(maps)
        .map(line)
        .collect())
}

/// What the kernel has started succeeds, or says one of these lines.
fn started(scenario: &str, what: Resource, max: u64, lines: &[String]) -> Result<()> {
    let room = Room::new();
    let mut command = bare(scenario, &room);
    limit(&mut command, what, max);
    let run = driver::drive(command, |_| Act::Free);
    if let Ok(run) = &run
        && run.ends[0] == Some(End::Killed(Signal::SIGSEGV))
        && what == Resource::RLIMIT_STACK
        && max < STACK
    {
        return next_run(scenario, &room);
    }
    ensure!(room.names().is_empty(), "left {:?}", room.names());
    match run {
        Ok(run) => said(scenario, &run, lines),
        Err(error) => not_started(&error),
    }
}

fn said(scenario: &str, run: &Run, lines: &[String]) -> Result<()> {
    let said = (run.ends[0], run.stdout.as_str(), run.stderr.as_str());
    let line = |line: &String| format!("{scenario}: {line}\n");
    let known = lines
        .iter()
        .any(|text| said == (Some(End::Exited(1)), "", &line(text)));
    ensure!(known || said == (Some(End::Exited(0)), "", ""), "{said:?}");
    Ok(())
}

/// execve answers an error, or kills when it is too late for one.
fn not_started(error: &anyhow::Error) -> Result<()> {
    let refused = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::raw_os_error);
    let killed = error
        .to_string()
        .ends_with("SIGSEGV) instead of the stop after execve");
    match refused {
        Some(libc::E2BIG | libc::ENOMEM | libc::EAGAIN) => Ok(()),
        None if killed => Ok(()),
        _ => bail!("{error:#}"),
    }
}

impl Driven {
    /// The first call that got a descriptor of this number or above.
    fn first_descriptor_from(&self, min: u64) -> Option<usize> {
        let calls = 0..self.run.calls[0].len();
        let mut calls = calls.filter(|at| self.opened(*at).iter().any(|fd| *fd >= min));
        calls.next()
    }
}

/// Limits that bite are seen to bite.
fn control() -> Result<()> {
    let room = Room::new();
    let ends = |what, max| -> Result<Ended> {
        let mut command = bare("aio-getevents", &room);
        limit(&mut command, what, max);
        run(&mut command)
    };
    let path = "/tmp/ioworkload-aio-getevents";
    let lines = [
        (
            Resource::RLIMIT_NOFILE,
            3,
            format!("openat: EMFILE (errno 24): {path}"),
        ),
        (
            Resource::RLIMIT_FSIZE,
            7,
            "io_getevents: res is 7, expected 15".into(),
        ),
        (
            Resource::RLIMIT_AS,
            36 * PAGE,
            "io_setup: ENOMEM (errno 12)".into(),
        ),
    ];
    for (what, max, line) in lines {
        let wanted = Ended::with(1, &format!("aio-getevents: {line}"));
        let ended = ends(what, max)?;
        ensure!(ended == wanted, "{what:?}: {ended:?}");
    }
    let killed = ends(Resource::RLIMIT_FSIZE, 0)?;
    ensure!(killed.signal == Some(Signal::SIGXFSZ as i32), "{killed:?}");
    Ok(())
}
