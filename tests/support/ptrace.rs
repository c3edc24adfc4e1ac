//! The witness ptrace, a small strace of our own: it stops the process at each call, and reads what
//! the call's pointers lead to.

use crate::pointers::{Lead, after, before};
use crate::{traced, tracefs};
use anyhow::{Result, ensure};
use ioworkload_check::events::{EXECVE, Event, What, call, family};
use ioworkload_check::trace::{Call, Seen};
use nix::libc::{PTRACE_SYSCALL_INFO_ENTRY, PTRACE_SYSCALL_INFO_EXIT};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::uio::{RemoteIoVec, process_vm_readv};
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use std::collections::HashMap;
use std::io::IoSliceMut;
use std::path::Path;
use std::process::{Command, Stdio};

/// The calls of `program`, with memory.
///
/// # Errors
/// We are not root (of whom the kernel's table of arguments is), or it does not start.
pub fn witness(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    tracefs::ready("ptrace")?;
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    confine(&mut command);
    traced::prepare(&mut command);
    traced::alone(|| run(&mut command))
}

fn run(command: &mut Command) -> Result<Seen> {
    let first = Pid::from_raw(command.spawn()?.id().cast_signed());
    traced::after_execve(first, Options::PTRACE_O_TRACESYSGOOD)?;
    go_on(first, None)?;
    let (events, end) = follow(first)?;
    family(first.as_raw(), &events, end)
}

/// All events until everybody has ended, and how `first` has.
fn follow(first: Pid) -> Result<(Vec<Event>, String)> {
    let (mut watch, mut ended) = (Watch::default(), None);
    // The first stop was after it.
    watch.note(first, What::Exit(EXECVE, 0));
    while let Some(status) = traced::next()? {
        match status {
            WaitStatus::PtraceSyscall(pid) => {
                watch.syscall(pid)?;
                go_on(pid, None)?;
            }
            WaitStatus::PtraceEvent(pid, ..) => {
                watch.note(pid, What::Fork(ptrace::getevent(pid)? as i32));
                go_on(pid, None)?;
            }
            // With SIGSTOP a new thread or child begins.
            WaitStatus::Stopped(pid, Signal::SIGSTOP) => go_on(pid, None)?,
            WaitStatus::Stopped(pid, signal) => go_on(pid, signal)?,
            WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..) => {
                ended = ended.or((pid == first).then_some(status));
            }
            other => ensure!(false, "unforeseen: {other:?}"),
        }
    }
    let end = match ended {
        Some(WaitStatus::Exited(_, code)) => format!("exited with {code}"),
        Some(WaitStatus::Signaled(_, signal, _)) => format!("killed by {signal}"),
        other => format!("ended by {other:?}"),
    };
    Ok((watch.events, end))
}

/// The events so far, and the calls that have not ended.
#[derive(Default)]
struct Watch {
    events: Vec<Event>,
    open: HashMap<Pid, Call>,
}

impl Watch {
    fn note(&mut self, pid: Pid, what: What) {
        let tid = pid.as_raw();
        self.events.push(Event { tid, what });
    }

    fn memory(&mut self, pid: Pid, leads: Vec<Lead>) {
        for lead in leads {
            self.note(pid, What::Memory(lead.address, lead.bytes));
        }
    }

    /// A call begins or ends.
    fn syscall(&mut self, pid: Pid) -> Result<()> {
        let info = ptrace::syscall_info(pid)?;
        let read = |address, len| read(pid, address, len);
        match info.op {
            PTRACE_SYSCALL_INFO_ENTRY => {
                // SAFETY: the kernel has filled the part that belongs to `op`.
                let entry = unsafe { info.u.entry };
                let call = call(entry.nr, &entry.args)?;
                self.note(pid, What::Enter(entry.nr, entry.args));
                self.memory(pid, before(&call, &read));
                self.open.insert(pid, call);
            }
            PTRACE_SYSCALL_INFO_EXIT => {
                // SAFETY: as above.
                let exit = unsafe { info.u.exit };
                // A child begins with the end of the call that made it, which is not its own.
                let mut call = self.open.remove(&pid).unwrap_or_default();
                call.ret = Some(exit.sval);
                self.note(pid, What::Exit(call.nr as i64, exit.sval));
                self.memory(pid, after(&call, &read));
            }
            op => ensure!(false, "a stop that is none of a call: {op}"),
        }
        Ok(())
    }
}

/// Lets a process run to its next stop.
fn go_on(pid: Pid, signal: impl Into<Option<Signal>>) -> Result<()> {
    traced::unless_gone(ptrace::syscall(pid, signal))
}

/// What there is of so many bytes from an address on: whole pages are there or not.
#[must_use]
pub fn read(pid: Pid, address: u64, len: usize) -> Vec<u8> {
    const PAGE: usize = 4096;
    let mut bytes = Vec::new();
    while bytes.len() < len {
        let base = address as usize + bytes.len();
        let mut part = vec![0; (len - bytes.len()).min(PAGE - base % PAGE)];
        let len = part.len();
        let remote = [RemoteIoVec { base, len }];
        let count = process_vm_readv(pid, &mut [IoSliceMut::new(&mut part)], &remote);
        if count != Ok(len) {
            break;
        }
        bytes.extend(part);
    }
    bytes
}
