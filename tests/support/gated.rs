//! Runs of ioworkload that wait at a gate: started in a place of their own, looked at while they wait,
//! and compared, whole, when they have ended.

use crate::room::Room;
use crate::shipped;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The variable of the delay before a scenario, in milliseconds.
pub const DELAY: &str = "IOR_WORKLOAD_STARTUP_DELAY_MS";
/// The variable of the file before it.
pub const STARTUP: &str = "IOR_WORKLOAD_STARTUP_FILE";
/// The variable of the file after it.
pub const HOLD: &str = "IOR_WORKLOAD_HOLD_FILE";

/// The call that `stdin` and `fd:N` wait in.
pub const PPOLL: u32 = 271;

/// Variables and their values.
pub type Env = &'static [(&'static str, &'static str)];

/// Where a run takes place: its /tmp, and its working directory, which the gates are in.
#[derive(Default)]
pub struct Place {
    /// Its /tmp.
    pub tmp: Room,
    /// Its working directory.
    pub gates: Room,
}

impl Place {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the file that a gate waits for.
    ///
    /// # Panics
    /// If it can't be made, as below.
    pub fn open(&self, gate: &str) {
        fs::write(self.gates.path().join(gate), "").expect("a gate opens");
    }

    /// What a killed run of `scenario` leaves: if it is gone, the scenario has begun.
    ///
    /// # Panics
    /// As above.
    pub fn leave(&self, scenario: &str) {
        let target = self.tmp.path().join(format!("ioworkload-{scenario}"));
        fs::write(target, "").expect("a room can be written");
    }

    /// A command here, with pipes for all that it says, nothing to read, and no gate but `env`'s.
    #[must_use]
    pub fn command(&self, program: &str, env: Env) -> Command {
        let mut command = Command::new(program);
        command
            .env_remove(DELAY)
            .env_remove(STARTUP)
            .env_remove(HOLD);
        command
            .envs(env.iter().copied())
            .current_dir(self.gates.path());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        self.tmp.as_tmp(&mut command);
        command
    }

    /// Starts ioworkload with a scenario of the original's contract.
    #[must_use]
    pub fn start(self, scenario: &str, env: Env) -> Run {
        let mut command = self.command(&ioworkload(), env);
        command.arg(format!("--scenario={scenario}"));
        Run::of(self, command).itself()
    }

    /// Starts ioworkload with these arguments and a pipe to read from.
    #[must_use]
    pub fn held(self, args: &[&str], env: Env) -> Run {
        let mut command = self.command(&ioworkload(), env);
        command.args(args).stdin(Stdio::piped());
        Run::of(self, command).itself()
    }

    /// As `start`, under strace.
    #[must_use]
    pub fn traced(self, scenario: &str, env: Env, options: &[&str]) -> Run {
        let scenario = format!("--scenario={scenario}");
        let command = self.strace(env, options, &[&scenario]);
        Run::of(self, command)
    }

    /// ioworkload with these arguments under strace.
    #[must_use]
    pub fn strace(&self, env: Env, options: &[&str], args: &[&str]) -> Command {
        let mut command = self.command("strace", env);
        command
            .args(["-f", "-s", "4096", "-o", "trace"])
            .args(options);
        command.args(["--", &ioworkload()]).args(args);
        command
    }

    /// What strace has written up to now.
    ///
    /// # Panics
    /// If there is no such file.
    #[must_use]
    pub fn trace(&self) -> String {
        fs::read_to_string(self.gates.path().join("trace")).expect("a trace")
    }
}

/// The path of the shipped program.
#[must_use]
pub fn ioworkload() -> String {
    shipped("ioworkload").to_string_lossy().into_owned()
}

