//! The driver of a process: it stops it at the entry and at the exit of every call, by ptrace, and may
//! give the answer in the kernel's place, or send a signal.

use crate::traced;
use anyhow::{Context, Result, bail, ensure};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// After this a run counts as hung, and is killed. A virtual machine can stand still for most of a
/// minute itself, with all that is in it.
pub const DEADLINE: Duration = Duration::from_mins(3);

/// A process on the boundary between itself and the kernel.
pub struct Stop<'a> {
    /// Who.
    pub pid: Pid,
    /// 0 for the first process, 1 for the first that it has started, and so on.
    pub process: usize,
    /// Which of its calls, from 0.
    pub at: usize,
    /// Which of its calls with this number, from 0.
    pub nth: usize,
    /// Whether the call begins; otherwise it has returned.
    pub entry: bool,
    /// The call.
    pub call: &'a Made,
}

/// What is done at a stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// Nothing.
    Go,
    /// At an entry: the call is not made, and this is its answer.
    Answer(i64),
    /// It is let go, and runs on unseen.
    Free,
    /// At an exit: the lowest bit of the byte at this address is another.
    Flip(u64),
    /// This signal is sent. What SIGSTOP has stopped is sent SIGCONT.
    Signal(Signal),
}

/// A call that a process has made, or has wanted to make.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// Its number.
    pub nr: u64,
    /// All argument registers, used or not.
    pub args: [u64; 6],
    /// What the program got; `None` if it never returned.
    pub ret: Option<i64>,
    /// Whether the kernel has made it.
    pub real: bool,
}

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// With this code.
    Exited(i32),
    /// By this signal.
    Killed(Signal),
}

/// All that a run has done and said.
#[derive(Debug)]
pub struct Run {
    /// The calls of each process, in the order in which they began.
    pub calls: Vec<Vec<Made>>,
    /// The end of each.
    pub ends: Vec<Option<End>>,
    /// How often a signal has stopped one.
    pub stops: usize,
    /// What it has written to stdout.
    pub stdout: String,
    /// What it has written to stderr.
    pub stderr: String,
}

