//! The pictures: what data.json has, as SVG.

use crate::data::{Copies, Data, Repeat, Row};
use anyhow::Result;
use ioworkload_tests::peers::{OURS, VARIANTS};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{AsRangedCoord, Ranged, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::fs;
use std::path::Path;

const INK: RGBColor = RGBColor(33, 37, 41);
const FAINT: RGBColor = RGBColor(73, 80, 87);
const GRID: RGBColor = RGBColor(222, 226, 230);
const OTHERS: RGBColor = RGBColor(173, 181, 189);
const ACCENT: RGBColor = RGBColor(12, 133, 153);

const WIDTH: u32 = 760;
const ROW: i32 = 30;
const TOP: i32 = 66;
/// Where bars start, and the most that one is long.
const LEFT: i32 = 165;
const LONGEST: i32 = 350;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// A bar, or its end alone: what it is of, how long, and what stands behind it.
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
        let text = if fewest == most {
            format!("{most}")
        } else {
            format!(
                "{fewest} to {most}, {} orders in {} runs",
                row.sequences, row.traced
            )
        };
        (most as f64, text)
    });
    let title = "Syscalls that nobody asked for";
    let about = "aio-getevents: its own 8 calls are not counted, those of all threads are";
    chart(title, about, &bars, Scale::Linear)
}

fn start(data: &Data) -> Result<String> {
    let bars = bars_of(data, "aio-setup-einval", &|row| {
        let text = format!("{:.0} µs, {:.2}×", row.micros, row.ratio);
        (row.micros, text)
    });
    let title = "Time from execve to exit";
    let about = format!(
        "aio-setup-einval, six calls; medians of {} starts in turn, and of the ratios to the assembly",
        data.row(OURS, "aio-setup-einval")
            .map_or(0, |row| row.starts)
    );
    chart(title, &about, &bars, Scale::Linear)
}

fn size(data: &Data) -> Result<String> {
    let bars = bars_of(data, "aio-getevents", &|row| {
        (row.bytes as f64, format!("{} bytes", thousands(row.bytes)))
    });
    let about = "aio-getevents; each line is ten times the one before";
    chart("File size", about, &bars, Scale::Logarithmic)
}

/// Bars from 0; or the ends alone, with a line at each power of ten from 100 on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scale {
    Linear,
    Logarithmic,
}

impl Scale {
    /// How far from the left a value is, where `most` is the greatest.
    fn length(self, value: f64, most: f64) -> i32 {
        let share = match self {
            Self::Linear => value / most,
            Self::Logarithmic => (value / 100.0).log10() / (most / 100.0).log10(),
        };
        (share * f64::from(LONGEST)) as i32
    }
}

/// Horizontal bars, one below the other.
fn chart(title: &str, about: &str, bars: &[Bar], scale: Scale) -> Result<String> {
    let mut picture = String::new();
    let foot = if scale == Scale::Linear { 10 } else { 34 };
    let height = TOP + ROW * bars.len() as i32 + foot;
    let most = bars.iter().map(|bar| bar.length).fold(1.0, f64::max);
    {
        let size = (WIDTH, height as u32);
        let area = SVGBackend::with_string(&mut picture, size).into_drawing_area();
        head(&area, title, about)?;
        if scale == Scale::Logarithmic {
            decades(&area, height, most)?;
        }
        for (row, bar) in bars.iter().enumerate() {
            draw_bar(
                &area,
                row as i32,
                bar,
                scale.length(bar.length, most),
                scale,
            )?;
        }
        area.present()?;
    }
    Ok(picture)
}

fn head(area: &Area, title: &str, about: &str) -> Result<()> {
    area.fill(&WHITE)?;
    area.draw(&Text::new(title.to_owned(), (16, 10), font(22, INK)))?;
    area.draw(&Text::new(about.to_owned(), (16, 38), font(16, FAINT)))?;
    Ok(())
}

fn font(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour)
}

/// A faint line at each power of ten.
fn decades(area: &Area, height: i32, most: f64) -> Result<()> {
    let values = std::iter::successors(Some(100.0), |value| Some(value * 10.0));
    for value in values.take_while(|value| *value <= most) {
        let x = LEFT + Scale::Logarithmic.length(value, most);
        let line = vec![(x, TOP - 4), (x, height - 28)];
        area.draw(&PathElement::new(line, GRID))?;
        let label = font(15, FAINT).pos(Pos::new(HPos::Center, VPos::Center));
        let text = thousands(value as u64);
        area.draw(&Text::new(text, (x, height - 16), label))?;
    }
    Ok(())
}