/// A text with one blank where it has several, or a newline.
#[must_use]
pub fn one_blank(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A run that has printed its PID line. A drop kills what is still alive.
pub struct Run {
    /// Where.
    pub place: Place,
    /// Since when.
    pub started: Instant,
    /// The process that was started: ioworkload, or strace.
    pub child: Child,
    stdout: BufReader<ChildStdout>,
    /// What the line says.
    pub pid: i32,
}

/// How a run ends, whole.
#[derive(PartialEq, Debug)]
pub struct End {
    /// The exit code.
    pub code: Option<i32>,
    /// The signal that has killed it.
    pub signal: Option<i32>,
    /// Behind the PID line.
    pub stdout: String,
    /// All of it.
    pub stderr: String,
    /// In /tmp.
    pub left: Vec<String>,
}

impl End {
    /// With this code and line.
    #[must_use]
    pub fn with(code: i32, stderr: &str) -> Self {
        Self {
            code: Some(code),
            signal: None,
            stdout: String::new(),
            stderr: stderr.into(),
            left: Vec::new(),
        }
    }

    /// In silence.
    #[must_use]
    pub fn well() -> Self {
        Self::with(0, "")
    }

    /// By a signal.
    #[must_use]
    pub fn killed(signal: Signal) -> Self {
        Self {
            code: None,
            signal: Some(signal as i32),
            ..Self::well()
        }
    }
}

impl Run {
    /// Starts a command and reads its PID line.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn of(place: Place, mut command: Command) -> Self {
        let started = Instant::now();
        let mut child = command.spawn().expect("it starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let pid = line.strip_suffix('\n').and_then(|pid| pid.parse().ok());
        Self {
            place,
            started,
            child,
            stdout,
            pid: pid.unwrap_or_else(|| panic!("no PID line: {line:?}")),
        }
    }

    /// Makes sure that the PID is that of the process we have started.
    fn itself(self) -> Self {
        assert_eq!(self.pid, self.child.id() as i32, "the PID line");
        self
    }

    /// A file in /proc about it.
    ///
    /// # Panics
    /// If it has ended, as below.
    #[must_use]
    pub fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.pid)).expect("it is alive")
    }

    /// Waits until it is inside of nanosleep.
    #[allow(clippy::must_use_candidate, reason = "it has waited")]
    pub fn asleep(&self) -> &Self {
        self.inside(35)
    }

    /// Waits until it is inside of this call.
    ///
    /// # Panics
    /// If that takes a minute, as below.
    #[allow(clippy::must_use_candidate, reason = "it has waited")]
    pub fn inside(&self, nr: u32) -> &Self {
        until("a call", || {
            self.proc("syscall").starts_with(&format!("{nr} "))
        });
        self
    }

    /// Gives it bytes to read.
    ///
    /// # Panics
    /// If it was started with nothing to read.
    pub fn feed(&mut self, bytes: &[u8]) {
        let stdin = self.child.stdin.as_mut().expect("a pipe");
        stdin.write_all(bytes).expect("a reader");
    }

    /// Ends what it can read.
    pub fn hang_up(&mut self) {
        self.child.stdin = None;
    }

    /// Waits until strace has written `part`, blanks aside.
    ///
    /// # Panics
    /// As above.
    pub fn seen(&self, part: &str) {
        until(part, || one_blank(&self.place.trace()).contains(part));
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// If it has ended.
    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid), signal).expect("it is alive");
    }

    /// Stops it and lets it go on, `times` times.
    pub fn stop_and_go(&self, times: usize) {
        // The state stands behind the name.
        let stopped = || self.proc("stat").contains(") T ");
        for _ in 0..times {
            self.signal(Signal::SIGSTOP);
            until("stopped", stopped);
            self.signal(Signal::SIGCONT);
            until("continued", || !stopped());
        }
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// As above.
    pub fn end(&mut self) -> End {
        let mut status = None;
        until("ended", || {
            status = self.child.try_wait().expect("our child");
            status.is_some()
        });
        let status = status.expect("a status");
        let mut end = End::well();
        (end.code, end.signal) = (status.code(), status.signal());
        self.stdout.read_to_string(&mut end.stdout).expect("text");
        let stderr = self.child.stderr.as_mut().expect("a pipe");
        stderr.read_to_string(&mut end.stderr).expect("text");
        end.left = self.place.tmp.names();
        end
    }
}

impl Drop for Run {
    /// strace follows what it traces, not the other way round.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = kill(Pid::from_raw(self.pid), Signal::SIGKILL);
            let _ = self.child.wait();
        }
    }
}

/// Whether a child of ours has stopped, or has ended.
///
/// # Panics
/// If somebody has waited for it.
#[must_use]
pub fn has_stopped(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("nobody has waited for it");
    let (_, state) = stat.rsplit_once(") ").expect("a name in parentheses");
    state.starts_with(['T', 'Z'])
}

/// Waits for a condition.
///
/// # Panics
/// If that takes a minute.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "not for a minute: {what}"
        );
        thread::sleep(Duration::from_millis(1));
    }
}
