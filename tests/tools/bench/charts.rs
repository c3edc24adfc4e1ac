//! The pictures: what data.json has, as SVG.

use crate::data::{Data, Row};
use anyhow::Result;
use ioworkload_tests::peers::{OURS, VARIANTS};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fs;
use std::path::Path;

const INK: RGBColor = RGBColor(33, 37, 41);
const FAINT: RGBColor = RGBColor(134, 142, 150);
const GRID: RGBColor = RGBColor(222, 226, 230);
const OTHERS: RGBColor = RGBColor(173, 181, 189);
const ACCENT: RGBColor = RGBColor(12, 133, 153);

const WIDTH: u32 = 760;
const ROW: i32 = 30;
const TOP: i32 = 62;
/// Where bars start, and the most that one is long.
const LEFT: i32 = 150;
const LONGEST: i32 = 470;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A bar: what it is of, how long, and what stands at its end.
struct Bar {
    variant: String,
    length: f64,
    text: String,
}

/// Draws all of them into a directory.
pub fn draw(data: &Data, into: &Path) -> Result<()> {
    let pictures = [
        ("noise.svg", noise(data)?),
        ("start.svg", start(data)?),
        ("size.svg", size(data)?),
        ("growth.svg", growth(data)?),
    ];
    for (name, picture) in pictures {
        fs::write(into.join(name), picture)?;
    }
    Ok(())
}

/// A bar for each variant that has a row of the scenario.
fn bars_of(data: &Data, scenario: &str, bar: &dyn Fn(&Row) -> (f64, String)) -> Vec<Bar> {
    let rows = VARIANTS
        .iter()
        .filter_map(|variant| data.row(variant.name, scenario));
    let bar = |row: &Row| {
        let (length, text) = bar(row);
        let variant = row.variant.clone();
        Bar {
            variant,
            length,
            text,
        }
    };
    rows.map(bar).collect()
}

fn noise(data: &Data) -> Result<String> {
    let bars = bars_of(data, "aio-getevents", &|row| {
        let (fewest, most) = row.noise;
        let text = match (fewest == most, row.sequences) {
            (true, 1) => format!("{most}"),
            (true, different) => format!("{most}, in {different} different orders"),
            (false, different) => format!(
                "{fewest} to {most}, {different} different sequences in {} runs, {} threads",
                row.traced,
                row.threads + 1
            ),
        };
        (most as f64, text)
    });
    let title = "Syscalls that nobody asked for";
    let about =
        "aio-getevents, which is 8 calls; from the return of execve to the end, all threads";
    chart(title, about, &bars, false)
}

fn start(data: &Data) -> Result<String> {
    let bars = bars_of(data, "aio-setup-einval", &|row| {
        let text = format!("{:.0} µs, {:.2} times the assembly", row.micros, row.ratio);
        (row.micros, text)
    });
    let title = "From execve to the end";
    let about = format!(
        "aio-setup-einval, six calls; median of {} starts in turn",
        data.row(OURS, "aio-setup-einval")
            .map_or(0, |row| row.starts)
    );
    chart(title, &about, &bars, false)
}

fn size(data: &Data) -> Result<String> {
    let bars = bars_of(data, "aio-getevents", &|row| {
        (row.bytes as f64, format!("{} bytes", thousands(row.bytes)))
    });
    chart(
        "File size",
        "aio-getevents; a logarithmic scale, from 100 bytes",
        &bars,
        true,
    )
}

/// Horizontal bars, from 0 or, on a logarithmic scale, from 100.
fn chart(title: &str, about: &str, bars: &[Bar], logarithmic: bool) -> Result<String> {
    let mut picture = String::new();
    let foot = if logarithmic { 30 } else { 10 };
    let height = TOP + ROW * bars.len() as i32 + foot;
    {
        let area =
            SVGBackend::with_string(&mut picture, (WIDTH, height as u32)).into_drawing_area();
        head(&area, title, about)?;
        let most = bars.iter().map(|bar| bar.length).fold(1.0, f64::max);
        let length = |value: f64| {
            let share = if logarithmic {
                (value / 100.0).log10() / (most / 100.0).log10()
            } else {
                value / most
            };
            (share * f64::from(LONGEST)) as i32
        };
        if logarithmic {
            decades(&area, height, most, &length)?;
        }
        for (row, bar) in bars.iter().enumerate() {
            draw_bar(&area, row as i32, bar, length(bar.length))?;
        }
        area.present()?;
    }
    Ok(picture)
}

fn head(area: &Area, title: &str, about: &str) -> Result<()> {
    area.fill(&WHITE)?;
    area.draw(&Text::new(title, (16, 12), font(18, INK)))?;
    area.draw(&Text::new(about.to_owned(), (16, 36), font(12, FAINT)))?;
    Ok(())
}

