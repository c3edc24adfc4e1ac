//! The tracers that the burst is run under, each as its manual has it.

use anyhow::{Context, Result, ensure};
use ioworkload_tests::tracefs;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A way to watch every call of a program.
pub struct Under {
    /// What is run, for humans.
    pub name: &'static str,
    /// So many calls that the tracer's own start is lost in their time.
    pub calls: u64,
    kind: Kind,
}

enum Kind {
    Untraced,
    Strace,
    Perf,
    Bpftrace,
    Ftrace,
}

/// All of them, no tracer first.
pub const TRACERS: &[Under] = &[
    under("no tracer", 4_000_000, Kind::Untraced),
    under(
        "ftrace, raw_syscalls into its buffer",
        2_000_000,
        Kind::Ftrace,
    ),
    under(
        "bpftrace, both raw_syscalls counted",
        2_000_000,
        Kind::Bpftrace,
    ),
    under("perf trace -o FILE", 50_000, Kind::Perf),
    under("strace -f -o FILE", 50_000, Kind::Strace),
];

const fn under(name: &'static str, calls: u64, kind: Kind) -> Under {
    Under { name, calls, kind }
}

const COUNT: &str = "\
tracepoint:raw_syscalls:sys_enter /pid == cpid/ { @enter[args->id] = count(); }
tracepoint:raw_syscalls:sys_exit /pid == cpid/ { @exit[args->id] = count(); }";

impl Under {
    /// The command that runs the burst.
    pub fn command(&self, program: &Path, repeat: &str) -> Result<Command> {
        let burst = |mut command: Command| {
            command.arg(program).args(["aio-burst", repeat]);
            command
        };
        let with = |tracer: &str, args: &[&str]| {
            let mut command = Command::new(tracer);
            command.args(args);
            burst(command)
        };
        let mut command = match self.kind {
            Kind::Untraced => with("env", &[]),
            Kind::Strace => with("strace", &["-f", "-o", "/dev/null", "--"]),
            Kind::Perf => with("perf", &["trace", "-o", "/dev/null", "--"]),
            Kind::Bpftrace => {
                let mut command = Command::new("bpftrace");
                let burst = format!("{} aio-burst {repeat}", program.display());
                command.args(["-e", COUNT, "-c", &burst]);
                command
            }
            Kind::Ftrace => {
                let pid = Instance::path()?.join("set_event_pid");
                let script = r#"echo $$ >"$0" && exec "$@""#;
                let mut command = Command::new("sh");
                command.args(["-c", script]).arg(pid);
                burst(command)
            }
        };
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }

    /// Runs it.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let instance = matches!(self.kind, Kind::Ftrace)
            .then(Instance::new)
            .transpose()?;
        let status = command.status().with_context(|| self.name)?;
        drop(instance);
        ensure!(status.success(), "{}: {status}", self.name);
        Ok(())
    }
}

/// An instance of the kernel's own tracer, gone when dropped.
struct Instance(PathBuf);

impl Instance {
    fn path() -> Result<PathBuf> {
        let name = format!("instances/ioworkload-bench-{}", std::process::id());
        Ok(tracefs::root()?.join(name))
    }

    fn new() -> Result<Self> {
        let path = Self::path()?;
        fs::create_dir(&path)?;
        let instance = Self(path);
        for event in ["sys_enter", "sys_exit"] {
            let switch = instance
                .0
                .join("events/raw_syscalls")
                .join(event)
                .join("enable");
            fs::write(switch, "1")?;
        }
        Ok(instance)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // It is gone, or somebody reads it: nothing that could be done about it here.
        let _ = fs::remove_dir(&self.0);
    }
}
