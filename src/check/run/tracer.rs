//! A stranger's tracer: started, waited for, and ended with all that it has started.

use crate::cli::Run;
use anyhow::{Context, Result, ensure};
use nix::errno::Errno;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use regex_lite::Regex;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often we look whether something has happened.
const LOOK: Duration = Duration::from_millis(2);

/// The command, and how it is known that it has attached.
pub struct Tracer {
    command: Vec<String>,
    ready: Option<Ready>,
    timeout: Duration,
}

enum Ready {
    Line(Regex),
    Ptrace,
}

/// A workload that waits at its gate.
struct Workload {
    child: Child,
    gate: ChildStdin,
    /// How often it has slept of its own will by now.
    sleeps: u64,
}

impl Tracer {
    pub fn new(options: &Run) -> Result<Self> {
        let has = |text: &str| options.tracer.iter().any(|word| word.contains(text));
        ensure!(
            has("{fixture}") != has("{pid}"),
            "the tracer's command needs {{fixture}} or {{pid}}"
        );
        ensure!(
            has("{pid}") == options.ready.is_some(),
            "--ready belongs to {{pid}}: by which line does the tracer show that it has attached?"
        );
        let ready = match options.ready.as_deref() {
            None => None,
            Some("ptrace") => Some(Ready::Ptrace),
            Some(line) => Some(Ready::Line(Regex::new(line).context("--ready")?)),
        };
        Ok(Self {
            command: options.tracer.clone(),
            ready,
            timeout: Duration::from_secs(options.timeout),
        })
    }

    /// Whether it attaches to a process that is there.
    pub fn attaches(&self) -> bool {
        self.ready.is_some()
    }

    /// Runs it over a scenario; the inner error says in what the tracer has failed.
    pub fn watch(&self, name: &str, place: &Path, events: &Path) -> Result<Result<(), String>> {
        let deadline = Instant::now() + self.timeout;
        let mut workload = match self.ready {
            Some(_) => Some(Workload::new(name, place)?),
            None => None,
        };
        let pid = workload.as_ref().map(|workload| workload.child.id());
        let [out, err] = ["stdout", "stderr"].map(|name| place.join(name));
        let mut child = match self.start(place, name, pid, events, [&out, &err]) {
            Ok(child) => child,
            Err(error) => return Ok(Err(format!("{}: {error}", self.command[0]))),
        };
        let done = (|| {
            if let Some(workload) = &mut workload {
                self.attach(workload, &mut child, [&out, &err], deadline)?;
            }
            self.ended(&mut child, deadline)
        })();
        let _ = killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL);
        let _ = child.wait();
        if !events.exists() && !self.command.iter().any(|word| word.contains("{events}")) {
            fs::rename(&out, events)?;
        }
        let last = fs::read(&err).unwrap_or_default();
        let last = String::from_utf8_lossy(&last);
        let last = last.lines().rfind(|line| !line.trim().is_empty());
        let nothing = fs::metadata(events).map_or(0, |file| file.len()) == 0;
        Ok(match (done, last) {
            (Err(why), Some(last)) => Err(format!("{why}; its last line: {last}")),
            (Err(why), None) => Err(why),
            (Ok(()), Some(last)) if nothing => Err(format!(
                "the tracer has written nothing; its last line: {last}"
            )),
            (Ok(()), _) => Ok(()),
        })
    }

    /// In a process group of its own.
    fn start(
        &self,
        place: &Path,
        name: &str,
        pid: Option<u32>,
        events: &Path,
        to: [&Path; 2],
    ) -> Result<Child> {
        let fixture = place.join(name);
        let pid = pid.unwrap_or_default().to_string();
        let (fixture, events) = (
            fixture.to_str().context("a path")?,
            events.to_str().context("a path")?,
        );
        let filled = self.command.iter().map(|word| {
            let word = word.replace("{fixture}", fixture).replace("{pid}", &pid);
            word.replace("{events}", events)
        });
        let filled: Vec<_> = filled.collect();
        let mut command = Command::new(&filled[0]);
        command
            .args(&filled[1..])
            .stdin(Stdio::null())
            .process_group(0);
        command
            .stdout(File::create(to[0])?)
            .stderr(File::create(to[1])?);
        Ok(command.spawn()?)
    }

    /// Opens the gate as soon as the tracer has attached.
    fn attach(
        &self,
        workload: &mut Workload,
        child: &mut Child,
        said: [&Path; 2],
        deadline: Instant,
    ) -> Result<(), String> {
        while !self.is_ready(workload, said) {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!(
                    "the tracer has ended before it was ready: {status}"
                ));
            }
            pause(deadline, "it did not show that it was ready")?;
        }
        let opened = workload.gate.write_all(b"\n");
        opened.map_err(|_| "the workload is gone".to_owned())?;
        while workload
            .child
            .try_wait()
            .is_ok_and(|status| status.is_none())
        {
            pause(deadline, "the workload did not end")?;
        }
        Ok(())
    }

    fn is_ready(&self, workload: &Workload, said: [&Path; 2]) -> bool {
        match &self.ready {
            None => true,
            Some(Ready::Ptrace) => workload.is_traced(),
            Some(Ready::Line(regex)) => said.iter().any(|path| {
                let text = fs::read(path).unwrap_or_default();
                String::from_utf8_lossy(&text)
                    .lines()
                    .any(|line| regex.is_match(line))
            }),
        }
    }

    /// Waits for the tracer's end. One that has attached and stays is asked to stop.
    fn ended(&self, child: &mut Child, deadline: Instant) -> Result<(), String> {
        let group = Pid::from_raw(child.id().cast_signed());
        let mut ask = self
            .attaches()
            .then(|| Instant::now() + Duration::from_secs(1));
        while child.try_wait().is_ok_and(|status| status.is_none()) {
            if ask.is_some_and(|at| Instant::now() > at) {
                let _ = killpg(group, Signal::SIGINT);
                ask = None;
            }
            pause(deadline, "the tracer did not end")?;
        }
        Ok(())
    }
}

