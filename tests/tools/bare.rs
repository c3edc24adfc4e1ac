//! The fixtures without anything else, on a machine or in a container: archives to start them from,
//! and machines that do.

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use ioworkload_tests::bare::archive::{initramfs, rootfs};
use ioworkload_tests::bare::ktap::is_part;
use ioworkload_tests::bare::matrix::Matrix;
use ioworkload_tests::bare::vm::{Accelerator, Machine};
use ioworkload_tests::bare::{accelerator, ground, kernel, root, run as boot, trace};
use ioworkload_tests::scenarios;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(Subcommand)]
pub enum Command {
    /// Write the archive with `init` and every fixture.
    Initramfs { file: PathBuf },
    /// Write the tar with `init` and every fixture.
    Rootfs { file: PathBuf },
    /// Boot it, and print the report in KTAP.
    Vm {
        #[command(flatten)]
        hardware: Hardware,
        /// A bzImage, or a suite of Debian.
        #[arg(long)]
        kernel: String,
        /// These fixtures only.
        scenarios: Vec<String>,
    },
    /// Boot straight into one fixture, and compare what the kernel sees with its expected trace.
    VmTrace {
        #[command(flatten)]
        hardware: Hardware,
        /// A bzImage, or a suite of Debian.
        #[arg(long)]
        kernel: String,
        #[arg(value_parser = PossibleValuesParser::new(scenarios()))]
        scenario: String,
    },
    /// Both, for every scenario on several kernels.
    VmMatrix {
        #[command(flatten)]
        hardware: Hardware,
        /// Each a bzImage, or a suite of Debian.
        #[arg(required = true)]
        kernels: Vec<String>,
    },
}

#[derive(Args)]
pub struct Hardware {
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

pub fn run(command: Command) -> Result<bool> {
    match command {
        Command::Initramfs { file } => write(&file, &initramfs(ground())?),
        Command::Rootfs { file } => write(&file, &rootfs(root())?),
        Command::Vm {
            hardware,
            kernel,
            scenarios,
        } => vm(&hardware.with(&kernel)?, &scenarios.join(" ")),
        Command::VmTrace {
            hardware,
            kernel,
            scenario,
        } => vm_trace(&hardware.with(&kernel)?, &scenario),
        Command::VmMatrix { hardware, kernels } => vm_matrix(&hardware, &kernels),
    }
}

fn write(file: &Path, archive: &[u8]) -> Result<bool> {
    fs::write(file, archive)?;
    println!("{}: {} bytes", file.display(), archive.len());
    Ok(true)
}

impl Hardware {
    fn with(&self, kernel: &str) -> Result<Machine> {
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
fn vm(machine: &Machine, words: &str) -> Result<bool> {
    let mut each = |line: &str| {
        if is_part(line) {
            println!("{line}");
        }
    };
    let (report, boot) = boot(machine, &machine.kernel.name, ground(), words, &mut each)?;
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

fn vm_trace(machine: &Machine, scenario: &str) -> Result<bool> {
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
fn vm_matrix(hardware: &Hardware, kernels: &[String]) -> Result<bool> {
    let machines = kernels.iter().map(|kernel| hardware.with(kernel));
    let machines = machines.collect::<Result<Vec<_>>>()?;
    let matrix = Matrix::of(&machines, &|line| eprintln!("{line}"));
    println!("{}", matrix.table());
    Ok(matrix.exact())
}
