//! The figures as tables of the README.

use crate::charts::thousands;
use crate::data::{Data, Row};
use ioworkload_tests::peers::{LIMIT, OURS, SCENARIOS, VARIANTS};
use std::fmt::Write;

/// All of them, and where they come from.
pub fn tables(data: &Data) -> String {
    let parts = [
        variants(data),
        against_the_limit(data),
        burst(data),
        tracers(data),
        machine(data),
    ];
    format!("\n{}\n", parts.join("\n"))
}

/// Each variant, by aio-getevents; the time by aio-setup-einval.
fn variants(data: &Data) -> String {
    let traced = data.row(OURS, "aio-getevents").map_or(0, |row| row.traced);
    let mut text = format!(
        "| variant | calls nobody asked for | sequences in {traced} runs | extra threads | bytes | minor page faults | peak KiB | instructions | execve to exit, µs | ratio to the assembly |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
    );
    for variant in VARIANTS {
        let row = data.row(variant.name, "aio-getevents");
        let quick = data.row(variant.name, "aio-setup-einval");
        if let (Some(row), Some(quick)) = (row, quick) {
            text += &line(variant.title, row, quick);
        }
    }
    if let Some(exit) = data.row(LIMIT, "exit") {
        let _ = writeln!(
            text,
            "| `exit` alone, assembly | | | | {} | {} | {} | {} | {:.1} | |",
            exit.bytes, exit.faults, exit.peak_kib, exit.instructions, exit.micros
        );
    }
    text
}

fn line(title: &str, row: &Row, quick: &Row) -> String {
    let (fewest, most) = row.noise;
    let noise = if fewest == most {
        format!("{most}")
    } else {
        format!("{fewest} to {most}")
    };
    let (bytes, steps) = (thousands(row.bytes), thousands(row.instructions));
    format!(
        "| {title} | {noise} | {} | {} | {bytes} | {} | {} | {steps} | {:.1} | {:.2} |\n",
        row.sequences, row.threads, row.faults, row.peak_kib, quick.micros, quick.ratio
    )
}

/// Each scenario: the fixture, and behind it the assembly.
fn against_the_limit(data: &Data) -> String {
    let mut text = String::from(
        "| scenario: ours / assembly | calls nobody asked for | bytes | minor page faults | peak KiB | instructions | execve to exit, ratio |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for scenario in SCENARIOS {
        if let (Some(ours), Some(limit)) = (data.row(OURS, scenario), data.row(LIMIT, scenario)) {
            let _ = writeln!(
                text,
                "| `{scenario}` | {} | {} / {} | {} / {} | {} / {} | {} / {} | {:.2} |",
                ours.noise.1,
                thousands(ours.bytes),
                limit.bytes,
                ours.faults,
                limit.faults,
                ours.peak_kib,
                limit.peak_kib,
                ours.instructions,
                limit.instructions,
                ours.ratio
            );
        }
    }
    text
}

fn burst(data: &Data) -> String {
    let mut text =
        String::from("| burst | million calls a second | ratio to the assembly |\n|---|---|---|\n");
    for burst in &data.burst {
        let title = VARIANTS
            .iter()
            .find(|variant| variant.name == burst.variant);
        let title = title.map_or("", |variant| variant.title);
        let _ = writeln!(
            text,
            "| {title} | {:.2} | {:.3} |",
            burst.millions, burst.ratio
        );
    }
    text
}

fn tracers(data: &Data) -> String {
    let mut text = String::from("| the burst under | ns a call | slowdown |\n|---|---|---|\n");
    for tracer in &data.tracers {
        let _ = writeln!(
            text,
            "| {} | {} | {:.1} |",
            tracer.under,
            thousands(tracer.nanos as u64),
            tracer.ratio
        );
    }
    text
}

fn machine(data: &Data) -> String {
    let machine = &data.machine;
    format!(
        "{}, {} CPUs, Linux {}, {}; {}.\n",
        machine.cpu,
        machine.cpus,
        machine.kernel,
        machine.date,
        machine.compilers.join("; ")
    )
}