fn pause(deadline: Instant, what: &str) -> Result<(), String> {
    if interrupted() {
        return Err("interrupted".into());
    }
    if Instant::now() > deadline {
        return Err(format!("{what} in time"));
    }
    sleep(LOOK);
    Ok(())
}

impl Workload {
    /// `ioworkload NAME`, which waits until its standard input can be read.
    fn new(name: &str, place: &Path) -> Result<Self> {
        let mut command = Command::new(place.join("ioworkload"));
        command
            .args([name, "--hold=stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut child = command.spawn().context("ioworkload")?;
        let gate = child.stdin.take().context("a pipe")?;
        let mut workload = Self {
            child,
            gate,
            sleeps: 0,
        };
        while !workload.sleeps_at_gate() {
            sleep(LOOK);
        }
        workload.sleeps = workload.status("voluntary_ctxt_switches:").unwrap_or(0);
        Ok(workload)
    }

    /// It waits in ppoll.
    fn sleeps_at_gate(&mut self) -> bool {
        let call = fs::read_to_string(format!("/proc/{}/syscall", self.child.id()));
        let waits = call.is_ok_and(|call| call.starts_with("271 "));
        waits || self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// A tracer has it, has stopped it, and has let it go on: TracerPid alone is set before it is
    /// stopped, and then a tracer that only wants to see calls misses the first.
    fn is_traced(&self) -> bool {
        let sleeps = self.status("voluntary_ctxt_switches:").unwrap_or(0);
        let state = self.status::<String>("State:").unwrap_or_default();
        let tracer = self.status::<i32>("TracerPid:").unwrap_or(0);
        tracer != 0 && state == "S" && sleeps >= self.sleeps + 2
    }

    fn status<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let value = text.lines().find_map(|line| line.strip_prefix(field))?;
        value.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Workload {
    fn drop(&mut self) {
        // Both fail if it has ended, and then all is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Takes in what our children leave behind, and notes when we are to stop.
pub fn adopt() -> Result<()> {
    set_child_subreaper(true)?;
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(flag))?;
    }
    Ok(())
}

pub fn interrupted() -> bool {
    INTERRUPTED
        .get()
        .is_some_and(|flag| flag.load(Ordering::Relaxed))
}

/// Ends every process that a tracer has left: they are all our children now, or become it.
pub fn reap() {
    let file = format!("/proc/self/task/{}/children", std::process::id());
    loop {
        let children = fs::read_to_string(&file).unwrap_or_default();
        for child in children
            .split_whitespace()
            .filter_map(|pid| pid.parse().ok())
        {
            let _ = kill(Pid::from_raw(child), Signal::SIGKILL);
        }
        if waitpid(None, Some(WaitPidFlag::__WALL)) == Err(Errno::ECHILD) {
            return;
        }
    }
}
