//! Does every fixture end by itself, and soon? Each wait of theirs has an end of its own, so that a
//! lost race is a failure with a line, never a hang.

use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest takes half a second where nobody else works; the waits in fixtures end after 10 s,
/// with a line.
const LIMIT: Duration = Duration::from_secs(30);

/// How long it ran, and whether it ended well; what takes longer than the limit is ended.
fn time(command: &mut Command, limit: Duration) -> (Duration, bool) {
    let start = Instant::now();
    let mut child = command.spawn().expect("it starts");
    let well = ended(&mut child, start + limit).unwrap_or_else(|| {
        child.kill().expect("it runs");
        child.wait().expect("it is killed").success()
    });
    (start.elapsed(), well)
}

fn ended(child: &mut Child, latest: Instant) -> Option<bool> {
    while Instant::now() < latest {
        if let Some(status) = child.try_wait().expect("it is ours") {
            return Some(status.success());
        }
        sleep(Duration::from_millis(1));
    }
    None
}

#[test]
fn every_fixture_ends_in_time() {
    for name in scenarios() {
        let room = Room::new();
        let mut command = Command::new(shipped(&name));
        room.as_tmp(&mut command);
        let (took, well) = time(&mut command, LIMIT);
        println!("{name}: {took:?}");
        assert!(well && took < LIMIT, "{name}: {took:?}, well: {well}");
    }
}

/// What hangs is noticed, and what fails.
#[test]
fn a_hang_is_noticed() {
    let limit = Duration::from_secs(1);
    let (took, well) = time(Command::new("sleep").arg("60"), limit);
    assert!(took >= limit && !well, "{took:?}");
    let (took, well) = time(&mut Command::new("false"), LIMIT);
    assert!(took < LIMIT && !well, "{took:?}");
}