/// Runs `command` with `act` at each stop.
///
/// # Errors
/// It does not start, or does not end within [`DEADLINE`]. A start that hangs is waited for.
///
/// # Panics
/// If `act` does.
pub fn drive(mut command: Command, act: impl FnMut(&Stop) -> Act + Send) -> Result<Run> {
    command.process_group(0);
    traced::prepare(&mut command);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let first = AtomicI32::new(0);
    let (done, end) = mpsc::channel();
    // Only the thread that has started a process may trace it, and in a thread of its own nobody
    // else's children are in the way of `wait`.
    thread::scope(|scope| {
        let driven = scope.spawn(|| whole(&mut command, act, &first, done));
        let late = end.recv_timeout(DEADLINE) == Err(RecvTimeoutError::Timeout);
        // Not yet started is 0, which would be our own group.
        if late && let pid @ 1.. = first.load(Ordering::SeqCst) {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let run = driven.join().expect("a driver does not panic");
        ensure!(!late, "hung for {DEADLINE:?}: {run:?}");
        run
    })
}

impl Run {
    /// Where the `nth` call of this number stands among those of the first process.
    #[must_use]
    pub fn place(&self, nr: u64, nth: usize) -> Option<usize> {
        let mut same = self.calls[0]
            .iter()
            .enumerate()
            .filter(|(_, call)| call.nr == nr);
        same.nth(nth).map(|(at, _)| at)
    }
}

fn whole(
    command: &mut Command,
    act: impl FnMut(&Stop) -> Act,
    first: &AtomicI32,
    done: Sender<()>,
) -> Result<Run> {
    let mut child = command.spawn()?;
    let pid = Pid::from_raw(child.id().cast_signed());
    first.store(pid.as_raw(), Ordering::SeqCst);
    let run = follow(pid, act).and_then(|family| family.told(&mut child));
    drop(done);
    run
}

fn follow(first: Pid, mut act: impl FnMut(&Stop) -> Act) -> Result<Family> {
    traced::after_execve(first, Options::PTRACE_O_TRACESYSGOOD)?;
    let mut family = Family::default();
    family.member(first);
    go(first, None)?;
    while let Some(status) = traced::next()? {
        family.step(status, &mut act)?;
    }
    Ok(family)
}

/// Lets a process run up to its next stop.
fn go(pid: Pid, signal: impl Into<Option<Signal>>) -> Result<()> {
    traced::unless_gone(ptrace::syscall(pid, signal))
}

/// The processes of a run.
#[derive(Default)]
struct Family {
    /// By process number: which they are, and the answer that the call they are in will get.
    members: BTreeMap<i32, (usize, Option<i64>)>,
    calls: Vec<Vec<Made>>,
    /// How many calls of each number each has begun.
    counts: Vec<HashMap<u64, usize>>,
    ends: Vec<Option<End>>,
    stops: usize,
}

impl Family {
    /// Which one it is; a stranger is the next.
    fn member(&mut self, pid: Pid) -> usize {
        let next = self.calls.len();
        let which = self.members.entry(pid.as_raw()).or_insert((next, None)).0;
        if which == next {
            self.calls.push(Vec::new());
            self.counts.push(HashMap::new());
            self.ends.push(None);
        }
        which
    }

    fn step(&mut self, status: WaitStatus, act: &mut impl FnMut(&Stop) -> Act) -> Result<()> {
        match status {
            WaitStatus::PtraceSyscall(pid) => self.boundary(pid, act),
            WaitStatus::Stopped(pid, Signal::SIGSTOP) => self.stopped(pid),
            WaitStatus::Stopped(pid, signal) => go(pid, signal),
            WaitStatus::PtraceEvent(pid, ..) => go(pid, None),
            WaitStatus::Exited(pid, code) => {
                self.end(pid, End::Exited(code));
                Ok(())
            }
            WaitStatus::Signaled(pid, signal, _) => {
                self.end(pid, End::Killed(signal));
                Ok(())
            }
            other => bail!("{other:?}"),
        }
    }

    fn end(&mut self, pid: Pid, end: End) {
        let which = self.member(pid);
        self.ends[which] = Some(end);
        self.members.remove(&pid.as_raw());
    }

    /// With SIGSTOP a new process begins. Another gets it, and is stopped by it: then ptrace has no
    /// signal to tell of.
    fn stopped(&mut self, pid: Pid) -> Result<()> {
        if !self.members.contains_key(&pid.as_raw()) {
            self.member(pid);
            return go(pid, None);
        }
        match ptrace::getsiginfo(pid) {
            Ok(_) => go(pid, Signal::SIGSTOP),
            Err(Errno::EINVAL) => {
                self.stops += 1;
                kill(pid, Signal::SIGCONT)?;
                go(pid, None)
            }
            Err(error) => traced::unless_gone(Err(error)),
        }
    }

    fn boundary(&mut self, pid: Pid, act: &mut impl FnMut(&Stop) -> Act) -> Result<()> {
        let which = self.member(pid);
        let info = match ptrace::syscall_info(pid) {
            Ok(info) => info,
            Err(error) => return traced::unless_gone(Err(error)),
        };
        let entry = info.op == nix::libc::PTRACE_SYSCALL_INFO_ENTRY;
        let calls = &mut self.calls[which];
        if entry {
            // SAFETY: `op` says which of the variants the kernel has filled.
            let (nr, args) = unsafe { (info.u.entry.nr, info.u.entry.args) };
            *self.counts[which].entry(nr).or_default() += 1;
            calls.push(Made {
                nr,
                args,
                ret: None,
                real: true,
            });
        } else {
            // SAFETY: as above.
            let ret = unsafe { info.u.exit.sval };
            self.answered(pid, which, ret)?;
        }
        let at = self.calls[which].len().checked_sub(1);
        let at = at.context("a call that ends and never began")?;
        let call = &self.calls[which][at];
        let stop = Stop {
            pid,
            process: which,
            at,
            nth: self.counts[which][&call.nr] - 1,
            entry,
            call,
        };
        match act(&stop) {
            Act::Go => {}
            Act::Answer(answer) => self.replace(pid, which, answer)?,
            Act::Free => return traced::unless_gone(ptrace::detach(pid, None)),
            Act::Flip(address) => flip(pid, address)?,
            Act::Signal(signal) => traced::unless_gone(kill(pid, signal))?,
        }
        go(pid, None)
    }

    /// Has the kernel make no call (number -1), so that it answers ENOSYS.
    fn replace(&mut self, pid: Pid, which: usize, answer: i64) -> Result<()> {
        let mut regs = ptrace::getregs(pid)?;
        regs.orig_rax = u64::MAX;
        ptrace::setregs(pid, regs)?;
        self.members.insert(pid.as_raw(), (which, Some(answer)));
        let call = self.calls[which].last_mut().context("a call")?;
        call.real = false;
        Ok(())
    }

    fn answered(&mut self, pid: Pid, which: usize, ret: i64) -> Result<()> {
        let replaced = self.members.insert(pid.as_raw(), (which, None));
        let answer = replaced.and_then(|(_, answer)| answer);
        if let Some(answer) = answer {
            let mut regs = ptrace::getregs(pid)?;
            regs.rax = answer as u64;
            ptrace::setregs(pid, regs)?;
        }
        let call = self.calls[which].last_mut().context("a call")?;
        call.ret = Some(answer.unwrap_or(ret));
        Ok(())
    }

    /// Adds what the first process has said, which fits into a pipe.
    fn told(self, child: &mut Child) -> Result<Run> {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let pipes = child.stdout.as_mut().zip(child.stderr.as_mut());
        let (out, err) = pipes.context("two pipes")?;
        out.read_to_string(&mut stdout)?;
        err.read_to_string(&mut stderr)?;
        Ok(Run {
            calls: self.calls,
            ends: self.ends,
            stops: self.stops,
            stdout,
            stderr,
        })
    }
}

fn flip(pid: Pid, address: u64) -> Result<()> {
    let [byte] = peek(pid, address)?;
    let memory = File::options()
        .write(true)
        .open(format!("/proc/{pid}/mem"))?;
    Ok(memory.write_all_at(&[byte ^ 1], address)?)
}

/// Reads `N` bytes of a stopped process's memory.
///
/// # Errors
/// There is none at `address`.
pub fn peek<const N: usize>(pid: Pid, address: u64) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open(format!("/proc/{pid}/mem"))?.read_exact_at(&mut bytes, address)?;
    Ok(bytes)
}
