//! A run that nobody watches: how it ended and what it said, within a time.

use anyhow::{Result, bail, ensure};
use ioworkload_tests::driver::DEADLINE;
use ioworkload_tests::room::Room;
use ioworkload_tests::shipped;
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// The exit code.
    pub code: Option<i32>,
    /// The signal that killed it.
    pub signal: Option<i32>,
    /// What it said, text or not.
    pub stdout: Vec<u8>,
    /// As above.
    pub stderr: String,
}

impl Ended {
    /// With this code and this line on stderr; none if it is empty.
    pub fn with(code: i32, line: &str) -> Self {
        let newline = if line.is_empty() { "" } else { "\n" };
        Self {
            code: Some(code),
            signal: None,
            stdout: Vec::new(),
            stderr: format!("{line}{newline}"),
        }
    }
}

/// A fixture in its room.
pub fn fixture(scenario: &str, room: &Room) -> Command {
    let mut command = Command::new(shipped(scenario));
    room.as_tmp(&mut command);
    command
}

/// Has the process do something before it becomes the program. `done` makes system calls on
/// data made before the fork, and takes no lock of ours.
pub fn before(command: &mut Command, done: impl FnMut() -> io::Result<()> + Send + Sync + 'static) {
    // SAFETY: system calls may be made between fork and exec; what allocates for them may do so after
    // the C library's fork.
    unsafe { command.pre_exec(done) };
}

/// A fixture in a room, started by this user. It is opened by us and executed by its descriptor:
/// another user need not be able to reach it.
pub fn as_user(scenario: &str, room: &Room, user: u32) -> Result<Command> {
    let program = File::open(shipped(scenario))?;
    let mut command = Command::new(format!("/proc/self/fd/{}", program.as_raw_fd()));
    room.as_tmp(&mut command);
    before(&mut command, move || {
        let _kept = &program;
        become_user(user)
    });
    Ok(command)
}

/// Becomes this user, and a member of no group but its own; 0 stays who it is.
pub fn become_user(user: u32) -> io::Result<()> {
    if user != 0 {
        setgroups(&[])?;
        setgid(Gid::from_raw(user))?;
        setuid(Uid::from_raw(user))?;
    }
    Ok(())
}

/// Sets a limit of the process that `command` will be.
pub fn limit(command: &mut Command, what: Resource, max: u64) {
    before(command, move || Ok(setrlimit(what, max, max)?));
}

/// Whether somebody else can be played.
pub fn as_root() -> Result<()> {
    let root = Uid::effective().is_root();
    ensure!(root, "only root can play somebody else: run as root");
    Ok(())
}

/// Starts a command.
pub fn start(command: &mut Command) -> Result<Child> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command.spawn()?)
}

/// Waits for the end. What is said fits into a pipe.
pub fn finish(mut child: Child) -> Result<Ended> {
    let status = status(&mut child)?;
    let mut ended = Ended::with(0, "");
    (ended.code, ended.signal) = (status.code(), status.signal());
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut ended.stdout)?;
    }
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_string(&mut ended.stderr)?;
    }
    Ok(ended)
}

fn status(child: &mut Child) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > DEADLINE {
            child.kill()?;
            bail!("hung for {DEADLINE:?}, then {:?}", child.wait()?);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Result<Ended> {
    finish(start(command)?)
}

/// A run in this room, whatever was left there, goes well and leaves nothing.
pub fn next_run(scenario: &str, room: &Room) -> Result<()> {
    let ended = run(&mut fixture(scenario, room))?;
    ensure!(ended == Ended::with(0, ""), "the next run: {ended:?}");
    ensure!(
        room.names().is_empty(),
        "the next run left {:?}",
        room.names()
    );
    Ok(())
}
