//! The command line of ioworkload-check.

use clap::{Args, Parser, Subcommand, ValueEnum};
use ioworkload_check::formats::Format;
use ioworkload_check::judge::{Options, Shown, Start};
use ioworkload_check::render;
use std::path::PathBuf;

/// Tells whether a syscall tracer sees exactly what the fixtures of ioworkload do. The fixtures and
/// their expected traces are inside.
///
/// Exit codes: 0 all is exact; 1 something differs; 2 usage, or events that can't be read; 77 all was
/// skipped.
#[derive(Parser)]
#[command(name = "ioworkload-check", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Judge events that a tracer has written.
    Compare {
        /// A scenario's name, or the file of an expected trace.
        expected: String,
        /// What the tracer has written; standard input if it is `-` or not given.
        events: Option<PathBuf>,
        #[command(flatten)]
        judging: Judging,
    },
    /// Run a tracer over every scenario, or over these, and judge each.
    Run(Run),
    /// Name the scenarios, and say what each does.
    List,
    /// Write the fixtures and their expected traces into a directory.
    Unpack {
        /// It is made if it is not there.
        directory: PathBuf,
    },
}

#[derive(Args)]
pub struct Run {
    /// Scenarios; none: all.
    pub scenarios: Vec<String>,
    /// The tracer. `{fixture}` is the program to start, `{pid}` the process to attach to, `{events}` the
    /// file to write (without it, standard output is read).
    #[arg(last = true, required = true)]
    pub tracer: Vec<String>,
    /// With `{pid}`: a regular expression for the line by which the tracer shows that it has attached; or
    /// `ptrace`: until it has, by ptrace.
    #[arg(long, value_name = "REGEX|ptrace")]
    pub ready: Option<String>,
    /// Seconds that a scenario may take.
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub timeout: u64,
    /// Keep what the tracer has written, and the verdicts, in this directory.
    #[arg(long, value_name = "DIRECTORY")]
    pub keep: Option<PathBuf>,
    /// Let scenarios use the /tmp of the machine: without this they have one of their own, where that is
    /// allowed.
    #[arg(long)]
    pub shared_tmp: bool,
    #[command(flatten)]
    pub judging: Judging,
}

#[derive(Args, Clone)]
pub struct Judging {
    /// json, strace, perf, perf-trace, bpftrace, ftrace, audit; found out if it is not given.
    #[arg(long)]
    pub format: Option<Format>,
    /// Compare only these calls: names, globs (`io_*`); of both sides.
    #[arg(long, value_delimiter = ',', value_name = "CALLS")]
    pub only: Vec<String>,
    /// The tracer shows so many arguments at most: audit shows 4.
    #[arg(long, value_name = "COUNT")]
    pub args: Option<usize>,
    /// The result that the tracer shows of an interrupted call: the kernel's code, or what the program
    /// gets; either is right if it is not given.
    #[arg(long)]
    pub ret: Option<Result_>,
    /// How verdicts are written.
    #[arg(long, default_value = "text")]
    pub output: Output,
    /// The tracer has attached to a process that was waiting at a gate.
    #[arg(skip)]
    pub attached: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Result_ {
    SysExit,
    Program,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Output {
    Text,
    Json,
    Tap,
    Junit,
}

impl From<Output> for render::Output {
    fn from(output: Output) -> Self {
        match output {
            Output::Text => Self::Text,
            Output::Json => Self::Json,
            Output::Tap => Self::Tap,
            Output::Junit => Self::Junit,
        }
    }
}

impl Judging {
    pub fn options(&self) -> Options {
        Options {
            args: self.args,
            ret: match self.ret {
                None => Shown::Either,
                Some(Result_::SysExit) => Shown::SysExit,
                Some(Result_::Program) => Shown::Program,
            },
            only: self.only.clone(),
            start: if self.attached {
                Start::Attached
            } else {
                Start::Any
            },
            ..Options::default()
        }
    }
}
