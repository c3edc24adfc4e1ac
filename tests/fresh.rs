//! Does it work on a machine where nothing was done before, and from any directory?
//!
//! The machine is one without tracefs, debugfs and /dev/shm, with nothing in the environment that is
//! not needed, and new files are for their owner only. The directory is below /tmp, its path has a
//! blank, a comma and a letter that is not ASCII; in it are the sources, without .git, and read-only.
//! What is built is elsewhere.

use ioworkload_tests::room::Room;
use ioworkload_tests::{copy_of_the_sources, root};
use std::borrow::BorrowMut;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};
use tempfile::TempDir;

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
    "cargo test --locked -p ioworkload-tests --test container --test init --test link --test make",
];

/// An ordinary user: another number, no capabilities; only what is built is this one's own.
const CHECK: &str = "unshare --user --map-user=65534 --map-group=65534 make check";

/// What `make check` runs, sorted.
const CHECKED: [&str; 9] = [
    "catalogue",
    "compare",
    "elf",
    "ends",
    "expect",
    "format",
    "parser",
    "text",
    "trace",
];

#[test]
fn everything_works_on_a_machine_of_its_own() {
    let room = Room::new();
    copy_of_the_sources(&room.path().join(SOURCES));
    for command in COMMANDS {
        succeeds(command, on_a_fresh_machine(&room, command));
    }
    let mut check = on_a_fresh_machine(&room, CHECK);
    let poor = poor_path();
    let text = succeeds(CHECK, check.env("PATH", poor.path()));
    let mut run: Vec<_> = text.lines().filter_map(running).collect();
    run.sort_unstable();
    assert_eq!(run, CHECKED, "{text}");
    let results = text
        .lines()
        .filter(|line| line.starts_with("test result: ok. "));
    let none = |line: &&str| line.contains(" 0 passed;") || !line.contains(" 0 ignored;");
    assert_eq!(results.clone().count(), CHECKED.len(), "{text}");
    assert_eq!(results.filter(none).count(), 0, "{text}");
}

/// `     Running trace.rs (…)`: the program's name.
fn running(line: &str) -> Option<&str> {
    let file = line.trim_start().strip_prefix("Running ")?;
    Some(file.split_once(".rs (")?.0)
}

fn succeeds(name: &str, mut command: impl BorrowMut<Command>) -> String {
    let output = command.borrow_mut().output().expect("sh is there");
    println!("{name}: {}", output.status);
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{name}: {text}");
    text
}

/// All commands there are, in one directory, but for those that only `make test` needs.
fn poor_path() -> TempDir {
    let poor = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("target/ can be written");
    let makefile = fs::read_to_string(root().join("Makefile")).expect("a Makefile");
    let needs = makefile
        .split_whitespace()
        .filter_map(|word| word.split_once(':'));
    let needs = needs.filter(|(_, package)| !package.is_empty());
    let mut missing: Vec<_> = needs.map(|(name, _)| name).collect();
    // This machine itself is made by mount.
    missing.retain(|name| !["strace", "cc", "mount"].contains(name));
    let path = env::var_os("PATH").expect("a path");
    let directories = env::split_paths(&path).flat_map(|directory| directory.read_dir());
    for file in directories.flatten().flatten() {
        if !missing.iter().any(|name| file.file_name() == **name) {
            // The first of a name counts.
            let _ = symlink(file.path(), poor.path().join(file.file_name()));
        }
    }
    poor
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
