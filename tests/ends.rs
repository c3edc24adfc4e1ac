//! Does every fixture end by itself, and soon? Each wait of theirs has an end of its own, so that a
//! lost race is a failure with a line, never a hang.

use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The longest takes half a second here, where nobody else works.
const LIMIT: Duration = Duration::from_secs(5);

/// How long it ran, and whether it ended well; what takes longer than the limit is ended.
fn time(command: &mut Command) -> (Duration, bool) {
    let start = Instant::now();
    let mut child = command.spawn().expect("it starts");
    let well = ended(&mut child, start).unwrap_or_else(|| {
        child.kill().expect("it runs");
        child.wait().expect("it is killed").success()
    });
    (start.elapsed(), well)
}

fn ended(child: &mut Child, start: Instant) -> Option<bool> {
    while start.elapsed() < LIMIT {
        if let Some(status) = child.try_wait().expect("it is ours") {
            return Some(status.success());
        }
        sleep(Duration::from_millis(1));
    }
    None
}

#[test]
fn every_fixture_ends_within_5_seconds() {
    for name in scenarios() {
        let room = Room::new();
        let mut command = Command::new(shipped(&name));
        room.as_tmp(&mut command);
        let (took, well) = time(&mut command);
        println!("{name}: {took:?}");
        assert!(well && took < LIMIT, "{name}: {took:?}, well: {well}");
    }
}

/// What hangs is noticed, and what fails.
#[test]
fn a_hang_is_noticed() {
    let (took, well) = time(Command::new("sleep").arg("60"));
    assert!(took >= LIMIT && !well, "{took:?}");
    let (took, well) = time(&mut Command::new("false"));
    assert!(took < LIMIT && !well, "{took:?}");
}
