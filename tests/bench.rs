//! Does the bench work, and are the pictures and the tables those of its figures?

use ioworkload_tests::peers::{LIMIT, OURS, SCENARIOS, program};
use ioworkload_tests::{root, said};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

const WRITTEN: [&str; 4] = ["noise.svg", "start.svg", "size.svg", "README.md"];

/// A copy of what the bench writes.
fn place() -> TempDir {
    let place = TempDir::new().expect("a temporary directory");
    for name in WRITTEN.iter().chain(&["data.json"]) {
        let copied = fs::copy(
            root().join("tests/bench").join(name),
            place.path().join(name),
        );
        copied.expect(name);
    }
    place
}

/// Its exit code and what it says on stderr.
fn bench(place: &Path, args: &[&str]) -> (Option<i32>, String) {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench.args(args).arg("--into").arg(place);
    let (code, _, stderr) = said(&mut bench);
    (code, stderr)
}

const FINE: (Option<i32>, String) = (Some(0), String::new());

/// The files in a place that are not those of the source tree.
fn changed(place: &Path) -> Vec<&'static str> {
    let read = |from: &Path, name| fs::read(from.join(name)).expect(name);
    let home = root().join("tests/bench");
    let mut names = WRITTEN.to_vec();
    names.retain(|name| read(&home, name) != read(place, name));
    names
}

fn data(place: &Path) -> Value {
    let text = fs::read(place.join("data.json")).expect("figures");
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn pictures_and_tables_are_those_of_the_figures() {
    let place = place();
    for name in &WRITTEN[..3] {
        fs::remove_file(place.path().join(name)).expect(name);
    }
    assert_eq!(bench(place.path(), &["--draw"]), FINE);
    assert_eq!(changed(place.path()), [""; 0]);
}

#[test]
fn another_figure_is_another_picture() {
    let rows = [
        (("aio-getevents", "noise"), &["noise.svg", "README.md"][..]),
        (("aio-setup-einval", "micros"), &["start.svg", "README.md"]),
        (("aio-getevents", "bytes"), &["size.svg", "README.md"]),
        (("aio-getevents", "instructions"), &["README.md"]),
    ];
    for ((scenario, figure), files) in rows {
        let place = place();
        let mut data = data(place.path());
        let rows = data["rows"].as_array_mut().expect("rows");
        let mut rows = rows.iter_mut();
        let row = rows.find(|row| row["variant"] == OURS && row["scenario"] == scenario);
        let value = &mut row.expect("a row")[figure];
        *value = if value.is_array() {
            json!([1000, 1000])
        } else {
            json!(1000)
        };
        fs::write(place.path().join("data.json"), data.to_string()).expect("it is ours");
        assert_eq!(bench(place.path(), &["--draw"]), FINE);
        assert_eq!(changed(place.path()), files, "{figure}");
    }
}

#[test]
fn a_quick_run_measures_all() {
    let place = place();
    let few = [
        "--quick",
        "--variant=ioworkload",
        "--variant=c-freestanding",
    ];
    let said = SCENARIOS.join("\n") + "\naio-burst\n";
    assert_eq!(bench(place.path(), &few), (Some(0), said));
    let data = data(place.path());
    let rows = data["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), SCENARIOS.len() * 3 + 1);
    for row in rows {
        let of = |key: &str| row[key].as_str().expect("text").to_owned();
        let exact = ["noise", "threads", "sequences"].map(|key| row[key].clone());
        assert_eq!(exact, [json!([0, 0]), json!(0), json!(1)], "{row}");
        for key in ["faults", "peak_kib", "instructions", "micros", "ratio"] {
            assert!(row[key].as_f64() > Some(0.0), "{key}: {row}");
        }
        let file = fs::metadata(program(&of("variant"), &of("scenario")));
        assert_eq!(row["bytes"], file.expect("a program").len());
        if of("variant") == LIMIT && of("scenario") != "exit" {
            assert_eq!(row["ratio"], 1.0);
        }
    }
    assert_eq!(data["burst"].as_array().map(Vec::len), Some(2));
    assert_eq!(changed(place.path()), WRITTEN);
}

#[test]
fn what_is_wrong_is_said() {
    let place = place();
    let path = place.path();
    assert_eq!(bench(path, &["--quick", "--variant=cobol"]).0, Some(2));
    fs::write(path.join("README.md"), "no mark").expect("it is ours");
    let said = |file: &str, what| {
        let text = format!("make bench: {}/{file}: {what}\n", path.display());
        (Some(1), text)
    };
    let wanted = said("README.md", "no place for the table");
    assert_eq!(bench(path, &["--draw"]), wanted);
    fs::remove_file(path.join("data.json")).expect("it is ours");
    let wanted = said("data.json", "No such file or directory (os error 2)");
    assert_eq!(bench(path, &["--draw"]), wanted);
}
