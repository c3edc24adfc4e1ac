//! What the program carries: the expected traces, and the finished fixtures.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../..");
    let traces = files(&root.join("tests/expected"), ".json");
    table("expected.in", "include_str", &traces);
    let fixtures = files(&fixtures(&root), "");
    table("fixtures.in", "include_bytes", &fixtures);
}

/// Where `make` leaves the finished fixtures. Where there are none, the library is complete, and the
/// program says that it has none.
fn fixtures(root: &Path) -> PathBuf {
    println!("cargo::rerun-if-env-changed=CARGO_TARGET_DIR");
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root.join(target).join("fixtures")
}

/// The files of a directory whose names end so, sorted: what stands before that, and the path.
fn files(directory: &Path, end: &str) -> Vec<(String, PathBuf)> {
    println!("cargo::rerun-if-changed={}", directory.display());
    let files = directory.read_dir().into_iter().flatten();
    let paths = files.map(|file| file.expect("a file").path());
    let named = |path: PathBuf| {
        let name = path.file_name()?.to_str()?.strip_suffix(end)?.to_owned();
        // Not one that make has not finished yet.
        (!name.contains('.')).then_some((name, path))
    };
    let mut files: Vec<_> = paths.filter_map(named).collect();
    files.sort();
    files
}

fn table(name: &str, include: &str, files: &[(String, PathBuf)]) {
    let mut table = String::from("[\n");
    for (name, path) in files {
        let path = path.to_str().expect("a path that is text");
        writeln!(table, "({name:?}, {include}!({path:?})),").expect("a String has room");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join(name);
    fs::write(out, table + "]").expect("cargo's own directory can be written");
}
