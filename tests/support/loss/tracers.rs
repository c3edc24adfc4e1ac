//! Four tracers, each told to report the one argument that counts, and to keep up as well as it can.

use super::{Account, Ledger};
use crate::ftrace::Instance;
use crate::gated::{Place, Run, has_stopped, until};
use crate::perf::lost;
use crate::room::rooms;
use crate::{shipped, tracefs};
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A tracer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub enum Tracer {
    /// By ptrace.
    Strace,
    /// `perf record`, by perf events.
    Perf,
    /// By eBPF.
    Bpftrace,
    /// The kernel's own, by tracefs.
    Ftrace,
}

/// The calls, and how hard it is to keep up with them.
#[derive(Clone, Copy)]
pub struct Burst {
    /// How many they are.
    pub count: u32,
    /// The KiB of the tracer's buffer per CPU, if it is not to have its usual size.
    pub kib: Option<u32>,
    /// Whether the tracer sleeps through some of them. They come slowly then, so that it keeps up
    /// before and after.
    pub nap: Option<Nap>,
}

/// How long a tracer sleeps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Nap {
    /// Through a thousand calls.
    Thousand,
    /// Until the burst has ended.
    ToTheEnd,
}

/// What a tracer has reported of a burst, and what it says of itself.
pub struct Report {
    /// By our own count.
    pub account: Account,
    /// By the tracer's: events that it has lost. `None` for strace, which loses none: the process
    /// waits for it.
    pub own: Option<u64>,
}

/// Where numbers go, and who hears of them.
struct Sink<'a> {
    ledger: Ledger,
    progress: &'a dyn Fn(u64),
}

impl Sink<'_> {
    fn note(&mut self, number: u64) {
        self.ledger.note(number);
        if self.ledger.seen().is_multiple_of(10_000) {
            (self.progress)(self.ledger.seen());
        }
    }
}

impl Tracer {
    /// Runs `ioworkload aio-burst --repeat=COUNT` under it. `progress` hears now and then how many
    /// numbers have come in.
    ///
    /// # Errors
    /// The tracer is not there or fails, or so does the burst.
    pub fn run(self, burst: Burst, progress: &dyn Fn(u64)) -> Result<Report> {
        let mut sink = Sink {
            ledger: Ledger::new(burst.count.into()),
            progress,
        };
        let own = match self {
            Self::Strace => strace(burst, &mut sink)?,
            Self::Perf => Some(perf(burst, &mut sink)?),
            Self::Bpftrace => Some(bpftrace(burst, &mut sink)?),
            Self::Ftrace => Some(ftrace(burst, &mut sink)?),
        };
        let account = sink.ledger.close();
        Ok(Report { account, own })
    }
}

impl Burst {
    /// The command.
    fn command(self) -> Vec<String> {
        let program = shipped("ioworkload").to_string_lossy().into_owned();
        [vec![program, "aio-burst".into()], self.options()].concat()
    }

    fn options(self) -> Vec<String> {
        let interval = self.nap.map(|_| "--interval=50".into());
        let repeat = format!("--repeat={}", self.count);
        [repeat].into_iter().chain(interval).collect()
    }

    /// Stops a tracer that has started the burst, if it is to sleep, and continues it.
    fn nap(self, tracer: &Child) -> Result<()> {
        let Some(nap) = self.nap else {
            return Ok(());
        };
        let tracer = Pid::from_raw(tracer.id().cast_signed());
        let mut workload = None;
        until("the burst begins", || {
            workload = started_by(tracer);
            workload.is_some()
        });
        kill(tracer, Signal::SIGSTOP)?;
        until("the tracer has stopped", || has_stopped(tracer));
        let workload = workload.context("a burst")?;
        match nap {
            Nap::Thousand => a_thousand_calls(workload)?,
            // Its parent sleeps, and so does not wait for it.
            Nap::ToTheEnd => until("the burst has ended", || {
                has_stopped(Pid::from_raw(workload))
            }),
        }
        Ok(kill(tracer, Signal::SIGCONT)?)
    }
}

