//! `bpftrace -f json`: what its printf writes is a line of JSON of ours; it says what it has lost.

use super::cursor::{Parsed, Wrong};
use super::{Parser, json};
use crate::event::What;
use serde_json::Value;

pub struct Bpftrace;

/// The kinds of line that say nothing of calls.
const OTHERS: [&str; 3] = ["attached_probes", "map", "hist"];

impl Parser for Bpftrace {
    fn line(&mut self, line: &str) -> Parsed<Vec<(i64, What)>> {
        let wrong = |wanted: &str| Wrong {
            at: 0,
            wanted: wanted.into(),
        };
        let value: Value = serde_json::from_str(line).map_err(|error| wrong(&error.to_string()))?;
        match value["type"].as_str() {
            Some("printf") => {
                let text = value["data"]
                    .as_str()
                    .ok_or_else(|| wrong("text as data"))?;
                let lines = text.lines().filter(|line| !line.trim().is_empty());
                lines.map(json::event).collect()
            }
            Some("lost_events") => Ok(vec![(0, What::Lost(value["data"]["events"].as_u64()))]),
            Some(other) if OTHERS.contains(&other) => Ok(Vec::new()),
            _ => Err(wrong("a type of bpftrace's output")),
        }
    }
}