fn font(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// A faint line at each power of ten.
fn decades(area: &Area, height: i32, most: f64, length: &dyn Fn(f64) -> i32) -> Result<()> {
    let mut value = 1000.0;
    while value <= most {
        let x = LEFT + length(value);
        let line = vec![(x, TOP - 6), (x, height - 24)];
        area.draw(&PathElement::new(line, GRID))?;
        let label = font(11, FAINT).pos(Pos::new(HPos::Center, VPos::Center));
        let text = thousands(value as u64);
        area.draw(&Text::new(text, (x, height - 14), label))?;
        value *= 10.0;
    }
    Ok(())
}

/// The variant's title, the bar, and its value behind it; inside where there is no room behind.
fn draw_bar(area: &Area, row: i32, bar: &Bar, length: i32) -> Result<()> {
    let ours = bar.variant == OURS;
    let colour = if ours { ACCENT } else { OTHERS };
    let (top, middle) = (TOP + ROW * row, TOP + ROW * row + 11);
    let corners = [(LEFT, top), (LEFT + length.max(2), top + 21)];
    area.draw(&Rectangle::new(corners, colour.filled()))?;
    let ink = if ours { ACCENT } else { INK };
    let title = VARIANTS.iter().find(|variant| variant.name == bar.variant);
    let title = title.map_or("", |variant| variant.title);
    let label = font(13, ink).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new(title, (LEFT - 10, middle), label))?;
    let behind = LEFT + length + 8 + 6 * bar.text.chars().count() as i32 <= WIDTH as i32 - 8;
    let (x, side, ink) = if behind {
        (LEFT + length.max(2) + 8, HPos::Left, ink)
    } else {
        (LEFT + length - 8, HPos::Right, INK)
    };
    let value = font(12, ink).pos(Pos::new(side, VPos::Center));
    area.draw(&Text::new(bar.text.clone(), (x, middle), value))?;
    Ok(())
}

/// Time against rounds and against copies, and what stays the same.
fn growth(data: &Data) -> Result<String> {
    let rounds = data
        .repeat
        .iter()
        .map(|point| (point.rounds as f64, point.micros));
    let copies = data
        .copies
        .iter()
        .map(|point| (point.side_by_side as f64, point.micros));
    let peaks = data.repeat.iter().map(|point| point.peak_kib);
    let faults = data
        .copies
        .iter()
        .map(|point| point.faults / point.side_by_side as u64);
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, (WIDTH, 330)).into_drawing_area();
        head(
            &area,
            "More of it: time grows with the work, memory does not",
            "aio-setup-einval; both axes are logarithmic",
        )?;
        let halves = area.margin(TOP - 4, 6, 8, 20).split_evenly((1, 2));
        let resident = format!("resident: {} KiB at each point", span(peaks));
        panel(
            &halves[0],
            ("rounds (--repeat)", "µs"),
            &rounds.collect::<Vec<_>>(),
            &resident,
        )?;
        let faults = format!("page faults: {} in each copy", span(faults));
        panel(
            &halves[1],
            ("copies side by side", "µs"),
            &copies.collect::<Vec<_>>(),
            &faults,
        )?;
        area.present()?;
    }
    Ok(picture)
}

/// `8`, or `8 to 12`.
fn span(values: impl Iterator<Item = u64> + Clone) -> String {
    let (least, most) = (values.clone().min().unwrap_or(0), values.max().unwrap_or(0));
    if least == most {
        format!("{most}")
    } else {
        format!("{least} to {most}")
    }
}

/// A curve, its ends labelled.
fn panel(area: &Area, axes: (&str, &str), points: &[(f64, f64)], note: &str) -> Result<()> {
    let last = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(1.0, f64::max);
    let (right, high) = (last(|point| point.0), last(|point| point.1));
    let low = points.iter().map(|point| point.1).fold(high, f64::min);
    let mut chart = ChartBuilder::on(area)
        .x_label_area_size(34)
        .y_label_area_size(58)
        .margin_right(26)
        .build_cartesian_2d(
            (1.0..right * 1.3).log_scale(),
            (low / 2.0..high * 2.5).log_scale(),
        )?;
    mesh(&mut chart, axes)?;
    chart.draw_series(LineSeries::new(
        points.iter().copied(),
        ACCENT.stroke_width(2),
    ))?;
    let dot = |point: &(f64, f64)| Circle::new(*point, 3, ACCENT.filled());
    chart.draw_series(points.iter().map(dot))?;
    let label = |point: &(f64, f64)| {
        let style = font(11, INK).pos(Pos::new(HPos::Center, VPos::Bottom));
        EmptyElement::at(*point) + Text::new(time(point.1), (0, -6), style)
    };
    let ends = points.iter().take(1).chain(points.iter().skip(1).last());
    chart.draw_series(ends.map(label))?;
    area.draw(&Text::new(note.to_owned(), (72, 8), font(12, FAINT)))?;
    Ok(())
}

fn mesh<X, Y>(
    chart: &mut ChartContext<SVGBackend, Cartesian2d<X, Y>>,
    axes: (&str, &str),
) -> Result<()>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .x_desc(axes.0)
        .y_desc(axes.1)
        .x_labels(7)
        .y_labels(6)
        .label_style(font(11, FAINT))
        .axis_desc_style(font(12, INK))
        .x_label_formatter(&|value| thousands(*value as u64))
        .y_label_formatter(&|value| thousands(*value as u64))
        .draw()?;
    Ok(())
}

/// `31 µs`, `4.2 ms`, `1.3 s`.
fn time(micros: f64) -> String {
    match micros {
        ..1e3 => format!("{micros:.0} µs"),
        ..1e6 => format!("{:.1} ms", micros / 1e3),
        _ => format!("{:.1} s", micros / 1e6),
    }
}

/// Digits in groups of three.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().collect();
    let texts: Vec<_> = groups
        .iter()
        .map(|group| String::from_utf8_lossy(group))
        .collect();
    texts.join(",")
}
