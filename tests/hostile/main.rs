//! Does a program stay the most boring one on the machine, whatever is done to it?
//!
//! A file per kind of hostility: faults, bytes, children, kills, environments, limits, race, starts,
//! input, load, memory, sanitizer. Each says what it tries and by which rule it knows what must come
//! of it. The other files are what these share. The table at the end says how often that was tried,
//! and survived. `make torture` tries more.

mod bytes;
mod children;
mod driven;
mod environments;
mod errors;
mod faults;
mod input;
mod kills;
mod length;
mod limits;
mod load;
mod memory;
mod places;
mod race;
mod raised;
mod run;
mod sanitizer;
mod starts;
mod tally;

use ioworkload_tests::hoard::{aio_nr, aio_nr_back_to};
use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of the time is spent waiting for io_destroy.
    arguments.test_threads = arguments.test_threads.or(Some(4));
    length::begin();
    let trials = [
        faults::trials(),
        bytes::trials(),
        children::trials(),
        kills::trials(),
        environments::trials(),
        limits::trials(),
        race::trials(),
        starts::trials(),
        input::trials(),
        load::trials(),
        memory::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    let before = aio_nr();
    // It waits for fs.aio-nr itself, at its end.
    let mut alone = sanitizer::trials();
    alone.extend(starts::trials_alone());
    alone.extend(load::trials_alone());
    let done = libtest_mimic::run(&arguments, trials);
    arguments.test_threads = Some(1);
    let done = [done, libtest_mimic::run(&arguments, alone)];
    if arguments.list {
        return ExitCode::SUCCESS;
    }
    println!("{}", tally::table());
    print!("{}", environments::table());
    aio_nr_back_to(before);
    println!("fs.aio-nr: {before} before, {} after", aio_nr());
    if length::over() {
        println!("The time was over before the count: some areas have tried less.");
    }
    if done
        .iter()
        .all(|done| done.num_passed + done.num_failed == 0)
    {
        eprintln!("no trial has been run");
        return ExitCode::FAILURE;
    }
    let failed = done.iter().any(libtest_mimic::Conclusion::has_failed);
    ExitCode::from(u8::from(failed))
}
