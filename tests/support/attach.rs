//! Tracers that attach to a process by its number, as their users start them, and that say when they
//! are ready, so that nobody has to guess.

use anyhow::{Context, Result, bail, ensure};
use ioworkload_check::events::{self, Event, What};
use ioworkload_check::strace::{Texts, family};
use ioworkload_check::trace::{Call, Seen};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A tracer that attaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tool {
    /// `strace -p`.
    Strace,
    /// `perf trace -p`.
    PerfTrace,
    /// bpftrace, with a filter for the process.
    Bpftrace,
}

/// A tracer that has been started. A drop kills it.
pub struct Attached {
    tool: Tool,
    pid: i32,
    child: Child,
    file: PathBuf,
}

/// All arguments, raw, and every answer.
const BPFTRACE: &str = r#"
tracepoint:raw_syscalls:sys_enter /pid == PID/ {
    printf("> %d %llx %llx %llx %llx %llx %llx\n", args->id, args->args[0], args->args[1],
        args->args[2], args->args[3], args->args[4], args->args[5]);
}
tracepoint:raw_syscalls:sys_exit /pid == PID/ { printf("< %d %lld\n", args->id, args->ret); }"#;

impl Tool {
    fn command(self, pid: i32, file: &Path) -> Command {
        let number = pid.to_string();
        match self {
            Self::Strace => {
                let mut strace = Command::new("strace");
                strace.args(["-n", "-e", "raw=all", "-p", &number, "-o"]);
                strace.arg(file);
                strace
            }
            // Both start a command of ours when they are ready, and end with it: cat, which gives
            // back a line at once, and ends when it gets no more.
            Self::PerfTrace => {
                let mut perf = Command::new("perf");
                perf.args(["trace", "-p", &number, "-o"]).arg(file);
                perf.args(["--", "cat"]);
                perf
            }
            Self::Bpftrace => {
                let mut bpftrace = Command::new("bpftrace");
                let program = BPFTRACE.replace("PID", &number);
                bpftrace.args(["-e", &program, "-c", "/bin/cat", "-o"]);
                bpftrace.arg(file);
                bpftrace
            }
        }
    }

    /// Starts it for a process; it writes to a file in `directory`.
    ///
    /// # Errors
    /// It is not there.
    pub fn start(self, pid: i32, directory: &Path) -> Result<Attached> {
        let file = directory.join("attached");
        let mut command = self.command(pid, &file);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command
            .spawn()
            .with_context(|| format!("{self:?} does not start"))?;
        Ok(Attached {
            tool: self,
            pid,
            child,
            file,
        })
    }
}

impl Attached {
    /// The number of the tracer's process.
    #[must_use]
    pub fn id(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Waits until it says that it watches the process.
    ///
    /// # Errors
    /// It ends before.
    pub fn ready(&mut self) -> Result<()> {
        let child = &mut self.child;
        let ready = match self.tool {
            Tool::Strace => says(child.stderr.as_mut(), " attached"),
            Tool::PerfTrace | Tool::Bpftrace => {
                // If that fails, the tracer has ended.
                let _ = child
                    .stdin
                    .as_mut()
                    .context("a pipe")?
                    .write_all(b"ready\n");
                says(child.stdout.as_mut(), "ready")
            }
        };
        if !ready? {
            let said = self.complaint();
            bail!("{:?} ends: {said}", self.tool);
        }
        Ok(())
    }

    fn complaint(&mut self) -> String {
        let mut said = String::new();
        if let Some(stderr) = self.child.stderr.as_mut() {
            // What it has said up to an error is worth as much.
            let _ = stderr.read_to_string(&mut said);
        }
        said
    }

    /// Ends it, behind the end of the process: what it has written.
    fn text(&mut self) -> Result<String> {
        drop(self.child.stdin.take());
        let said = self.complaint();
        let status = self.child.wait()?;
        ensure!(status.success(), "{:?}: {status}: {said}", self.tool);
        let text = fs::read_to_string(&self.file)?;
        let lost = [&said, &text].into_iter().flat_map(|text| text.lines());
        let lost = lost.filter(|line| line.contains("LOST") || line.starts_with("Lost "));
        let lost: Vec<_> = lost.collect();
        ensure!(lost.is_empty(), "{:?} lost events: {lost:?}", self.tool);
        Ok(text)
    }

    /// The calls that it has seen; of `perf trace`, which shows no raw values, their names. `end` is
    /// that of the process.
    ///
    /// # Errors
    /// It failed, or wrote what is not understood.
    pub fn seen(mut self, end: &str) -> Result<Seen> {
        let text = self.text()?;
        let mut seen = match self.tool {
            Tool::Strace => {
                let lines = text.lines().map(str::to_owned).collect();
                family(self.pid.into(), &Texts::from([(self.pid.into(), lines)]))?
            }
            Tool::PerfTrace => names(&text)?,
            Tool::Bpftrace => {
                let lines = text.lines().filter(|line| line.starts_with(['<', '>']));
                let events: Result<Vec<_>> = lines.map(|line| event(self.pid, line)).collect();
                events::attached(self.pid, &events?)?
            }
        };
        seen.end = end.into();
        Ok(seen)
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // Both fail if it has ended, and then all is well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a line that is said contains this.
fn says(pipe: Option<impl Read>, what: &str) -> Result<bool> {
    // Byte by byte: what follows is for others.
    let mut pipe = BufReader::with_capacity(1, pipe.context("a pipe")?);
    let mut line = String::new();
    while pipe.read_line(&mut line)? > 0 {
        if line.trim_end().ends_with(what) {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}

/// `> 206 20 7ffd…`, `< 206 0`
fn event(tid: i32, line: &str) -> Result<Event> {
    let words: Vec<_> = line.split_whitespace().collect();
    let what = match words.as_slice() {
        [">", nr, args @ ..] => {
            let args = args.iter().map(|arg| u64::from_str_radix(arg, 16));
            let args = args.collect::<Result<Vec<_>, _>>()?;
            let args = args.try_into().ok().context("six arguments")?;
            What::Enter(nr.parse()?, args)
        }
        ["<", nr, ret] => What::Exit(nr.parse()?, ret.parse()?),
        _ => bail!("bpftrace wrote {line:?}"),
    };
    Ok(Event { tid, what })
}

/// `     0.159 ( 0.025 ms): io_submit(ctx_id: 139949824638976, nr: 1, iocbpp: 0x7ffed1281070)     = 1`;
/// of the call that was going on `     ? (         ):  ... [continued]: ppoll())    = 1`.
fn names(text: &str) -> Result<Seen> {
    let mut seen = Seen::default();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let (_, rest) = line
            .split_once("): ")
            .with_context(|| format!("perf trace wrote {line:?}"))?;
        let rest = rest.trim_start().trim_start_matches("... [continued]: ");
        let (name, _) = rest.split_once('(').context("a call")?;
        seen.calls.push(Call {
            name: name.into(),
            ..Call::default()
        });
    }
    Ok(seen)
}
