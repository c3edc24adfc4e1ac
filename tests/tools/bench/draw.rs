//! The pictures: what data.json has, as SVG.
#![allow(clippy::cast_precision_loss, reason = "no figure here has 53 bits")]

use crate::data::{Data, Row};
use crate::table::{noise, thousands, title};
use anyhow::Result;
use ioworkload_tests::peers::{OURS, VARIANTS};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fs;
use std::path::Path;

const INK: RGBColor = RGBColor(33, 37, 41);
const FAINT: RGBColor = RGBColor(73, 80, 87);
const OTHERS: RGBColor = RGBColor(173, 181, 189);
const ACCENT: RGBColor = RGBColor(12, 133, 153);

const WIDTH: u32 = 760;
const ROW: i32 = 30;
const TOP: i32 = 66;
/// Where bars start, and the most that one is long.
const LEFT: i32 = 165;
const LONGEST: f64 = 350.0;

/// A bar: what it is of, how long, and what stands after it.
type Bar<'a> = (&'a str, f64, String);

/// Draws all of them into a directory.
pub fn all(data: &Data, into: &Path) -> Result<()> {
    let bars = |scenario, length: fn(&Row) -> f64, text: fn(&Row) -> String| {
        let rows = VARIANTS
            .iter()
            .filter_map(|one| data.row(one.name, scenario));
        rows.map(|row| (row.variant.as_str(), length(row), text(row)))
            .collect::<Vec<_>>()
    };
    let save = |name, text: [&str; 2], bars: Vec<Bar>| {
        Ok(fs::write(into.join(name), chart(text, &bars)?)?) as Result<()>
    };
    let about = "aio-getevents: its own 8 calls are not counted, those of all threads are";
    let noisy = bars("aio-getevents", |row| row.noise.1 as f64, orders);
    save(
        "noise.svg",
        ["Syscalls that nobody asked for", about],
        noisy,
    )?;
    let starts = data
        .row(OURS, "aio-setup-einval")
        .map_or(0, |row| row.starts);
    let about = format!(
        "aio-setup-einval, six calls; medians of {starts} starts in turn, and of the ratios to the assembly"
    );
    let times = bars(
        "aio-setup-einval",
        |row| row.micros,
        |row| format!("{:.0} µs, {:.2}×", row.micros, row.ratio),
    );
    save("start.svg", ["Time from execve to exit", &about], times)?;
    // From 100 bytes on: each doubling is as long as the next.
    let sizes = bars(
        "aio-getevents",
        |row| (row.bytes as f64 / 100.0).log2(),
        |row| format!("{} bytes", thousands(row.bytes)),
    );
    save(
        "size.svg",
        ["File size", "aio-getevents; logarithmic, from 100 bytes on"],
        sizes,
    )
}

/// The calls that nobody asked for, and in how many orders.
fn orders(row: &Row) -> String {
    if row.sequences < 2 {
        return noise(row);
    }
    format!(
        "{}, {} orders in {} runs",
        noise(row),
        row.sequences,
        row.traced
    )
}

/// Horizontal bars, one below the other, ours in another colour.
fn chart([name, about]: [&str; 2], bars: &[Bar]) -> Result<String> {
    let mut picture = String::new();
    let size = (WIDTH, TOP as u32 + ROW as u32 * bars.len() as u32 + 10);
    let most = bars
        .iter()
        .map(|(_, length, _)| *length)
        .fold(1.0, f64::max);
    let area = SVGBackend::with_string(&mut picture, size).into_drawing_area();
    area.fill(&WHITE)?;
    area.draw(&Text::new(name, (16, 10), font(22, INK)))?;
    area.draw(&Text::new(about, (16, 38), font(16, FAINT)))?;
    for ((variant, length, text), row) in bars.iter().zip(0..) {
        let (colour, ink) = if *variant == OURS {
            (ACCENT, ACCENT)
        } else {
            (OTHERS, INK)
        };
        let (top, end) = (TOP + ROW * row, LEFT + (length / most * LONGEST) as i32);
        let middle = |side| font(16, ink).pos(Pos::new(side, VPos::Center));
        area.draw(&Rectangle::new(
            [(LEFT, top), (end, top + 21)],
            colour.filled(),
        ))?;
        area.draw(&Text::new(
            title(variant),
            (LEFT - 12, top + 11),
            middle(HPos::Right),
        ))?;
        area.draw(&Text::new(
            text.as_str(),
            (end + 8, top + 11),
            middle(HPos::Left),
        ))?;
    }
    area.present()?;
    drop(area);
    Ok(picture)
}

fn font(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}
