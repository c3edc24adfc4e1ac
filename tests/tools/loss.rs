//! Counts what a tracer loses of a burst of numbered calls.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use ioworkload_tests::loss::{Burst, Report, Tracer};

#[derive(clap::Args)]
pub struct Args {
    /// The tracer.
    #[arg(value_enum)]
    tracer: Tracer,
    /// How many calls.
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// The tracer's buffer per CPU, in KiB.
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    kib: Option<u32>,
}

pub fn run(args: &Args) -> Result<bool> {
    let bar = ProgressBar::new(args.count.into());
    bar.set_style(ProgressStyle::with_template(
        "{wide_bar} {human_pos} of {human_len} seen",
    )?);
    let burst = Burst {
        count: args.count,
        kib: args.kib,
        nap: None,
    };
    let report = args.tracer.run(burst, &|seen| bar.set_position(seen));
    bar.finish_and_clear();
    let Report { account, own } = report?;
    println!("{account}");
    match own {
        Some(lost) => println!("its own count of lost events: {lost}"),
        None => println!("its own count of lost events: none, the process waits for it"),
    }
    Ok(true)
}
