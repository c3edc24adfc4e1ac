//! `make initramfs`, `make rootfs`, `make vm`, `make vm-trace`, `make vm-matrix`: the fixtures on bare ground.

use anyhow::{Result, ensure};
use clap::{Args, Parser, Subcommand};
use ioworkload_tests::bare::archive::{initramfs, rootfs};
use ioworkload_tests::bare::ktap::is_part;
use ioworkload_tests::bare::matrix::Matrix;
use ioworkload_tests::bare::vm::{Accelerator, Machine};
use ioworkload_tests::bare::{accelerator, ground, kernel, root, run, trace};
use ioworkload_tests::scenarios;
use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

/// The fixtures on bare ground.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the archive with `init` and every fixture.
    Initramfs {
        /// The file to write.
        file: PathBuf,
    },
    /// Write the tar with `init` and every fixture.
    Rootfs {
        /// The file to write.
        file: PathBuf,
    },
    /// Boot it, and print the report in KTAP.
    Vm {
        #[command(flatten)]
        ground: Ground,
        /// A bzImage, or a suite of Debian.
        #[arg(long)]
        kernel: String,
        /// These fixtures only.
        scenarios: Vec<String>,
    },
    /// Boot straight into one fixture, and hold what the kernel sees against its expected trace.
    Trace {
        #[command(flatten)]
        ground: Ground,
        /// A bzImage, or a suite of Debian.
        #[arg(long)]
        kernel: String,
        /// The fixture.
        scenario: String,
    },
    /// Both, for every scenario on several kernels.
    Matrix {
        #[command(flatten)]
        ground: Ground,
        /// Each a bzImage, or a suite of Debian.
        #[arg(required = true)]
        kernels: Vec<String>,
    },
}

/// The machine.
#[derive(Args)]
struct Ground {
    /// QEMU's program.
    #[arg(long)]
    qemu: String,
    /// MiB of memory.
    #[arg(long)]
    memory: u32,
    /// Processors.
    #[arg(long)]
    cpus: u32,
    /// Seconds that a machine may run.
    #[arg(long)]
    timeout: u64,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Initramfs { file } => initramfs(ground()).and_then(|it| write(&file, &it)),
        Command::Rootfs { file } => rootfs(root()).and_then(|it| write(&file, &it)),
        Command::Vm {
            ground,
            kernel,
            scenarios,
        } => ground.machine(&kernel).and_then(|it| vm(&it, &scenarios)),
        Command::Trace {
            ground,
            kernel,
            scenario,
        } => ground
            .machine(&kernel)
            .and_then(|it| one_trace(&it, &scenario)),
        Command::Matrix { ground, kernels } => matrix(&ground, &kernels),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write(file: &Path, archive: &[u8]) -> Result<bool> {
    fs::write(file, archive)?;
    println!("{}: {} bytes", file.display(), archive.len());
    Ok(true)
}

impl Ground {
    fn machine(&self, kernel: &str) -> Result<Machine> {
        let mut machine = Machine {
            qemu: self.qemu.clone(),
            kernel: kernel::find(kernel)?,
            accelerator: Accelerator::Tcg,
            memory: self.memory,
            cpus: self.cpus,
            limit: Duration::from_secs(self.timeout),
            share: None,
        };
        machine.accelerator = accelerator::choose(&machine)?;
        Ok(machine)
    }
}

/// The report goes to stdout, line by line as it comes, and the verdict to stderr.
fn vm(machine: &Machine, scenarios: &[String]) -> Result<bool> {
    if stderr().is_terminal() {
        eprintln!(
            "booting Linux {} ({})",
            machine.kernel.release,
            machine.accelerator.name()
        );
    }
    let mut each = |line: &str| {
        if is_part(line) {
            println!("{line}");
        }
    };
    let words = scenarios.join(" ");
    let (report, boot) = run(machine, &machine.kernel.name, ground(), &words, &mut each)?;
    let (passed, failed, skipped) = report.totals();
    eprintln!(
        "Linux {}: {passed} passed, {failed} failed, {skipped} skipped, in {:.1} s ({}); console: {}",
        machine.kernel.release,
        boot.time.as_secs_f64(),
        machine.accelerator.name(),
        boot.log.display()
    );
    Ok(report.well())
}

fn one_trace(machine: &Machine, scenario: &str) -> Result<bool> {
    ensure!(
        scenarios().iter().any(|name| name == scenario),
        "no such scenario: {scenario}"
    );
    let verdict = trace(machine, scenario)?;
    for row in &verdict.rows {
        println!("{}", row.got.as_deref().unwrap_or("(missing)"));
    }
    let word = if verdict.exact() { "exact" } else { "DIFFERS" };
    println!(
        "{scenario} as the only process of Linux {}: {word}",
        machine.kernel.release
    );
    println!("{verdict}");
    Ok(verdict.exact())
}

/// A line per boot goes to stderr as it is done, the table to stdout.
fn matrix(ground: &Ground, kernels: &[String]) -> Result<bool> {
    let machines = kernels.iter().map(|kernel| ground.machine(kernel));
    let machines = machines.collect::<Result<Vec<_>>>()?;
    let matrix = Matrix::of(&machines, &|line| eprintln!("{line}"));
    println!("{}", matrix.table());
    Ok(matrix.exact())
}
