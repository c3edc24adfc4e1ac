//! Is every expected trace what the README says that it is: valid by the schema, laid out line by
//! line, named as its file, and are the examples that use them right?

use ioworkload_tests::expected::path;
use ioworkload_tests::room::Room;
use ioworkload_tests::{root, said, scenarios, shipped, strace, target, writer};
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn schema() -> Validator {
    let file = root().join("tests/expected-trace.schema.json");
    let schema = fs::read_to_string(file).expect("the schema is there");
    let schema = serde_json::from_str(&schema).expect("JSON");
    jsonschema::meta::validate(&schema).expect("a schema");
    jsonschema::validator_for(&schema).expect("a schema")
}

fn text(scenario: &str) -> String {
    fs::read_to_string(path(scenario)).expect("a trace")
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

fn example() -> PathBuf {
    root().join("tests/examples/compare.py")
}

#[test]
fn the_readme_shows_the_example() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a README");
    for (kind, name) in [("python", "compare.py"), ("text", "events.bt")] {
        let example = root().join("tests/examples").join(name);
        let example = fs::read_to_string(example).expect("the example");
        let shown = format!("\n```{kind} {name}\n{example}```\n");
        assert!(readme.contains(&shown), "README.md shows another {name}");
    }
    let example = fs::read_to_string(example()).expect("the example");
    assert!(example.lines().count() <= 20, "that is no example any more");
}

/// The events of a tracer, here of strace, as the example reads them.
fn lines(scenario: &str) -> Vec<Value> {
    let room = Room::new();
    let seen = strace::witness(&shipped(scenario), &|command| room.as_tmp(command));
    let calls = seen.expect("strace sees it").calls.into_iter();
    let line = |call: ioworkload_tests::trace::Call| {
        let mut line = vec![json!(call.nr)];
        line.extend(call.args.into_iter().map(Value::from));
        line.push(json!(call.ret));
        Value::from(line)
    };
    calls.map(line).collect()
}

/// What the example says to such events, and with which exit code.
fn judge(scenario: &str, lines: &[Value]) -> (Option<i32>, String) {
    judge_by(&path(scenario), lines)
}

fn judge_by(trace: &Path, lines: &[Value]) -> (Option<i32>, String) {
    let mut python = Command::new("python3");
    python.arg(example()).arg(trace);
    python.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut python = python.spawn().expect("python3 starts");
    let lines: Vec<_> = lines.iter().map(ToString::to_string).collect();
    let mut stdin = python.stdin.take().expect("a pipe");
    stdin
        .write_all(lines.join("\n").as_bytes())
        .expect("it reads");
    drop(stdin);
    let output = python.wait_with_output().expect("it ends");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn the_example_agrees() {
    for scenario in scenarios() {
        let mut lines = lines(&scenario);
        let verdict = judge(&scenario, &lines);
        assert_eq!(verdict, (Some(0), String::new()), "{scenario}");
        lines.iter_mut().for_each(with_six_registers);
        let verdict = judge(&scenario, &lines);
        assert_eq!(
            verdict,
            (Some(0), String::new()),
            "{scenario}, six registers"
        );
    }
}

/// What raw_syscalls delivers: behind the call's own arguments stands what was there before.
fn with_six_registers(line: &mut Value) {
    let line = line.as_array_mut().expect("a list");
    while line.len() < 8 {
        line.insert(line.len() - 1, json!(0x1eff_0eff));
    }
}

#[test]
fn the_example_notices() {
    let good = lines("aio-getevents");
    let differs = |change: &dyn Fn(&mut Vec<Value>), saw: &str| {
        let mut lines = good.clone();
        change(&mut lines);
        let (code, said) = judge("aio-getevents", &lines);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.ends_with(&format!("saw {saw}\n")), "{said}");
    };
    differs(&|lines| lines.insert(4, json!([39, 7])), "[39, 7]");
    differs(&|lines| drop(lines.remove(7)), "[None, None]");
    differs(&|lines| lines.push(json!([39, 7])), "[39, 7]");
    differs(&|lines| lines[7][1] = json!(1), "[231, 1, None]");
    differs(&|lines| lines[5][1] = json!(9), "[3, 9, 0]");
    let burst = lines("aio-burst");
    let (code, said) = judge("aio-burst", &burst[..burst.len() - 3]);
    assert_eq!(code, Some(1), "{said}");
}

/// One name, one address; two names, two; never 0. A name that a round binds is forgotten at its end.
#[test]
fn the_example_keeps_names_apart() {
    let good = lines("aio-getevents");
    let with = |at: usize, argument: usize, value: Value| {
        let mut lines = good.clone();
        lines[at][argument] = value;
        judge("aio-getevents", &lines).0
    };
    assert_eq!(with(1, 2, json!(0)), Some(1), "no address");
    assert_eq!(with(1, 2, good[0][2].clone()), Some(1), "another's address");
    assert_eq!(with(2, 1, json!(12345)), Some(1), "another context");
    let batch = |contexts: [u64; 2]| {
        let round = |ctx| [json!([206, 32, 4096, 0]), json!([207, ctx, 0])];
        let mut lines: Vec<_> = contexts.into_iter().flat_map(round).collect();
        lines.push(json!([231, 0, null]));
        judge_by(&two_rounds(), &lines).0
    };
    assert_eq!(batch([7, 9]), Some(0), "another context in each round");
}

/// An expected trace of two rounds.
fn two_rounds() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("two-rounds.json");
    let mut ioworkload = Command::new(shipped("ioworkload"));
    let output = ioworkload
        .args(["--expect=aio-setup", "--repeat=2"])
        .output();
    fs::write(&path, output.expect("it starts").stdout).expect("it is ours");
    path
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
