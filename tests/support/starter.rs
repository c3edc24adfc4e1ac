//! Starts a program with as little around it as can be, and says what its life has cost.

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, clone};
use nix::sys::personality::{self, Persona};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::cell::Cell;
use std::ffi::{CString, c_char};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null;
use std::time::{Duration, Instant};

/// A program, ready to be started again and again, with an empty environment.
pub struct Starter {
    strings: Vec<CString>,
    stack: Vec<u8>,
    persona: Persona,
}

/// What one life has cost.
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// From the call of execve until `wait` has returned.
    pub time: Duration,
    /// Minor page faults, those of execve among them.
    pub faults: u64,
}

impl Starter {
    /// Prepares to start `program` with `args`.
    ///
    /// # Errors
    /// A NUL in one of them.
    pub fn new(program: &Path, args: &[&str]) -> Result<Self> {
        let first = program.as_os_str().as_bytes();
        let strings = [first]
            .into_iter()
            .chain(args.iter().map(|arg| arg.as_bytes()));
        Ok(Self {
            strings: strings.map(CString::new).collect::<Result<_, _>>()?,
            // Written to once, so that no page of it is still to be made.
            stack: vec![1; 64 * 1024],
            persona: Persona::empty(),
        })
    }

    /// With addresses that are not random: where a stack starts in its page is a matter of chance
    /// otherwise, and so is whether it needs another.
    #[must_use]
    pub fn fixed(mut self) -> Self {
        self.persona = Persona::ADDR_NO_RANDOMIZE;
        self
    }

    /// Starts it, waits for its end, and returns what that has cost. Nothing else may be waited for
    /// meanwhile in this process.
    ///
    /// # Errors
    /// It can't be started, or does not exit with 0.
    pub fn start(&mut self) -> Result<Life> {
        let before = faults()?;
        let (pid, started) = self.spawn()?;
        let end = waitpid(pid, None)?;
        let time = started.elapsed();
        ensure!(
            end == WaitStatus::Exited(pid, 0),
            "{:?}: {end:?}",
            self.strings
        );
        Ok(Life {
            time,
            faults: faults()? - before,
        })
    }

    /// Starts it, and says when it has called execve.
    fn spawn(&mut self) -> Result<(Pid, Instant)> {
        let argv = self.strings.iter().map(|string| string.as_ptr());
        let argv: Vec<_> = argv.chain([null()]).collect();
        let started = Cell::new(Instant::now());
        let persona = self.persona;
        let child = Box::new(|| {
            if personality::set(persona).is_err() {
                return 126;
            }
            started.set(Instant::now());
            exec(&argv)
        });
        let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
        // SAFETY: CLONE_VFORK stops us until the child has left our memory by execve or exit; until
        // then it has the stack to itself, reads `argv` and writes `started`, which outlive it.
        let pid = unsafe { clone(child, &mut self.stack, flags, Some(libc::SIGCHLD)) }
            .context("clone")?;
        Ok((pid, started.get()))
    }
}

/// Becomes the program; returns only if that fails.
fn exec(argv: &[*const c_char]) -> isize {
    let envp = [null()];
    // SAFETY: both lists end in NULL, and their strings in NUL.
    unsafe { libc::execve(argv[0], argv.as_ptr(), envp.as_ptr()) };
    127
}

/// The minor page faults of all children that have been waited for.
fn faults() -> Result<u64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok(usage.minor_page_faults().cast_unsigned())
}
