//! Does what a program says end as it should, where there is no room for it and where it can't be
//! written?

use ioworkload::text::Page;
use ioworkload_tests::hand::{Act, End, lead};
use ioworkload_tests::shipped;
use nix::errno::Errno::{EAGAIN, EPIPE};
use std::io::{Read, pipe};
use std::os::fd::AsRawFd;
use std::process::Command;

const WRITE: u64 = 1;

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

/// How many writes `--list --json` makes where these fail, and what it prints.
fn with_writes_failing(fails: &[usize], answer: i64) -> (usize, String) {
    let mut command = Command::new(shipped("ioworkload"));
    command.args(["--list", "--json"]);
    let mut writes = 0;
    let run = lead(command, |stop| {
        if !stop.entry || stop.call.nr != WRITE {
            return Act::Go;
        }
        writes = stop.nth + 1;
        if fails.contains(&stop.nth) {
            Act::Answer(answer)
        } else {
            Act::Go
        }
    });
    let run = run.expect("it ends");
    assert_eq!(run.ends, [Some(End::Exited(0))]);
    (writes, run.stdout)
}

/// A reader gets the start of a text, and never its end without its middle.
#[test]
fn a_text_has_no_holes() {
    let (all, whole) = with_writes_failing(&[], 0);
    assert!(all > 4, "{all} writes");
    for fails in 0..all {
        for answer in [-(EAGAIN as i64), -(EPIPE as i64), 0] {
            let (writes, text) = with_writes_failing(&[fails], answer);
            assert_eq!(writes, fails + 1, "it goes on behind {answer}");
            assert!(whole.starts_with(&text), "a hole");
            assert_eq!(text.len(), 1024 * fails);
        }
    }
}
