//! Is every expected trace what the README says that it is: valid by the schema, laid out line by
//! line, named as its file, and are the examples that use them right?

use ioworkload_check::formats::{Format, read};
use ioworkload_tests::room::Room;
use ioworkload_tests::{root, said, scenarios, target, trace_file, writer};
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

fn schema() -> Validator {
    let file = root().join("tests/expected-trace.schema.json");
    let schema = fs::read_to_string(file).expect("the schema is there");
    let schema = serde_json::from_str(&schema).expect("JSON");
    jsonschema::meta::validate(&schema).expect("a schema");
    jsonschema::validator_for(&schema).expect("a schema")
}

/// The schema of a tracer's lines, and their reader: whatever one takes, the other takes. Two things
/// can't be said in a schema: `1.0` is an integer there, and a list ends with a result.
#[test]
fn events_have_a_schema() {
    let file = root().join("src/check/events.schema.json");
    let schema = fs::read_to_string(file).expect("the schema is there");
    let schema = serde_json::from_str(&schema).expect("JSON");
    jsonschema::meta::validate(&schema).expect("a schema");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    for (line, valid) in EVENTS {
        let value: Value = serde_json::from_str(line).expect(line);
        let read = read(Format::Json, line.as_bytes()).all(|event| event.is_ok());
        assert_eq!((schema.is_valid(&value), read), (*valid, *valid), "{line}");
    }
}

