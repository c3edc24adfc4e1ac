//! Does the bench work, and are the pictures and the tables those of its figures?

use ioworkload_tests::peers::{LIMIT, OURS, SCENARIOS};
use ioworkload_tests::root;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const PICTURES: [&str; 4] = ["noise.svg", "start.svg", "size.svg", "growth.svg"];

/// A copy of what the bench writes.
fn place() -> TempDir {
    let place = TempDir::new().expect("a temporary directory");
    let copy = |from: &Path, name| fs::copy(from.join(name), place.path().join(name));
    for name in PICTURES.iter().chain(&["data.json", "README.md"]) {
        copy(&root().join("tests/bench"), name).expect(name);
    }
    place
}

fn bench(place: &Path, args: &[&str]) -> Output {
    let mut bench = Command::new(env!("CARGO_BIN_EXE_bench"));
    bench.args(args).arg("--into").arg(place);
    bench.arg("--readme").arg(place.join("README.md"));
    bench.output().expect("the bench starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The files in a place that are not those of the source tree.
fn changed(place: &Path) -> Vec<&'static str> {
    let home = root().join("tests/bench");
    let same = |name: &&str| {
        fs::read(home.join(name)).expect(name) == fs::read(place.join(name)).expect(name)
    };
    let names = PICTURES.into_iter().chain(["README.md"]);
    names.filter(|name| !same(name)).collect()
}

#[test]
fn pictures_and_tables_are_those_of_the_figures() {
    let place = place();
    for name in PICTURES {
        fs::remove_file(place.path().join(name)).expect(name);
    }
    let output = bench(place.path(), &["--draw"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(changed(place.path()), [""; 0]);
}

#[test]
fn another_figure_is_another_picture() {
    let getevents = row(OURS, "aio-getevents");
    let einval = row(OURS, "aio-setup-einval");
    let rows: [(String, &[&str]); 5] = [
        (format!("{getevents}/noise/1"), &["noise.svg", "README.md"]),
        (format!("{einval}/micros"), &["start.svg", "README.md"]),
        (format!("{getevents}/bytes"), &["size.svg", "README.md"]),
        ("/repeat/0/micros".into(), &["growth.svg"]),
        ("/tracers/1/nanos".into(), &["README.md"]),
    ];
    for (figure, files) in rows {
        let place = place();
        let file = place.path().join("data.json");
        let mut data = read(&file);
        let value = data.pointer_mut(&figure).expect("a figure");
        *value = (value.as_f64().expect("a number") as u64 + 1000).into();
        fs::write(&file, data.to_string()).expect("it is ours");
        let output = bench(place.path(), &["--draw"]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert_eq!(changed(place.path()), files, "{figure}");
    }
}

fn read(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file).expect("figures")).expect("JSON")
}

/// The way to a row in the figures.
fn row(variant: &str, scenario: &str) -> String {
    let data = read(&root().join("tests/bench/data.json"));
    let rows = data["rows"].as_array().expect("rows");
    let is_it = |row: &Value| row["variant"] == variant && row["scenario"] == scenario;
    format!("/rows/{}", rows.iter().position(is_it).expect("a row"))
}

#[test]
fn a_quick_run_measures_all() {
    let place = place();
    let output = bench(
        place.path(),
        &[
            "--quick",
            "--variant=ioworkload",
            "--variant=c-freestanding",
        ],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let data = read(&place.path().join("data.json"));
    let rows = data["rows"].as_array().expect("rows");
    let with_exit = SCENARIOS.len() * 3 + 1;
    assert_eq!(rows.len(), with_exit);
    for row in rows {
        let text = |key: &str| row[key].as_str().expect("text").to_owned();
        let number = |key: &str| row[key].as_f64().expect("a number");
        assert_eq!(row["noise"], serde_json::json!([0, 0]), "{row}");
        let ends = (number("threads"), number("sequences"));
        assert_eq!(ends, (0.0, 1.0), "{row}");
        for key in [
            "bytes",
            "faults",
            "peak_kib",
            "instructions",
            "micros",
            "ratio",
        ] {
            assert!(number(key) > 0.0, "{key}: {row}");
        }
        let program = ioworkload_tests::peers::program(&text("variant"), &text("scenario"));
        let bytes = fs::metadata(program).expect("a program").len();
        assert_eq!(row["bytes"], bytes);
        if text("variant") == LIMIT && text("scenario") != "exit" {
            assert_eq!(row["ratio"], 1.0);
        }
    }
    let count = |key: &str| data[key].as_array().expect(key).len();
    let counts = ["burst", "tracers", "repeat", "copies"].map(count);
    assert_eq!(counts, [2, 5, 3, 3]);
    assert_eq!(changed(place.path()).len(), PICTURES.len() + 1);
}

#[test]
fn what_is_wrong_is_said() {
    let place = place();
    let path = place.path();
    let output = bench(path, &["--quick", "--variant=cobol"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    fs::write(path.join("README.md"), "no mark").expect("it is ours");
    let output = bench(path, &["--draw"]);
    let said = format!(
        "make bench: {}/README.md: no place for the table\n",
        path.display()
    );
    assert_eq!((output.status.code(), stderr(&output)), (Some(1), said));
    fs::remove_file(path.join("data.json")).expect("it is ours");
    let output = bench(path, &["--draw"]);
    let said = format!("make bench: {}/data.json: No such file", path.display());
    assert!(stderr(&output).starts_with(&said), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(1));
}
