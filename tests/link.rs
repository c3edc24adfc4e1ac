//! Does what should link do so, however it is built, and is what must not link refused with a word?

mod programs;

use ioworkload::cli::VERSION;
use ioworkload_tests::room::Room;
use ioworkload_tests::{said, scenarios};
use object::LittleEndian;
use object::elf::{ET_EXEC, FileHeader64};
use object::read::elf::FileHeader;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Exit code, stdout, stderr.
type End = (Option<i32>, String, String);

fn ends(code: i32, stderr: &str) -> End {
    (Some(code), String::new(), stderr.into())
}

const WRITABLE: &str = "linker.ld: a static that can be written. Everything the kernel fills or \
    reads lives on the stack: make it a local or a const.";
const THREAD_LOCAL: &str = "linker.ld: a thread-local variable. There is no TLS without a runtime: \
    pass the value along.";
const RELOCATION: &str = "linker.ld: a relocation is left for run time, and nobody would apply it. \
    Is -Crelocation-model=static missing (.cargo/config.toml; RUSTFLAGS replaces it)?";

fn refused(program: &str, why: &str) {
    let said = programs::compile(program, &[]).expect_err("it must not link");
    let errors = said
        .lines()
        .filter_map(|line| line.split_once("lld: error: "));
    let errors: Vec<_> = errors.map(|(_, error)| error).collect();
    assert_eq!(errors, [why], "{said}");
}

#[test]
fn a_writable_static_is_refused() {
    refused("writable_static", WRITABLE);
    refused("writable_data", WRITABLE);
}

#[test]
fn a_section_that_the_script_does_not_know_is_refused() {
    let said = programs::compile("writable_stranger", &[]).expect_err("it must not link");
    let error = "(.stranger) is being placed in '.stranger'\n";
    assert!(said.contains(error), "{said}");
}

#[test]
fn a_thread_local_variable_is_refused() {
    refused("thread_local", THREAD_LOCAL);
}

#[test]
fn a_relocation_at_run_time_is_refused() {
    refused("relocation", RELOCATION);
}

#[test]
fn a_panic_has_its_line_and_its_code() {
    let program = programs::compile("panics", &[]).expect("it links");
    assert_eq!(
        said(&mut Command::new(program)),
        ends(101, "panics: panic: this is a bug\n")
    );
}

/// Builds with cargo in `directory`, and returns the place of the programs.
fn built(directory: &str, args: &[&str], variable: (&str, &str)) -> PathBuf {
    let mut cargo = programs::cargo("build", directory);
    cargo.args(args).env(variable.0, variable.1);
    assert_eq!(said(&mut cargo), ends(0, ""));
    let triple = Path::new(programs::SCRATCH)
        .join(directory)
        .join("x86_64-unknown-linux-gnu");
    triple.join("debug")
}

fn runs(program: &Path) {
    let room = Room::new();
    let mut command = Command::new(program);
    room.as_tmp(&mut command);
    assert_eq!(said(&mut command), ends(0, ""), "{}", program.display());
    assert_eq!(room.names(), [""; 0], "{}", program.display());
}

#[test]
fn a_development_build_runs() {
    let programs = built("dev", &[], ("FIXTURE_TMP", "/tmp"));
    for scenario in scenarios() {
        runs(&programs.join(scenario));
    }
    let ioworkload = said(Command::new(programs.join("ioworkload")).arg("--version"));
    assert_eq!(ioworkload, (Some(0), format!("{VERSION}\n"), String::new()));
}

/// The variable RUSTFLAGS replaces the flags of .cargo/config.toml.
#[test]
fn a_build_with_the_users_flags_runs() {
    let flags = ("RUSTFLAGS", "-Cdebuginfo=0");
    let program = built("rustflags", &["--bin=aio-submit"], flags).join("aio-submit");
    let file = fs::read(&program).expect("a program");
    let header = FileHeader64::<LittleEndian>::parse(&*file).expect("ELF");
    assert_eq!(header.e_type(LittleEndian), ET_EXEC);
    runs(&program);
}

#[test]
fn the_directory_of_target_files_is_fixed_when_building() {
    let longest = format!("/no-such-{}", "x".repeat(91));
    for directory in ["/no-such-directory", &longest] {
        let variable = ("FIXTURE_TMP", directory);
        let program = built("fixture-tmp", &["--bin=aio-submit"], variable).join("aio-submit");
        let line = "aio-submit: openat: ENOENT (errno 2)";
        let line = format!("{line}: {directory}/ioworkload-aio-submit\n");
        assert_eq!(said(&mut Command::new(program)), ends(77, &line));
    }
}

/// The traces that are built in have the paths that are built in, in JSON's letters.
#[test]
fn another_directory_is_expected_too() {
    let variable = ("FIXTURE_TMP", r#"/no-"such\directory"#);
    let program = built("fixture-tmp", &["--bin=ioworkload"], variable).join("ioworkload");
    let (code, text, _) = said(Command::new(program).arg("--expect=aio-submit"));
    let trace: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let path = format!("{}/ioworkload-aio-submit", variable.1);
    assert_eq!(trace["calls"][0]["in"]["&path"], path.as_str());
    let file = fs::read_to_string(ioworkload_tests::trace_file("aio-submit")).expect("a trace");
    let escaped = path.replace('\\', r"\\").replace('"', "\\\"");
    let wanted = file.replace("/tmp/ioworkload-aio-submit", &escaped);
    assert_eq!((code, text), (Some(0), wanted));
}

#[test]
fn a_bad_directory_of_target_files_fails_the_build() {
    let long = format!("/{}", "x".repeat(100));
    for bad in [
        "",
        "relative",
        "./here",
        "/",
        "/slash/",
        "/with blank",
        "/t\u{e4}st",
        &long,
    ] {
        let mut cargo = programs::cargo("build", "bad-fixture-tmp");
        let (code, stdout, stderr) = said(cargo.arg("--lib").env("FIXTURE_TMP", bad));
        assert_eq!((code, stdout.as_str()), (Some(101), ""), "{bad}");
        let said = stderr
            .lines()
            .find(|line| line.trim_start().starts_with("FIXTURE_TMP="));
        assert_eq!(
            said.map(str::trim_start),
            Some(refusal(bad).as_str()),
            "{stderr}"
        );
    }
}

fn refusal(directory: &str) -> String {
    format!(
        "FIXTURE_TMP={directory:?}: what is needed is an absolute path of at most 100 printable \
         characters, without a slash at its end"
    )
}
