//! bpftrace, as text or with `-f json`: what its printf writes are lines of JSON (json.rs), each with as
//! many printf as it takes; it says itself what it has lost.

use super::cursor::{Cursor, Parsed, Wrong};
use super::{Parser, json};
use crate::event::What;
use serde_json::Value;

/// The line that is not whole yet.
#[derive(Default)]
pub struct Bpftrace {
    line: String,
}

/// The kinds of `-f json` that say nothing of calls; those with `@` are maps.
const OTHERS: [&str; 5] = ["attached_probes", "map", "hist", "stats", "helper_error"];

/// The head of its text.
pub fn is_line(line: &str) -> bool {
    let count = line.strip_prefix("Attaching ");
    count.is_some_and(|rest| rest.ends_with(" probes...") || rest.ends_with(" probe..."))
}

impl Parser for Bpftrace {
    fn line(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        if line.starts_with("{\"type\"") {
            return self.json(line);
        }
        if is_line(line) || line.starts_with('@') {
            return Ok(Vec::new());
        }
        let mut cursor = Cursor::new(line);
        if cursor.eat("Lost ") {
            let count = cursor.decimal("how many events")?;
            return Ok(vec![(0, What::Lost(Some(count)))]);
        }
        json::event(line).map(|event| vec![event])
    }
}

impl Bpftrace {
    fn json(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        let value: Value = serde_json::from_str(line).map_err(|error| Wrong {
            at: error.column().saturating_sub(1),
            wanted: format!("JSON ({error})"),
        })?;
        let wrong = |wanted: &str| Wrong {
            at: 0,
            wanted: wanted.into(),
        };
        let full = value["helper"] == "perf_event_output";
        match value["type"].as_str() {
            Some("printf") => {
                let text = value["data"].as_str();
                self.text(text.ok_or_else(|| wrong("text as data"))?)
            }
            Some("lost_events") => Ok(vec![(0, What::Lost(value["data"]["events"].as_u64()))]),
            Some("helper_error") if full => Ok(vec![(0, What::Lost(Some(1)))]),
            Some(other) if OTHERS.contains(&other) => Ok(Vec::new()),
            _ => Err(wrong("a type of bpftrace's output")),
        }
    }

    /// The lines that end in this text.
    fn text(&mut self, text: &str) -> Parsed<Vec<(i64, What)>> {
        self.line += text;
        let all = std::mem::take(&mut self.line);
        let end = all.rfind('\n').map_or(0, |at| at + 1);
        self.line = all[end..].into();
        let lines = all[..end].lines().filter(|line| !line.trim().is_empty());
        lines.map(json::event).collect()
    }
}
