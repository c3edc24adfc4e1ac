//! How does a freestanding test program, one of this directory, get built like a fixture: from the
//! same library, with the same link flags?

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// Where the tests of this package build.
pub const SCRATCH: &str = env!("CARGO_TARGET_TMPDIR");

/// A cargo that builds in a directory of its own, and is not told what the one that runs us was.
pub fn cargo(subcommand: &str, target_dir: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .current_dir(ioworkload_tests::root())
        .env_remove("FIXTURE_TMP")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .args([subcommand, "--quiet", "--locked", "-p", "ioworkload"])
        .arg("--target-dir")
        .arg(Path::new(SCRATCH).join(target_dir));
    cargo
}

/// Builds the program NAME.rs of this directory, with further flags for rustc.
///
/// # Errors
/// What the compiler said.
#[allow(
    dead_code,
    reason = "not every test builds only one program from a source"
)]
pub fn compile(name: &str, flags: &[String]) -> Result<PathBuf, String> {
    compile_as(name, name, flags)
}

/// The same for one of several programs from one source.
///
/// # Errors
/// What the compiler said.
pub fn compile_as(name: &str, source: &str, flags: &[String]) -> Result<PathBuf, String> {
    static KIT: LazyLock<Kit> = LazyLock::new(Kit::new);
    let source = Path::new("tests/programs")
        .join(source)
        .with_extension("rs");
    let program = Path::new(SCRATCH).join("programs").join(name);
    fs::create_dir_all(program.with_file_name("")).expect("target/ can be written");
    let mut rustc = Command::new("rustc");
    rustc
        .current_dir(ioworkload_tests::root())
        .env("CARGO_BIN_NAME", name)
        .args(["--edition=2024", "--target=x86_64-unknown-linux-gnu"])
        .args(["-Copt-level=z", "-Clto=fat", "-Cpanic=abort", "-Dwarnings"])
        .args(KIT.flags.iter().chain(flags))
        .args([Path::new("-o"), &program, &source]);
    let output = rustc.output().expect("rustc starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    output.status.success().then_some(program).ok_or(said)
}

/// What a program is built with, besides the compiler.
struct Kit {
    flags: Vec<String>,
}

impl Kit {
    /// Builds the library, and asks cargo for its place and for what its build script has said.
    fn new() -> Self {
        let said = library();
        let of_library = |said: &&Value| said["target"]["kind"][0] == "lib";
        let library = said.iter().rfind(of_library).expect("it comes last");
        let script = |said: &&Value| !said["out_dir"].is_null() && of_one(said, library);
        let script = said.iter().find(script).expect("it has a build script");
        let library = path(&library["filenames"][0]);
        let mut flags = link_flags(path(&script["out_dir"]));
        flags.push(format!("--extern=ioworkload={}", library.display()));
        flags.push(format!(
            "-Ldependency={}",
            library.with_file_name("deps").display()
        ));
        Self { flags }
    }
}

/// What cargo says while it builds the library and what that depends on.
fn library() -> Vec<Value> {
    let mut cargo = cargo("build", "library");
    cargo.args(["--release", "--lib", "--message-format=json"]);
    let output = cargo
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "the library does not build");
    let lines = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    lines.map(|line| line.expect("cargo speaks JSON")).collect()
}

fn of_one(one: &Value, other: &Value) -> bool {
    one["package_id"] == other["package_id"]
}

fn path(value: &Value) -> &Path {
    Path::new(value.as_str().expect("a path"))
}

/// The flags that src/build.rs gives the linker: so they are written in one place only.
fn link_flags(out_dir: &Path) -> Vec<String> {
    let script = out_dir.with_file_name("output");
    let script = fs::read_to_string(script).expect("cargo keeps what a build script says");
    let flags = script
        .lines()
        .filter_map(|line| line.strip_prefix("cargo::rustc-link-arg-bins="));
    flags.map(|flag| format!("-Clink-arg={flag}")).collect()
}
