//! The expected traces, put into the library.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    let here = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let traces = Path::new(&here).join("../../tests/expected");
    println!("cargo::rerun-if-changed={}", traces.display());
    let mut table = String::from("[\n");
    for (name, file) in named(&traces, ".json") {
        writeln!(table, "({name:?}, include_str!({file:?})),").expect("a String has room");
    }
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("expected.in"), table + "]")
        .expect("cargo's own directory can be written");
}

/// The files of a directory whose names end so: what stands before that, and the path; sorted.
fn named(directory: &Path, end: &str) -> Vec<(String, String)> {
    let files = directory.read_dir().expect("a directory of ours");
    let paths = files.map(|file| file.expect("a file").path());
    let mut named: Vec<_> = paths
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(end)?;
            Some((name.to_owned(), path.to_str()?.to_owned()))
        })
        .collect();
    named.sort();
    named
}
