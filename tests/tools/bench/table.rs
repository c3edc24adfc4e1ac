//! The figures as tables of the README.

use crate::data::{Data, Row};
use ioworkload_tests::peers::{LIMIT, OURS, SCENARIOS, VARIANTS};

/// All of them, and where they come from.
pub fn all(data: &Data) -> String {
    let traced = data.row(OURS, "aio-getevents").map_or(0, |row| row.traced);
    let head = format!(
        "variant | calls nobody asked for | sequences in {traced} runs | extra threads | bytes | \
         minor page faults | peak KiB | instructions | execve to exit, µs | ratio to the assembly"
    );
    let scenarios = "scenario: ours / assembly | calls nobody asked for | bytes | minor page faults | \
                     peak KiB | instructions | execve to exit, ratio";
    let burst = "burst | million calls a second | ratio to the assembly";
    let parts = [
        table(&head, variants(data)),
        table(
            scenarios,
            SCENARIOS
                .iter()
                .filter_map(|name| beside_the_limit(data, name)),
        ),
        table(
            burst,
            data.burst.iter().map(|one| {
                format!(
                    "{} | {:.2} | {:.3}",
                    title(&one.variant),
                    one.millions,
                    one.ratio
                )
            }),
        ),
        format!("{}\n", data.machine),
    ];
    format!("\n{}\n", parts.join("\n"))
}

fn table(head: &str, rows: impl IntoIterator<Item = String>) -> String {
    let rule = vec!["---"; head.split('|').count()].join("|");
    let rows = rows.into_iter().map(|row| format!("| {row} |\n"));
    format!("| {head} |\n|{rule}|\n{}", rows.collect::<String>())
}

/// A variant's name for humans.
pub fn title(variant: &str) -> &str {
    let known = VARIANTS.iter().find(|one| one.name == variant);
    known.map_or(variant, |known| known.title)
}

/// Each variant, by aio-getevents; the time by aio-setup-einval.
fn variants(data: &Data) -> Vec<String> {
    let pair = |name| {
        data.row(name, "aio-getevents")
            .zip(data.row(name, "aio-setup-einval"))
    };
    let rows = VARIANTS.iter().filter_map(|variant| pair(variant.name));
    let mut rows: Vec<_> = rows.map(|(row, quick)| line(row, quick)).collect();
    rows.extend(data.row(LIMIT, "exit").map(|exit| {
        format!(
            "`exit` alone, assembly | | | | {} | {} | {} | {} | {:.1} | ",
            exit.bytes, exit.faults, exit.peak_kib, exit.instructions, exit.micros
        )
    }));
    rows
}

fn line(row: &Row, quick: &Row) -> String {
    format!(
        "{} | {} | {} | {} | {} | {} | {} | {} | {:.1} | {:.2}",
        title(&row.variant),
        noise(row),
        row.sequences,
        row.threads,
        thousands(row.bytes),
        row.faults,
        row.peak_kib,
        thousands(row.instructions),
        quick.micros,
        quick.ratio
    )
}

/// The calls that nobody asked for: `0`, `228 to 433`.
pub fn noise(row: &Row) -> String {
    match row.noise {
        (fewest, most) if fewest == most => most.to_string(),
        (fewest, most) => format!("{fewest} to {most}"),
    }
}

/// A scenario: the fixture, and after it the assembly.
fn beside_the_limit(data: &Data, scenario: &str) -> Option<String> {
    let (ours, limit) = (data.row(OURS, scenario)?, data.row(LIMIT, scenario)?);
    let both = |of: fn(&Row) -> u64| format!("{} / {}", thousands(of(ours)), thousands(of(limit)));
    Some(format!(
        "`{scenario}` | {} | {} | {} | {} | {} | {:.2}",
        ours.noise.1,
        both(|row| row.bytes),
        both(|row| row.faults),
        both(|row| row.peak_kib),
        both(|row| row.instructions),
        ours.ratio
    ))
}

/// Digits in groups of three.
pub fn thousands(number: u64) -> String {
    match number {
        1000.. => format!("{},{:03}", thousands(number / 1000), number % 1000),
        _ => number.to_string(),
    }
}
