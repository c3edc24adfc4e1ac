//! A machine in QEMU: booted, its console read and kept, its end told apart from every other end.

use crate::bare::kernel::Image;
use anyhow::{Context, Result};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The port of `isa-debug-exit`, which `init` is told to write its verdict to.
const PORT: &str = "0xf4";

/// What every kernel is told. A panic ends the machine at once (-no-reboot). Nothing less than that
/// gets between the lines of the report. On a busy host an emulated timer fails the kernel's test of
/// it, which panics.
const WORDS: &str = "console=ttyS0 loglevel=1 printk.time=0 panic=-1 no_timer_check";

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
    /// Its time was up, which was so long.
    TimedOut(Duration),
    /// QEMU had an end of its own.
    Qemu(String),
}

/// What a machine has left behind.
#[derive(Clone, Debug)]
pub struct Boot {
    /// The lines of its console, and of QEMU's stderr.
    pub console: Vec<String>,
    /// How it has ended.
    pub end: End,
    /// How long it took.
    pub time: Duration,
    /// The file that keeps the console.
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
        let mut file = File::create(&log)?;
        let start = Instant::now();
        let mut qemu = self.start(archive.path(), words)?;
        let lines = lines(&mut qemu);
        let mut console = Vec::new();
        let deadline = start + self.limit;
        let in_time = loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    writeln!(file, "{line}")?;
                    each(&line);
                    console.push(line);
                }
                Err(RecvTimeoutError::Disconnected) => break true,
                Err(RecvTimeoutError::Timeout) => break false,
            }
        };
        if !in_time {
            qemu.kill()?;
        }
        let status = qemu.wait()?;
        let end = if in_time {
            end(status, &console)
        } else {
            End::TimedOut(self.limit)
        };
        Ok(Boot {
            console,
            end,
            time: start.elapsed(),
            log,
        })
    }

    fn start(&self, archive: &Path, words: &str) -> Result<Child> {
        let mut qemu = Command::new(&self.qemu);
        qemu.args(["-nodefaults", "-no-user-config", "-no-reboot"])
            .args(["-display", "none", "-serial", "stdio"])
            .args(["-accel", self.accelerator.name()])
            .args(["-m", &self.memory.to_string()])
            .args(["-smp", &self.cpus.to_string()])
            .args(["-device", &format!("isa-debug-exit,iobase={PORT},iosize=4")])
            .arg("-kernel")
            .arg(&self.kernel.path)
            .arg("-initrd")
            .arg(archive)
            .arg("-append")
            .arg(format!("{WORDS} EXIT_PORT={PORT} {words}"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
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

/// The lines of the console and of QEMU's stderr as they come.
fn lines(qemu: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    let outputs: [Option<Box<dyn Read + Send>>; 2] = [
        qemu.stdout.take().map(|pipe| Box::new(pipe) as _),
        qemu.stderr.take().map(|pipe| Box::new(pipe) as _),
    ];
    for pipe in outputs.into_iter().flatten() {
        let sender = sender.clone();
        thread::spawn(move || send(pipe, &sender));
    }
    receiver
}

fn send(pipe: Box<dyn Read + Send>, sender: &Sender<String>) {
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if sender.send(line.trim_end_matches('\r').to_owned()).is_err() {
            return;
        }
    }
}

/// `isa-debug-exit` makes twice the byte and one of what is written to it.
fn end(status: ExitStatus, console: &[String]) -> End {
    match status.code() {
        Some(33) => End::Well,
        Some(35) => End::Badly,
        Some(0) => End::Off,
        code => {
            let said = console.iter().rfind(|line| line.contains("qemu"));
            let how = code.map(|code| format!("exited with {code}"));
            let how = how.unwrap_or_else(|| {
                format!("was killed by signal {}", status.signal().unwrap_or(0))
            });
            End::Qemu(said.map_or(how.clone(), |said| format!("{how}: {said}")))
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
