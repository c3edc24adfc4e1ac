//! Do copies of a scenario, started at once or killed at any moment, get in each other's way?

use ioworkload_tests::hoard::{aio_nr, aio_nr_back_to};
use ioworkload_tests::random::Random;
use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const COPIES: usize = 64;
const ROUNDS: usize = 4;
/// As many stay alive.
const KILLED: usize = 8;

/// An exit code, or the signal that killed.
type End = (Option<i32>, Option<i32>);
const WELL: End = (Some(0), None);
const BY_US: End = (None, Some(libc::SIGKILL));

/// The machine's AIO contexts are counted by one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies of a scenario that wait for a common start.
struct Crowd {
    copies: Vec<Child>,
    start: PipeWriter,
    said: PipeReader,
}

impl Crowd {
    /// Each copy is a shell that waits for the end of its input and then becomes the fixture.
    fn gather(name: &str, copies: usize, room: &Room) -> Self {
        let (gate, start) = io::pipe().expect("a pipe");
        let (said, mouth) = io::pipe().expect("a pipe");
        let copy = |_| {
            let mut shell = Command::new("/bin/sh");
            shell
                .args(["-c", r#"read -r _; exec "$0""#])
                .arg(shipped(name));
            shell.stdin(gate.try_clone().expect("a descriptor"));
            shell.stdout(mouth.try_clone().expect("a descriptor"));
            shell.stderr(mouth.try_clone().expect("a descriptor"));
            room.as_tmp(&mut shell);
            shell.spawn().expect("a shell")
        };
        let copies = (0..copies).map(copy).collect();
        Self {
            copies,
            start,
            said,
        }
    }

    /// Starts them all, kills the first of them at the given moments, and waits for all.
    fn run(mut self, moments: &[Duration]) -> Vec<End> {
        drop(self.start);
        let start = Instant::now();
        for (copy, moment) in self.copies.iter_mut().zip(moments) {
            thread::sleep(moment.saturating_sub(start.elapsed()));
            copy.kill().expect("a signal");
        }
        let end = |copy: &mut Child| {
            let status = copy.wait().expect("an end");
            (status.code(), status.signal())
        };
        let ends = self.copies.iter_mut().map(end).collect();
        let mut said = String::new();
        self.said.read_to_string(&mut said).expect("text");
        assert_eq!(said, "");
        ends
    }
}

#[test]
fn copies_that_start_at_once_all_succeed() {
    let _alone = alone();
    let before = aio_nr();
    for name in scenarios() {
        let room = Room::new();
        for round in 1..=ROUNDS {
            let ends = Crowd::gather(&name, COPIES, &room).run(&[]);
            assert_eq!(ends, [WELL; COPIES], "{name}, round {round}");
            assert!(room.names().is_empty(), "{name} left {:?}", room.names());
        }
    }
    aio_nr_back_to(before);
}

/// Those that are killed leave at most a name, and that stops neither the others nor the next run.
#[test]
fn copies_that_are_killed_stop_nobody() {
    let _alone = alone();
    let before = aio_nr();
    let mut random = Random::seeded();
    let mut hits = 0;
    for name in scenarios() {
        let room = Room::new();
        for round in 1..=ROUNDS {
            let moments = moments(&mut random);
            let ends = Crowd::gather(&name, 2 * KILLED, &room).run(&moments);
            let (killed, others) = ends.split_at(KILLED);
            let ended = |end: &End| [WELL, BY_US].contains(end);
            assert!(
                killed.iter().all(ended),
                "{name}, round {round}: {killed:?}"
            );
            hits += killed.iter().filter(|end| **end == BY_US).count();
            assert_eq!(others, [WELL; KILLED], "{name}, round {round}");
            let next = Crowd::gather(&name, 1, &room).run(&[]);
            assert_eq!(next, [WELL], "{name}, round {round}");
            assert!(room.names().is_empty(), "{name} left {:?}", room.names());
        }
    }
    assert!(hits > ROUNDS, "only {hits} were killed alive");
    aio_nr_back_to(before);
}

/// Moments of the first 60 ms, in order: most scenarios are over by then.
fn moments(random: &mut Random) -> [Duration; KILLED] {
    let mut moments = [(); KILLED].map(|()| Duration::from_micros(random.below(60_000)));
    moments.sort();
    moments
}
