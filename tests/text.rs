//! Does what a program says end as it should, where there is no room for it and where it can't be
//! written?

use ioworkload::output::Output;
use ioworkload::text::Page;
use ioworkload_tests::driver::{Act, End, Run, drive};
use ioworkload_tests::shipped;
use nix::errno::Errno::{EAGAIN, EINTR, ENOMEM, EPIPE};
use nix::fcntl::FcntlArg::{F_SETFL, F_SETPIPE_SZ};
use nix::fcntl::{OFlag, fcntl};
use std::io::{Read, pipe};
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread;

const WRITE: u64 = 1;
const PPOLL: u64 = 271;

fn printed<const MAX: usize>(text: &str) -> String {
    let (mut reader, writer) = pipe().expect("a pipe");
    let mut page = Page::<MAX>::default();
    page.text(text).print(writer.as_raw_fd().cast_unsigned());
    drop(writer);
    let mut printed = String::new();
    reader.read_to_string(&mut printed).expect("text");
    printed
}

/// What is too long is cut short, and still a line.
#[test]
fn a_line_ends_in_a_newline() {
    assert_eq!(printed::<8>(""), "\n");
    assert_eq!(printed::<8>("seven b"), "seven b\n");
    assert_eq!(printed::<8>("eight by"), "eight b\n");
    assert_eq!(printed::<8>("eleven byte"), "eleven \n");
}

/// Runs `--expect=aio-rw-flags`, which takes several writes, with answers in the kernel's place: of
/// `write` at that one, and of each `ppoll`. Returns how it ends, and how many of each it makes.
fn answered(at: usize, write: Option<i64>, ppoll: Option<i64>) -> (Run, [usize; 2]) {
    let mut command = Command::new(shipped("ioworkload"));
    command.arg("--expect=aio-rw-flags");
    let act = |answer: Option<i64>| answer.map_or(Act::Go, Act::Answer);
    let run = drive(command, |stop| match stop.call.nr {
        WRITE if stop.entry && stop.nth == at => act(write),
        PPOLL if stop.entry => act(ppoll),
        _ => Act::Go,
    });
    let run = run.expect("it ends");
    let count = |nr| run.calls[0].iter().filter(|call| call.nr == nr).count();
    let counts = [WRITE, PPOLL].map(count);
    (run, counts)
}

/// The text, and how many writes it takes.
fn whole() -> (String, usize) {
    let (run, [all, _]) = answered(usize::MAX, None, None);
    assert!(all > 2, "{all} writes");
    (run.stdout, all)
}

const OK: (Option<End>, &str) = (Some(End::Exited(0)), "");

#[test]
fn a_short_write_is_continued() {
    let (whole, all) = whole();
    for at in 0..all {
        for taken in [1, 7] {
            let (run, counts) = answered(at, Some(taken as i64), None);
            // What the kernel has not taken after all.
            let lost = 1024 * at..1024 * at + taken;
            let mut text = whole.clone();
            text.replace_range(lost, "");
            assert_eq!((run.ends[0], run.stderr.as_str()), OK);
            assert_eq!((run.stdout, counts), (text, [all + 1, 0]));
        }
    }
}

/// A signal, and a descriptor that has room again at once, or after another signal.
#[test]
fn a_write_is_repeated() {
    let (whole, all) = whole();
    let rows = [
        (EINTR, None, 0),
        (EAGAIN, None, 1),
        (EAGAIN, Some(-(EINTR as i64)), 1),
    ];
    for at in 0..all {
        for (errno, ppoll, waits) in rows {
            let (run, counts) = answered(at, Some(-(errno as i64)), ppoll);
            assert_eq!((run.ends[0], run.stderr.as_str()), OK);
            assert_eq!((&run.stdout, counts), (&whole, [all + 1, waits]));
        }
    }
}

/// A reader gets the start of a text, and never its end without its middle.
#[test]
fn a_text_has_no_holes() {
    let (whole, all) = whole();
    let rows = [
        (-(EPIPE as i64), None, "EPIPE (errno 32)", 0),
        (0, None, "ENOSPC (errno 28)", 0),
        (-(EAGAIN as i64), Some(0), "EAGAIN (errno 11)", 1),
        (
            -(EAGAIN as i64),
            Some(-(ENOMEM as i64)),
            "ENOMEM (errno 12)",
            1,
        ),
    ];
    for at in 0..all {
        for (write, ppoll, errno, waits) in rows {
            let (run, counts) = answered(at, Some(write), ppoll);
            let line = format!("ioworkload: write: {errno}\n");
            assert_eq!((run.ends[0], run.stderr), (Some(End::Exited(1)), line));
            let start = &whole[..1024 * at];
            // The last is the line.
            assert_eq!((run.stdout.as_str(), counts), (start, [at + 2, waits]));
        }
    }
}

/// It is full again and again, and is emptied in between.
#[test]
fn a_pipe_with_little_room_gets_all() {
    let (mut reader, writer) = pipe().expect("a pipe");
    fcntl(&writer, F_SETFL(OFlag::O_NONBLOCK)).expect("a pipe");
    fcntl(&writer, F_SETPIPE_SZ(4096)).expect("a pipe");
    let text = "0123456789".repeat(5_000);
    let reads = thread::spawn(move || {
        let (mut all, mut part) = (Vec::new(), [0; 777]);
        while let len @ 1.. = reader.read(&mut part).expect("a pipe") {
            all.extend_from_slice(&part[..len]);
        }
        String::from_utf8(all).expect("text")
    });
    let mut out = Output::new(writer.as_raw_fd().cast_unsigned(), 60_000);
    assert_eq!(out.text(&text).finish(), Ok(()));
    drop(writer);
    assert_eq!(reads.join().expect("no panic"), text);
}
