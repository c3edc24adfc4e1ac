//! Does init find the programs of its root directory and report on each, where it is one process of
//! many and the rest of the machine is not its own?

mod programs;

use anyhow::{Context, Result, ensure};
use ioworkload_tests::bare::ktap::{self, Report};
use ioworkload_tests::driver::{self, Act, Stop};
use ioworkload_tests::room::Room;
use ioworkload_tests::shipped;
use nix::sys::ptrace::{self, AddressType};
use nix::sys::signal::{SigHandler, Signal, signal};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

const GETDENTS64: u64 = 217;

/// A root directory with programs that end in the way that their name says.
fn root(names: &[&str]) -> Result<Room> {
    static ENDS: LazyLock<Result<PathBuf, String>> =
        LazyLock::new(|| programs::compile("ends", &[]));
    let ends = ENDS
        .as_ref()
        .map_err(|error| anyhow::anyhow!(error.clone()))?;
    let room = Room::new();
    for name in names {
        // A copy could still be open for writing in a child that another thread is about to start.
        fs::hard_link(ends, room.path().join(name))?;
    }
    Ok(room)
}

fn init(room: &Room) -> Command {
    room.as_root(&shipped("init"))
}

/// The report, which is whole.
fn read(text: &str) -> Result<Report> {
    ktap::read(text.lines()).with_context(|| text.to_owned())
}

fn report(output: &Output) -> Result<Report> {
    read(std::str::from_utf8(&output.stdout)?)
}

/// The whole report is this line and the totals.
fn refuses(mut command: Command, line: &str) -> Result<()> {
    let output = command.output()?;
    let text = String::from_utf8(output.stdout)?;
    let totals = "# Totals: pass:0 fail:0 xfail:0 xpass:0 skip:0 error:0";
    let wanted = format!("KTAP version 1\n1..0\n# init: {line}\n{totals}\n");
    assert_eq!((output.status.code(), text), (Some(1), wanted));
    Ok(())
}

/// init with each of its calls of getdents64 altered: `enter` sees it begin, `leave` end.
fn altered(
    room: &Room,
    enter: impl Fn(&Stop) -> Result<()> + Send,
    leave: impl Fn(&Stop) -> Result<()> + Send,
) -> Result<driver::Run> {
    let act = move |stop: &Stop| {
        if stop.process > 0 {
            return Act::Free;
        }
        if stop.call.nr == GETDENTS64 {
            let done = if stop.entry { enter(stop) } else { leave(stop) };
            done.expect("it is stopped");
        }
        Act::Go
    };
    driver::drive(init(room), act)
}

/// As a file system that hands out a directory in pieces does it.
#[test]
fn a_directory_may_come_in_pieces() -> Result<()> {
    let room = root(&["says-much", "skips", "exits-with-1"])?;
    let room_for = |stop: &Stop, len: u64| {
        let mut registers = ptrace::getregs(stop.pid)?;
        registers.rdx = len;
        Ok(ptrace::setregs(stop.pid, registers)?)
    };
    // An entry has 24 bytes and more.
    let run = altered(
        &room,
        |stop| room_for(stop, stop.call.args[2].min(60)),
        |stop| room_for(stop, stop.call.args[2]),
    )?;
    let calls = run.calls[0].iter().filter(|call| call.nr == GETDENTS64);
    assert!(calls.count() > 3, "it came at once");
    let report = read(&run.stdout)?;
    let names: Vec<_> = report.names().collect();
    assert_eq!(names, ["exits-with-1", "says-much", "skips"]);
    Ok(())
}

/// As a file system that does not keep them does it.
#[test]
fn the_kinds_of_files_may_be_unknown() -> Result<()> {
    let room = root(&["skips"])?;
    fs::create_dir(room.path().join("directory"))?;
    let forget = |stop: &Stop| {
        let end = stop.call.ret.context("an answer")? as u64;
        let mut at = 0;
        while at < end {
            let entry = stop.call.args[1] + at;
            // `d_reclen` and `d_type`.
            let [low, high, _, ..] = driver::peek::<8>(stop.pid, entry + 16)?;
            let word = ptrace::read(stop.pid, (entry + 16) as AddressType)?;
            ptrace::write(stop.pid, (entry + 16) as AddressType, word & !0xff_0000)?;
            at += u64::from(u16::from_ne_bytes([low, high]));
        }
        Ok(())
    };
    let run = altered(&room, |_| Ok(()), forget)?;
    let wanted = ["ok skips # SKIP skips: io_setup: EPERM (errno 1)"];
    assert_eq!(read(&run.stdout)?.rows, wanted, "{}", run.stdout);
    Ok(())
}

#[test]
fn a_root_without_a_program() -> Result<()> {
    let room = root(&["ioworkload", ".hidden"])?;
    fs::create_dir(room.path().join("directory"))?;
    refuses(init(&room), "no program in /")
}

#[test]
fn too_many_programs() -> Result<()> {
    let names: Vec<_> = (0..65).map(|number| format!("program-{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    refuses(init(&root(&names)?), "more than 64 programs")?;
    let room = root(&[])?;
    let mut command = init(&room);
    command.args(&names);
    refuses(command, "more than 64 programs")
}

#[test]
fn too_many_files() -> Result<()> {
    let room = root(&[])?;
    for number in 0..40 {
        let name = format!("{number:x>200}");
        fs::create_dir(room.path().join(name))?;
    }
    refuses(init(&room), "too many files in /")
}

/// What nobody can print is four times as long, and the line all the same one line.
#[test]
fn a_long_line_stays_a_line() -> Result<()> {
    let long = "says-a-long-line";
    let room = root(&[long, "skips"])?;
    let report = report(&init(&room).output()?)?;
    let wanted = [
        format!("# {}", r"\xff".repeat(512)),
        format!("not ok {long} # exit=1"),
        "ok skips # SKIP skips: io_setup: EPERM (errno 1)".to_owned(),
    ];
    assert_eq!(report.rows, wanted);
    Ok(())
}

/// A process that ignores SIGCHLD does not learn how a child has ended.
#[test]
fn an_end_that_nobody_can_tell() -> Result<()> {
    let room = root(&["exits-with-1"])?;
    let mut command = init(&room);
    let ignore = || {
        // SAFETY: no handler is set.
        unsafe { signal(Signal::SIGCHLD, SigHandler::SigIgn) }?;
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes one system call.
    unsafe { command.pre_exec(ignore) };
    let report = report(&command.output()?)?;
    let wanted = [
        "# exits-with-1: io_setup: 1, expected 0",
        "not ok exits-with-1 # ERROR wait4: ECHILD (errno 10)",
    ];
    ensure!(report.rows == wanted, "{report:#?}");
    Ok(())
}
