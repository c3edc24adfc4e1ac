//! How an expected trace is laid out: one call per line, the keys in one order.

use serde_json::{Map, Value};

/// The keys of a call or a repetition, in the order in which they are written.
const KEYS: [&str; 12] = [
    "kernel", "repeat", "as", "name", "nr", "args", "ret", "sys_exit", "why", "in", "out", "since",
];

/// The file of a trace. Keys that the format does not know are not written.
#[must_use]
pub fn file(trace: &Value) -> String {
    let head = ["format", "scenario", "about"].map(|key| format!("  \"{key}\": {}", trace[key]));
    let mut parts = head.to_vec();
    parts.push(format!("  \"calls\": {}", entries(&trace["calls"], 2)));
    if let Some(children) = trace["children"].as_array() {
        let children = family(children, 4);
        parts.push(format!("  \"children\": {children}"));
    }
    format!("{{\n{}\n}}\n", parts.join(",\n"))
}

/// A list of children, each indented by so many blanks.
fn family(children: &[Value], indent: usize) -> String {
    let child = |child: &Value| match child["children"].as_array() {
        Some(some) => {
            let some = family(some, indent + 2);
            format!(
                "{:indent$}{{\"repeat\": {}, \"children\": {some}}}",
                "", child["repeat"]
            )
        }
        None => format!("{:indent$}{}", "", entries(child, indent)),
    };
    let children: Vec<_> = children.iter().map(child).collect();
    let end = indent - 2;
    format!("[\n{}\n{:end$}]", children.join(",\n"), "")
}

/// A list of calls, whose end is indented by so many blanks.
fn entries(list: &Value, indent: usize) -> String {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let entry = |entry: &Value| match entry.get("calls") {
        Some(calls) => {
            let head = line(entry);
            let head = head.trim_end_matches('}');
            let calls = entries(calls, indent + 2);
            format!("{:indent$}  {head}, \"calls\": {calls}}}", "")
        }
        None => format!("{:indent$}  {}", "", line(entry)),
    };
    let lines: Vec<_> = list.iter().map(entry).collect();
    format!("[\n{}\n{:indent$}]", lines.join(",\n"), "")
}

/// A call, or the head of a repetition.
fn line(entry: &Value) -> String {
    let pairs = KEYS.iter().filter_map(|key| Some((*key, entry.get(key)?)));
    let pairs = pairs.map(|(key, value)| match (key, value) {
        ("since", Value::Array(changes)) => {
            let changes: Vec<_> = changes.iter().map(line).collect();
            format!("\"since\": [{}]", changes.join(", "))
        }
        _ => format!("\"{key}\": {}", spaced(value)),
    });
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// JSON on one line, with a blank behind each comma and colon.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(spaced).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => pairs(object),
        other => other.to_string(),
    }
}

fn pairs(object: &Map<String, Value>) -> String {
    let pair = |(key, value): (&String, &Value)| format!("\"{key}\": {}", spaced(value));
    let pairs: Vec<_> = object.iter().map(pair).collect();
    format!("{{{}}}", pairs.join(", "))
}
