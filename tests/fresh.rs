//! Does it work on a machine where nothing was done before, and from any directory?
//!
//! The machine is one without tracefs, debugfs and /dev/shm, with nothing in the environment that is
//! not needed, and new files are for their owner only. The directory is below /tmp, its path has a
//! blank, a comma and a letter that is not ASCII; in it are the sources, without .git, and read-only.
//! What is built is elsewhere.

use ioworkload_tests::copy_of_the_sources;
use ioworkload_tests::room::Room;
use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

/// As it is seen by those who have the room as their /tmp.
const SOURCES: &str = "a pläce, or two/sources";

/// Makes the machine such a one, in a mount namespace of its own, and runs a command. It may be
/// mounted in several layers.
const SCRIPT: &str = r#"set -eu
umask 077
for place in /sys/kernel/tracing /sys/kernel/debug /dev/shm; do
    while mountpoint -q "$place"; do umount -R "$place"; done
done
mount -t tmpfs -o ro none /dev/shm
mount -o bind,ro "$1" "$1"
cd "$1"
shift
exec "$@""#;

/// What the environment must say where cargo is not in its usual place.
const KEPT: [&str; 5] = [
    "PATH",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "CI",
];

/// Each starts on such a machine: none may leave something for the next.
const COMMANDS: &[&str] = &[
    "make run",
    "make trace SCENARIO=aio-setup TRACER=bpftrace",
    "make trace SCENARIO=aio-setup TRACER=perf",
    "make loss TRACER=bpftrace N=1000",
    "make attach RUNS=1",
    "cargo test --locked -p ioworkload-tests --test hostile environments",
    "cargo test --locked -p ioworkload-tests --test container --test elf --test format --test init \
     --test link --test make --test text",
];

#[test]
fn everything_works_on_a_machine_of_its_own() {
    let room = Room::new();
    copy_of_the_sources(&room.path().join(SOURCES));
    for command in COMMANDS {
        let output = on_a_fresh_machine(&room, command)
            .output()
            .expect("sh is there");
        println!("{command}: {}", output.status);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(output.status.success(), "{command}: {text}");
    }
}

fn on_a_fresh_machine(room: &Room, command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", SCRIPT, "sh"])
        .arg(Path::new("/tmp").join(SOURCES));
    shell
        .args(command.split(' '))
        .env_clear()
        .stdin(Stdio::null());
    shell.envs(env::vars_os().filter(|(name, _)| KEPT.iter().any(|kept| name == kept)));
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("built elsewhere, ä");
    shell.env("CARGO_TARGET_DIR", built);
    room.as_tmp(&mut shell);
    shell
}