/// The ioworkload that a tracer has started.
fn started_by(tracer: Pid) -> Option<i32> {
    let children = fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children")).ok()?;
    let mut pids = children.split_whitespace();
    let is_it = |pid: &&str| {
        let comm = fs::read_to_string(format!("/proc/{pid}/comm"));
        comm.is_ok_and(|comm| comm == "ioworkload\n")
    };
    pids.find(is_it)?.parse().ok()
}

/// Waits until a burst has made a thousand calls more: it sleeps behind each.
fn a_thousand_calls(workload: i32) -> Result<()> {
    let slept = || -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{workload}/status"))?;
        let line = |line: &str| {
            line.strip_prefix("voluntary_ctxt_switches:\t")?
                .parse()
                .ok()
        };
        status.lines().find_map(line).context("a count of switches")
    };
    let before = slept()?;
    let mut now = Ok(before);
    until("a thousand calls", || {
        now = slept();
        !matches!(now, Ok(now) if now < before + 1000)
    });
    now.map(drop)
}

/// `io_getevents(0x7f4f8a5d9000, 0, 0x5, 0, 0) = 0`
fn strace(burst: Burst, sink: &mut Sink<'_>) -> Result<Option<u64>> {
    ensure!(burst.kib.is_none(), "strace has no buffer");
    let mut strace = Command::new("strace");
    strace.args([
        "-qq",
        "-e",
        "trace=io_getevents",
        "-e",
        "raw=io_getevents",
        "--",
    ]);
    strace.args(burst.command()).stderr(Stdio::piped());
    let mut child = strace.spawn().context("strace does not start")?;
    for line in lines(child.stderr.take())? {
        let line = line?;
        let number = third(&line).with_context(|| format!("strace wrote {line:?}"))?;
        sink.note(number);
    }
    ended(child)?;
    Ok(None)
}

/// perf writes a file, and prints it afterwards: `NR 208 (7f4f8a5d9000, 0, 5, 0, 0, 0)`
fn perf(burst: Burst, sink: &mut Sink<'_>) -> Result<u64> {
    tracefs::ready("perf")?;
    let directory = TempDir::new_in(rooms())?;
    let file = directory.path().join("data");
    let mut perf = Command::new("perf");
    perf.args(["record", "-q", "-B", "-N", "-e", "raw_syscalls:sys_enter"]);
    perf.args(["--filter", "id == 208", "-o"]).arg(&file);
    if let Some(kib) = burst.kib {
        perf.args(["-m", &format!("{kib}K")]);
    }
    perf.arg("--").args(burst.command()).stderr(Stdio::piped());
    let child = perf.spawn().context("perf does not start")?;
    burst.nap(&child)?;
    ended(child)?;
    let mut perf = Command::new("perf");
    perf.args(["script", "-F", "trace", "-i"]).arg(&file);
    perf.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = perf.spawn()?;
    for line in lines(child.stdout.take())? {
        let line = line?;
        sink.note(third(&line).with_context(|| format!("perf wrote {line:?}"))?);
    }
    ended(child)?;
    lost(&file)
}

