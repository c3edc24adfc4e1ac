//! The link flags of the freestanding programs, a reason in front of each; the directory of target
//! files; and the expected traces, with that directory in their paths.

use std::env::{self, VarError};
use std::fs;
use std::path::Path;

/// Only programs get these flags: the hosted tests are another package, and need the ordinary
/// start-up.
const LINK_FLAGS: &[&str] = &[
    // `_start` is our own, and there is no library.
    "-nostartfiles",
    "-nostdlib",
    // No interpreter, no dynamic section; ET_EXEC even where RUSTFLAGS has replaced
    // .cargo/config.toml.
    "-static",
    "-no-pie",
    // rustc asks for RELRO and an index of unwind tables: there is neither a GOT to protect nor
    // unwinding.
    "-Wl,-z,norelro",
    "-Wl,--no-eh-frame-hdr",
    // A build id would be a note, and a note a segment.
    "-Wl,--build-id=none",
];

/// Development builds go without these, for the debugger's sake.
const SHIPPED_FLAGS: &[&str] = &[
    // Nothing is in the file that the kernel doesn't read.
    "-Wl,--strip-all",
    "-Wl,-z,nosectionheader",
    // linker.ld knows every section. A stranger could be one that must be written.
    "-Wl,--orphan-handling=error",
];

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    println!("cargo::rerun-if-changed=linker.ld");
    println!("cargo::rustc-link-arg-bins=-T{root}/linker.ld");
    let shipped = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    for flag in LINK_FLAGS
        .iter()
        .chain(shipped.then_some(SHIPPED_FLAGS).into_iter().flatten())
    {
        println!("cargo::rustc-link-arg-bins={flag}");
    }
    println!("cargo::rerun-if-env-changed=FIXTURE_TMP");
    let tmp = fixture_tmp();
    println!("cargo::rustc-env=FIXTURE_TMP={tmp}");
    println!("cargo::rerun-if-changed=tests/expected");
    println!("cargo::rerun-if-changed=src/scenario");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    expected(Path::new(&root), Path::new(&out), &tmp);
}

/// Copies the expected trace of each story to where the story includes it from. A new story has none
/// yet: an empty text lets it be built and watched.
fn expected(root: &Path, out: &Path, tmp: &str) {
    let tmp = tmp.replace('\\', r"\\").replace('"', "\\\"");
    for story in fs::read_dir(root.join("src/scenario")).expect("a directory of ours") {
        let name = story.expect("a story").file_name();
        let name = name.to_str().expect("a name of ours").replace('_', "-");
        let name = name.replace(".rs", ".json");
        let text = fs::read_to_string(root.join("tests/expected").join(&name)).unwrap_or_default();
        let text = text.replace("/tmp/ioworkload-", &format!("{tmp}/ioworkload-"));
        fs::write(out.join(name), text).expect("cargo's own directory can be written");
    }
}

/// The directory of the target files, fixed when building: `/tmp`, or what `FIXTURE_TMP` says.
fn fixture_tmp() -> String {
    let directory = match env::var("FIXTURE_TMP") {
        Err(VarError::NotPresent) => "/tmp".into(),
        text => text.expect("FIXTURE_TMP is text"),
    };
    let sound = directory.starts_with('/') && !directory.ends_with('/') && directory.len() <= 100;
    let plain = directory.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(
        sound && plain,
        "FIXTURE_TMP={directory:?}: what is needed is an absolute path of at most 100 printable \
         characters, without a slash at its end"
    );
    directory
}