const EVENTS: &[(&str, bool)] = &[
    ("[206, 32, 140729412104, 0]", true),
    (r#"[206, "0x20", null, -14]"#, true),
    ("[231, 0, null]", true),
    ("[39, 7]", true),
    ("[39]", false),
    ("[]", false),
    ("[-1, 0]", false),
    (r#"["io_setup", 0]"#, false),
    ("[206, true, 0]", false),
    ("[206, 1.5, 0]", false),
    (r#"[206, "0x", 0]"#, false),
    (r#"[206, "0x10000000000000000", 0]"#, false),
    (r#"[206, "0x+1", 0]"#, false),
    (r"[206, 18446744073709551615, 0]", true),
    (r#"[206, [1, {"a": "O_RDWR"}], 0]"#, true),
    (r#"{"nr": 206}"#, true),
    (
        r#"{"name": "io_setup", "nr": 206, "args": [32], "ret": 0}"#,
        true,
    ),
    (
        r#"{"name": "io_setup", "ret": null, "pid": 1, "tid": 2, "ns": 3}"#,
        true,
    ),
    (r#"{"nr": 1, "ret": "0xfffffffffffffff2"}"#, true),
    (
        r#"{"nr": 1, "before": {"0x10": "00fF"}, "after": {}}"#,
        true,
    ),
    (r#"{"nr": 1, "before": {"10": "00"}}"#, false),
    (r#"{"nr": 1, "after": {"0x10": "0"}}"#, false),
    (r#"{"nr": 1, "after": {"0x10": "0g"}}"#, false),
    (r#"{"nr": 1, "ret": "EFAULT"}"#, false),
    (r#"{"nr": 1, "ns": -1}"#, false),
    (r#"{"nr": null, "name": "read"}"#, false),
    (r#"{"nr": 1, "args": null}"#, false),
    (r#"{"nr": 1, "exit": 0}"#, false),
    (r#"{"nr": 1, "nonsense": 0}"#, false),
    (r#"{"pid": 1}"#, false),
    ("{}", false),
    ("1", false),
    (r#"{"tid": 1, "fork": 2}"#, true),
    (r#"{"tid": 1, "fork": null}"#, false),
    (r#"{"tid": 1, "exec": "aio-setup"}"#, true),
    (r#"{"tid": 1, "exec": null}"#, true),
    (r#"{"tid": 1, "exec": 1}"#, false),
    (r#"{"signal": 14}"#, true),
    (r#"{"signal": 0}"#, false),
    (r#"{"signal": 65}"#, false),
    (r#"{"exit": 0}"#, true),
    (r#"{"killed": 9}"#, true),
    (r#"{"killed": 65}"#, false),
    (r#"{"lost": 12}"#, true),
    (r#"{"lost": null}"#, true),
    (r#"{"lost": "12"}"#, false),
    (r#"{"lost": 1, "exit": 1}"#, false),
];

fn text(scenario: &str) -> String {
    fs::read_to_string(trace_file(scenario)).expect("a trace")
}

fn trace(scenario: &str) -> Value {
    serde_json::from_str(&text(scenario)).expect("JSON")
}

#[test]
fn every_trace_is_valid() {
    let schema = schema();
    for scenario in scenarios() {
        let trace = trace(&scenario);
        assert_eq!(errors(&schema, &trace), [], "{scenario}");
        assert_eq!(trace["scenario"], scenario);
    }
}

#[test]
fn every_trace_is_laid_out() {
    for scenario in scenarios() {
        assert_eq!(
            text(&scenario),
            writer::file(&trace(&scenario)),
            "{scenario}"
        );
    }
}

#[test]
fn another_layout_is_noticed() {
    let good = text("aio-getevents");
    let call = r#"{"name": "io_destroy", "nr": 207, "args": ["$ctx"], "ret": 0}"#;
    let others = [
        r#"{"nr": 207, "name": "io_destroy", "args": ["$ctx"], "ret": 0}"#,
        r#"{"name": "io_destroy","nr": 207, "args": ["$ctx"], "ret": 0}"#,
        "{\"name\": \"io_destroy\", \"nr\": 207,\n \"args\": [\"$ctx\"], \"ret\": 0}",
        r#"{"name": "io_destroy", "nr": 207, "args": ["$ctx"], "ret": 0, "note": 1}"#,
    ];
    for other in others {
        assert_eq!(good.matches(call).count(), 1);
        let bad = good.replace(call, other);
        let value: Value = serde_json::from_str(&bad).expect("JSON");
        assert_ne!(bad, writer::file(&value), "{other}");
    }
}

/// Every place of a trace, spoilt one by one.
#[test]
fn a_broken_trace_is_refused() {
    let rows = [
        ("/format", json!(2), "1 was expected"),
        ("/scenario", json!("aio submit"), "does not match"),
        ("/about", json!("no sentence"), "does not match"),
        ("/calls", json!([]), "less than 1 item"),
        ("/children", json!([]), "less than 1 item"),
        ("/children", json!([{"repeat": 2}]), "'oneOf'"),
        (
            "/children",
            json!([{"repeat": 0, "children": [[{"name": "getpid", "nr": 39, "args": [], "ret": 1}]]}]),
            "'oneOf'",
        ),
        ("/note", json!(1), "'note' was unexpected"),
        ("/calls/0/name", json!("io-setup"), "does not match"),
        ("/calls/0/nr", json!("257"), "not of type"),
        ("/calls/0/nr", json!(-1), "the minimum of 0"),
        (
            "/calls/0/args",
            json!([1, 2, 3, 4, 5, 6, 7]),
            "more than 6 items",
        ),
        ("/calls/0/args/0", json!("fd"), "'oneOf'"),
        ("/calls/0/args/0", json!(-100), "'oneOf'"),
        (
            "/calls/0/args/0",
            json!(9_007_199_254_740_992_u64),
            "'oneOf'",
        ),
        ("/calls/0/args/0", json!("0x1f"), "'oneOf'"),
        ("/calls/0/args/0", json!(1.5), "'oneOf'"),
        ("/calls/0/args/0", json!(null), "'oneOf'"),
        ("/calls/0/ret", json!("&fd"), "'oneOf'"),
        ("/calls/0/ret", json!("0"), "'oneOf'"),
        (
            "/calls/0/ret",
            json!([0, 1]),
            "\"why\" is a required property",
        ),
        (
            "/calls/0/ret",
            json!({"min": 0, "max": 1}),
            "\"why\" is a required property",
        ),
        ("/calls/0/sys_exit", json!("-514"), "not of type"),
        ("/calls/0/why", json!(""), "shorter than 1"),
        ("/calls/0/in", json!({}), "less than 1 property"),
        ("/calls/0/in", json!({"path": "/tmp"}), "does not match"),
        ("/calls/2/in/&iocb", json!({}), "'anyOf'"),
        ("/calls/2/in/&iocb", json!({"aio_data": "text"}), "'anyOf'"),
        (
            "/calls/2/in/&iocb",
            json!({"aio_data": {"a": 1}}),
            "'anyOf'",
        ),
        ("/calls/0/out", json!({"&path": []}), "'anyOf'"),
        ("/calls/0/note", json!(1), "'note' was unexpected"),
        ("/calls/0/since", json!([]), "less than 1 item"),
        (
            "/calls/0/since",
            json!([{"kernel": "6.4"}]),
            "less than 2 properties",
        ),
        (
            "/calls/0/since",
            json!([{"kernel": 6, "ret": 0}]),
            "not of type",
        ),
        (
            "/calls/0/since",
            json!([{"ret": 0}]),
            "\"kernel\" is a required property",
        ),
        (
            "/calls/0",
            json!({"repeat": 0, "calls": [{"name": "getpid", "nr": 39, "args": [], "ret": 1}]}),
            "'anyOf'",
        ),
        (
            "/calls/0",
            json!({"repeat": 2, "calls": []}),
            "less than 1 item",
        ),
        (
            "/calls/0",
            json!({"repeat": {"min": 1, "max": 2}, "calls": [{"name": "getpid", "nr": 39, "args": [], "ret": 1}]}),
            "\"why\" is a required property",
        ),
    ];
    let schema = schema();
    for (place, value, why) in rows {
        let mut trace = trace("aio-getevents");
        put(&mut trace, place, value.clone());
        let errors = errors(&schema, &trace);
        let there = |at: &str| at.starts_with(place) || place.starts_with(at);
        let named = errors
            .iter()
            .any(|(at, error)| there(at) && error.contains(why));
        assert!(named, "{place}: {value}: {errors:#?}");
    }
}

/// Where each error is, and what is wrong there.
fn errors(schema: &Validator, trace: &Value) -> Vec<(String, String)> {
    let errors = schema.iter_errors(trace);
    let error = |e: ValidationError<'_>| (e.instance_path().to_string(), e.to_string());
    errors.map(error).collect()
}

#[test]
fn an_incomplete_trace_is_refused() {
    let schema = schema();
    for key in ["format", "scenario", "about", "calls"] {
        let mut trace = trace("aio-getevents");
        trace.as_object_mut().expect("an object").remove(key);
        let error = format!("{key:?} is a required property");
        assert_eq!(errors(&schema, &trace), [(String::new(), error)]);
    }
    for key in ["name", "nr", "args", "ret"] {
        let mut trace = trace("aio-getevents");
        trace["calls"][0]
            .as_object_mut()
            .expect("an object")
            .remove(key);
        let error = format!("{key:?} is a required property");
        let errors = errors(&schema, &trace);
        assert!(errors.contains(&("/calls/0".into(), error)), "{errors:?}");
    }
}

/// Puts a value in its place; the last step may be a key that is not there yet.
fn put(trace: &mut Value, place: &str, value: Value) {
    let (parent, key) = place.rsplit_once('/').expect("a place");
    let parent = trace.pointer_mut(parent).expect("a parent");
    match parent {
        Value::Array(items) => items[key.parse::<usize>().expect("a number")] = value,
        parent => parent[key] = value,
    }
}

/// One of the two that attach, in a shell that has these programs in front of the usual ones.
fn attach(example: &str, tracer: &str, programs: &Path) -> (Option<i32>, String) {
    let fixtures = target().join("fixtures");
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        programs.display(),
        fixtures.display()
    );
    let mut command = Command::new("timeout");
    command
        .arg("30")
        .arg(root().join("tests/examples").join(example));
    command.args([tracer, "aio-setup"]).env("PATH", path);
    let (code, stdout, stderr) = said(command.stdin(Stdio::null()));
    assert_eq!(stdout, "", "{example} {tracer}");
    (code, stderr)
}

#[test]
fn the_examples_know_their_tracers() {
    let nothing = Room::new();
    for (example, code) in [("attach.sh", 2), ("attach.py", 1)] {
        let wanted = (Some(code), format!("{example}: no such tracer: gdb\n"));
        assert_eq!(attach(example, "gdb", nothing.path()), wanted);
    }
}

/// A tracer that never gets ready: its code is the example's, at once.
#[test]
fn the_examples_end_with_their_tracer() {
    let programs = Room::new();
    let perf = programs.path().join("perf");
    fs::write(&perf, "#!/bin/sh\nexec 1>&-\nread -r line\nexit 3\n").expect("a room");
    fs::set_permissions(&perf, Permissions::from_mode(0o755)).expect("it is ours");
    for example in ["attach.sh", "attach.py"] {
        let (code, _) = attach(example, "perf", programs.path());
        assert_eq!(code, Some(3), "{example}");
    }
}
