//! A machine in QEMU: booted, its console read and kept, its end told apart from every other end.

use crate::bare::kernel::Image;
use anyhow::{Context, Result};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The port of `isa-debug-exit`, which `init` is told to write its verdict to.
const PORT: &str = "0xf4";

/// The second serial port, which takes the verdict where programs may not write to ports.
const FILE: &str = "/dev/ttyS1";

/// What every kernel is told. A panic ends the machine at once (-no-reboot), and is nearly all that
/// the kernel itself shows. On a busy host an emulated timer fails the kernel's test of
/// it, which panics.
const WORDS: &str = "console=ttyS0 loglevel=1 printk.time=0 panic=-1 no_timer_check";

/// What a kernel says when it has stopped.
const HALTED: &str = "reboot: System halted";

/// What runs the machine's instructions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accelerator {
    /// QEMU itself, translating them.
    Tcg,
    /// The processor.
    Kvm,
}

impl Accelerator {
    /// QEMU's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcg => "tcg",
            Self::Kvm => "kvm",
        }
    }

    /// QEMU's word, with an option. Where each processor is translated by a thread of its own, a kernel
    /// that changes its own code sometimes stops at a breakpoint which is gone by then.
    fn option(self) -> &'static str {
        match self {
            Self::Tcg => "tcg,thread=single",
            Self::Kvm => "kvm",
        }
    }
}

/// A machine to be.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The program that is the machine.
    pub qemu: String,
    /// What to boot.
    pub kernel: Image,
    /// What runs it.
    pub accelerator: Accelerator,
    /// Its memory, in MiB.
    pub memory: u32,
    /// Its processors.
    pub cpus: u32,
    /// How long it may run.
    pub limit: Duration,
    /// A directory of the host's, which the machine can mount by the name `host` (9p).
    pub share: Option<PathBuf>,
}

/// How a machine has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// `init` has written to the port that all is well.
    Well,
    /// `init` has written to the port that it is not.
    Badly,
    /// The machine was turned off, or has panicked.
    Off,
    /// The machine was stopped, but not turned off.
    Halted,
    /// Its time was up, which was so long.
    TimedOut(Duration),
    /// QEMU had an end of its own.
    Qemu(String),
}

/// What a machine has left.
#[derive(Clone, Debug)]
pub struct Boot {
    /// The lines of its console, without what a terminal ends them with, and of QEMU's stderr.
    pub console: Vec<String>,
    /// How it has ended.
    pub end: End,
    /// What `init` has written to the second serial port.
    pub verdict: String,
    /// How long it took.
    pub time: Duration,
    /// The file that keeps every byte of the console.
    pub log: PathBuf,
}

impl Machine {
    /// Boots the kernel with an archive and further words on its command line. Keeps the console in
    /// target/vm/`name`.log, and hands each line to `each` as it comes.
    ///
    /// # Errors
    /// QEMU is missing, or a file can't be read or written.
    pub fn boot(
        &self,
        name: &str,
        initramfs: &[u8],
        words: &str,
        each: &mut dyn FnMut(&str),
    ) -> Result<Boot> {
        let directory = crate::target().join("vm");
        fs::create_dir_all(&directory)?;
        let mut archive = tempfile::NamedTempFile::new_in(&directory)?;
        archive.write_all(initramfs)?;
        let log = directory.join(name).with_extension("log");
        File::create(&log)?;
        let mut verdict = tempfile::NamedTempFile::new_in(&directory)?;
        let start = Instant::now();
        let (output, input) = io::pipe()?;
        let mut qemu = self.start(archive.path(), words, &log, verdict.path(), input)?;
        let lines = lines(output);
        let mut console = Vec::new();
        let deadline = start + self.limit;
        let stopped = loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    each(&line);
                    console.push(line);
                }
                Err(RecvTimeoutError::Disconnected) => break None,
                Err(RecvTimeoutError::Timeout) => break Some(End::TimedOut(self.limit)),
            }
            if console.last().is_some_and(|line| line == HALTED) {
                break Some(End::Halted);
            }
        };
        if stopped.is_some() {
            qemu.kill()?;
        }
        let status = qemu.wait()?;
        let mut text = String::new();
        verdict.read_to_string(&mut text)?;
        Ok(Boot {
            end: stopped.unwrap_or_else(|| end(status, &console)),
            verdict: text,
            console,
            time: start.elapsed(),
            log,
        })
    }

    fn start(
        &self,
        archive: &Path,
        words: &str,
        log: &Path,
        verdict: &Path,
        output: PipeWriter,
    ) -> Result<Child> {
        let mut qemu = Command::new(&self.qemu);
        // Without graphics the firmware speaks on the serial port, too, as it does on a server.
        qemu.args(["-nodefaults", "-no-user-config", "-no-reboot"])
            .args(["-display", "none", "-machine", "graphics=off"])
            .arg("-chardev")
            .arg(format!(
                "stdio,id=console,signal=off,logfile={}",
                value(log)
            ))
            .args(["-serial", "chardev:console"])
            .arg("-chardev")
            .arg(format!("file,id=verdict,path={}", value(verdict)))
            .args(["-serial", "chardev:verdict"])
            .args(["-accel", self.accelerator.option()])
            .args(["-m", &self.memory.to_string()])
            .args(["-smp", &self.cpus.to_string()])
            .args(["-device", &format!("isa-debug-exit,iobase={PORT},iosize=4")])
            .arg("-kernel")
            .arg(&self.kernel.path)
            .arg("-initrd")
            .arg(archive)
            .arg("-append")
            .arg(format!("{WORDS} EXIT_PORT={PORT} EXIT_FILE={FILE} {words}"))
            .args(self.share.iter().flat_map(|path| share(path)))
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output);
        // SAFETY: the closure makes one system call between fork and exec.
        unsafe { qemu.pre_exec(|| Ok(set_pdeathsig(Signal::SIGKILL)?)) };
        qemu.spawn().with_context(|| {
            format!(
                "{} does not start (QEMU= names another; the package is qemu-system-x86)",
                self.qemu
            )
        })
    }
}

/// A path in a list of options, which commas divide.
fn value(path: &Path) -> String {
    path.display().to_string().replace(',', ",,")
}

fn share(path: &Path) -> [String; 2] {
    let path = value(path);
    let options = format!("local,mount_tag=host,security_model=none,path={path}");
    ["-virtfs".into(), options]
}

/// The lines of the console and of QEMU's stderr as they come.
fn lines(output: PipeReader) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if sender.send(line.trim_end_matches('\r').to_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

/// `isa-debug-exit` makes twice the byte and one of what is written to it.
fn end(status: ExitStatus, console: &[String]) -> End {
    match status.code() {
        Some(33) => End::Well,
        Some(35) => End::Badly,
        Some(0) => End::Off,
        _ => {
            let last = console.iter().rfind(|line| line.contains("qemu"));
            End::Qemu(
                [Some(status.to_string()), last.cloned()]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(": "),
            )
        }
    }
}

impl Boot {
    /// The line with which the kernel has panicked, from the word on.
    #[must_use]
    pub fn panic(&self) -> Option<&str> {
        let panic = |line: &'_ String| line.find("Kernel panic");
        let line = self.console.iter().find(|line| panic(line).is_some())?;
        Some(&line[panic(line)?..])
    }
}