/// The variant's title, the bar (none for nothing) or its end, and its value behind it.
fn draw_bar(area: &Area, row: i32, bar: &Bar, length: i32, scale: Scale) -> Result<()> {
    let (colour, ink) = if bar.variant == OURS {
        (ACCENT, ACCENT)
    } else {
        (OTHERS, INK)
    };
    let (top, middle, end) = (TOP + ROW * row, TOP + ROW * row + 11, LEFT + length);
    let title = VARIANTS.iter().find(|variant| variant.name == bar.variant);
    let title = title.map_or("", |variant| variant.title);
    let label = font(16, ink).pos(Pos::new(HPos::Right, VPos::Center));
    area.draw(&Text::new(title, (LEFT - 12, middle), label))?;
    let value = font(16, ink).pos(Pos::new(HPos::Left, VPos::Center));
    if scale == Scale::Logarithmic {
        let long = 8 * bar.text.chars().count() as i32;
        let behind = [(end + 10, top + 2), (end + 12 + long, top + 20)];
        area.draw(&Rectangle::new(behind, WHITE.filled()))?;
        area.draw(&Circle::new((end, middle), 6, colour.filled()))?;
        area.draw(&Text::new(bar.text.clone(), (end + 12, middle), value))?;
    } else {
        let corners = [(LEFT, top), (end, top + 21)];
        area.draw(&Rectangle::new(corners, colour.filled()))?;
        area.draw(&Text::new(bar.text.clone(), (end + 8, middle), value))?;
    }
    Ok(())
}

/// Time and memory against rounds and against copies.
fn growth(data: &Data) -> Result<String> {
    let rounds = |of: fn(&Repeat) -> f64| curve(&data.repeat, |at| (at.rounds as f64, of(at)));
    let copies =
        |of: fn(&Copies) -> f64| curve(&data.copies, |at| (at.side_by_side as f64, of(at)));
    let (many, wide) = ("rounds in one process", "copies side by side");
    let mut picture = String::new();
    {
        let area = SVGBackend::with_string(&mut picture, (WIDTH, 540)).into_drawing_area();
        let title = "Time grows with the work, memory does not";
        let about = "aio-setup-einval; logarithmic, but for memory";
        head(&area, title, about)?;
        let quarters = area.margin(TOP, 4, 4, 12).split_evenly((2, 2));
        time_panel(&quarters[0], (many, 10.0), &rounds(|at| at.micros))?;
        flat_panel(
            &quarters[1],
            (many, 10.0),
            "KiB",
            &rounds(|at| at.peak_kib as f64),
        )?;
        time_panel(&quarters[2], (wide, 2.0), &copies(|at| at.micros))?;
        flat_panel(
            &quarters[3],
            (wide, 2.0),
            "page faults of each",
            &copies(each_faults),
        )?;
        area.present()?;
    }
    Ok(picture)
}

fn curve<T>(points: &[T], point: impl Fn(&T) -> (f64, f64)) -> Vec<(f64, f64)> {
    points.iter().map(point).collect()
}

fn each_faults(at: &Copies) -> f64 {
    at.faults as f64 / at.side_by_side as f64
}

/// What is counted, and the base of its scale.
type Count<'a> = (&'a str, f64);

fn time_panel(area: &Area, count: Count, points: &[(f64, f64)]) -> Result<()> {
    let (low, high) = span(points);
    let scale = (low / 3.0..high * 4.0).log_scale();
    panel(area, count, ("µs", scale), points, &time)
}

fn flat_panel(area: &Area, count: Count, what: &str, points: &[(f64, f64)]) -> Result<()> {
    let scale = 0.0..span(points).1 * 1.5;
    panel(area, count, (what, scale), points, &|value| {
        thousands(value as u64)
    })
}

/// The least and the greatest value.
fn span(points: &[(f64, f64)]) -> (f64, f64) {
    let values = points.iter().map(|point| point.1);
    (
        values.clone().fold(f64::MAX, f64::min),
        values.fold(0.0, f64::max),
    )
}

/// A curve, its ends labelled.
fn panel<Y: AsRangedCoord<Value = f64>>(
    area: &Area,
    (count, base): Count,
    (what, scale): (&str, Y),
    points: &[(f64, f64)],
    text: &dyn Fn(f64) -> String,
) -> Result<()>
where
    Y::CoordDescType: ValueFormatter<f64>,
{
    let right = points.iter().map(|point| point.0).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(area)
        .x_label_area_size(44)
        .y_label_area_size(76)
        .margin_right(24)
        .margin_top(10)
        .build_cartesian_2d((1.0..right).log_scale().base(base), scale)?;
    mesh(&mut chart, (count, what))?;
    let line = points.iter().copied();
    chart.draw_series(LineSeries::new(line, ACCENT.stroke_width(2)))?;
    let dot = |point: &(f64, f64)| Circle::new(*point, 3, ACCENT.filled());
    chart.draw_series(points.iter().map(dot))?;
    let label = |(point, side, aside): (&(f64, f64), HPos, i32)| {
        let style = font(15, INK).pos(Pos::new(side, VPos::Bottom));
        EmptyElement::at(*point) + Text::new(text(point.1), (aside, -9), style)
    };
    let first = points.first().map(|point| (point, HPos::Left, 4));
    let last = points.last().map(|point| (point, HPos::Right, 4));
    chart.draw_series(first.into_iter().chain(last).map(label))?;
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
        .y_labels(5)
        .label_style(font(14, FAINT))
        .axis_desc_style(font(15, INK))
        .x_label_formatter(&|value| short(*value as u64))
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

/// `100`, `1k`, `1M`.
fn short(number: u64) -> String {
    match number {
        1_000_000.. => format!("{}M", number / 1_000_000),
        1_000.. => format!("{}k", number / 1_000),
        _ => number.to_string(),
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