/// `5`, `Lost 17 events`
fn bpftrace(burst: Burst, sink: &mut Sink<'_>) -> Result<u64> {
    const PROGRAM: &str = r#"tracepoint:raw_syscalls:sys_enter /pid == cpid && args->id == 208/ {
        printf("%d\n", args->args[2]);
    }"#;
    tracefs::ready("bpftrace")?;
    let mut bpftrace = Command::new("bpftrace");
    if let Some(kib) = burst.kib {
        bpftrace.env("BPFTRACE_PERF_RB_PAGES", (kib / 4).max(1).to_string());
    }
    bpftrace.args([
        "-q",
        "-B",
        "full",
        "-e",
        PROGRAM,
        "-c",
        // It cuts the command at every blank, so the path to the program must not be in it.
        &format!("./ioworkload aio-burst {}", burst.options().join(" ")),
    ]);
    bpftrace.current_dir(shipped("ioworkload").with_file_name(""));
    bpftrace.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = bpftrace.spawn().context("bpftrace does not start")?;
    burst.nap(&child)?;
    let mut own = 0;
    for line in lines(child.stdout.take())? {
        let line = line?;
        if let Some(lost) = line.strip_prefix("Lost ") {
            own += lost.trim_end_matches(" events").parse::<u64>()?;
        } else if let Ok(number) = line.parse() {
            sink.note(number);
        } else if !line.is_empty() && !line.starts_with("Attaching ") {
            bail!("bpftrace wrote {line:?}");
        }
    }
    ended(child)?;
    Ok(own)
}

/// The kernel fills a buffer that we read at the same time.
fn ftrace(burst: Burst, sink: &mut Sink<'_>) -> Result<u64> {
    tracefs::ready("ftrace")?;
    let instance = Instance::new()?;
    if let Some(kib) = burst.kib {
        instance.set("buffer_size_kb", &kib.to_string())?;
    }
    let options = burst.options();
    let options = options.iter().map(String::as_str);
    let args: Vec<_> = ["aio-burst", "--hold=stdin"]
        .into_iter()
        .chain(options)
        .collect();
    let mut run = Place::new().held(&args, &[]);
    instance.set("set_event_pid", &run.pid.to_string())?;
    instance.set("events/raw_syscalls/sys_enter/filter", "id == 208")?;
    instance.set("events/raw_syscalls/sys_enter/enable", "1")?;
    let mut pipe = OpenOptions::new();
    pipe.read(true).custom_flags(libc::O_NONBLOCK);
    let mut pipe = pipe.open(instance.path().join("trace_pipe"))?;
    run.feed(b"x");
    if burst.nap.is_some() {
        a_thousand_calls(run.pid)?;
    }
    let mut text = Vec::new();
    loop {
        // Asked first: what is read behind the end is all that there is.
        let over = run.child.try_wait()?.is_some();
        drain(&mut pipe, &mut text, sink)?;
        if over {
            break;
        }
    }
    well(run)?;
    instance.lost()
}

/// Reads what is there, and notes the lines that are whole.
fn drain(pipe: &mut impl Read, text: &mut Vec<u8>, sink: &mut Sink<'_>) -> Result<()> {
    let mut piece = vec![0; 1 << 16];
    loop {
        match pipe.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(len) => text.extend(&piece[..len]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let rest = text.split_off(whole);
        for line in std::str::from_utf8(text)?.lines() {
            // `CPU:0 [LOST 17 EVENTS]` is told by the counters too.
            if !line.starts_with("CPU:") {
                sink.note(third(line).with_context(|| format!("ftrace wrote {line:?}"))?);
            }
        }
        *text = rest;
    }
}

fn well(mut run: Run) -> Result<()> {
    let end = run.end();
    ensure!(end == crate::gated::End::well(), "{end:?}");
    Ok(())
}

type Lines<R> = std::io::Lines<BufReader<R>>;

fn lines<R: Read>(pipe: Option<R>) -> Result<Lines<R>> {
    Ok(BufReader::with_capacity(1 << 20, pipe.context("no pipe")?).lines())
}

/// Waits for a tracer whose output is read.
fn ended(child: Child) -> Result<()> {
    let name = format!("{child:?}");
    let output = child.wait_with_output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name}: {}: {said}", output.status);
    Ok(())
}

/// The third argument of a call, a number in hexadecimal.
fn third(line: &str) -> Option<u64> {
    let (_, args) = line.split_once('(')?;
    let number = args.split(", ").nth(2)?;
    u64::from_str_radix(number.trim_start_matches("0x"), 16).ok()
}
