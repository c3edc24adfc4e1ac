//! The tracers that the burst is run under, each as its manual has it.

use anyhow::{Context, Result, ensure};
use ioworkload_tests::ftrace::Instance;
use ioworkload_tests::tracefs;
use std::path::Path;
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

/// The variable that says where a command finds its instance of ftrace.
const INSTANCE: &str = "FTRACE_INSTANCE";

const COUNT: &str = "\
tracepoint:raw_syscalls:sys_enter /pid == cpid/ { @enter[args->id] = count(); }
tracepoint:raw_syscalls:sys_exit /pid == cpid/ { @exit[args->id] = count(); }";

impl Under {
    /// The command that runs the burst.
    pub fn command(&self, program: &Path, repeat: &str) -> Command {
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
                // It cuts the command at every blank, so the path to the program must not be in it.
                let (directory, name) = (program.with_file_name(""), program.file_name());
                let name = name.unwrap_or_default().display();
                let burst = format!("./{name} aio-burst {repeat}");
                command.args(["-e", COUNT, "-c", &burst]);
                command.current_dir(directory);
                command
            }
            Kind::Ftrace => {
                let script = format!(r#"echo $$ >"${INSTANCE}/set_event_pid" && exec "$@""#);
                with("sh", &["-c", &script, "sh"])
            }
        };
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs it.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        if !matches!(self.kind, Kind::Untraced | Kind::Strace) {
            tracefs::ready(self.name)?;
        }
        let instance = matches!(self.kind, Kind::Ftrace)
            .then(Instance::new)
            .transpose()?;
        if let Some(instance) = &instance {
            command.env(INSTANCE, instance.path());
            for event in ["sys_enter", "sys_exit"] {
                instance.set(&format!("events/raw_syscalls/{event}/enable"), "1")?;
            }
        }
        let status = command.status().with_context(|| self.name)?;
        drop(instance);
        ensure!(status.success(), "{}: {status}", self.name);
        Ok(())
    }
}
