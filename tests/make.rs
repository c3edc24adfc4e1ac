//! Does make say what it offers and what it misses?

use ioworkload_tests::{NOBODY, root, said};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn make(directory: &Path, args: &[&str]) -> Command {
    let mut make = Command::new(find("make").expect("make is there"));
    make.arg("-C")
        .arg(directory)
        .arg("--no-print-directory")
        .args(args);
    for outer in [
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "FIXTURE_TMP",
        "SCENARIO",
        "TRACER",
    ] {
        make.env_remove(outer);
    }
    make
}

fn run(mut command: Command) -> (Option<i32>, String, String) {
    said(&mut command)
}

#[test]
fn help_has_every_target_and_every_variable() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("a Makefile");
    let phony = makefile
        .lines()
        .find_map(|line| line.strip_prefix(".PHONY: "))
        .expect("targets");
    let (code, help, errors) = run(make(root(), &["help", "SCENARIO=aio-x"]));
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let entry = |line: &str| {
        line.strip_prefix("  ")?
            .split(' ')
            .next()
            .map(str::to_owned)
    };
    let entries: Vec<_> = help.lines().filter_map(entry).collect();
    // Each variable, and the line above it.
    let lines: Vec<_> = makefile.lines().collect();
    let variable = |pair: &[&str]| {
        let (name, _) = pair[1].split_once(" ?=")?;
        let is_name = |byte: u8| byte.is_ascii_uppercase() || byte == b'_';
        name.bytes().all(is_name).then_some(())?;
        let meaning = pair[0].strip_prefix("## ").expect("a meaning");
        Some((name.to_owned(), meaning.to_owned()))
    };
    let variables: Vec<_> = lines.windows(2).filter_map(variable).collect();
    let names = variables.iter().map(|(name, _)| name.as_str());
    let wanted: Vec<_> = phony.split(' ').chain(names).collect();
    assert_eq!(entries, wanted);
    let told = help
        .lines()
        .skip_while(|line| !line.starts_with("Variables"));
    for (line, (name, meaning)) in told.skip(1).zip(&variables) {
        assert!(line.starts_with(&format!("  {name:<11} = ")), "{line}");
        assert!(line.ends_with(&format!("  {meaning}")), "{line}");
    }
    assert!(help.contains("\n  SCENARIO    = aio-x  "), "{help}");
}

/// A place without this tree's file modes and without `missing`, for an ordinary user.
fn without(missing: &str) -> (TempDir, PathBuf) {
    let place = TempDir::new().expect("a temporary directory");
    fs::create_dir_all(place.path().join("src/package")).expect("a directory");
    for file in ["Makefile", "Cargo.toml", "src/package/package.mk"] {
        fs::copy(root().join(file), place.path().join(file)).expect("a copy");
    }
    let bin = place.path().join("bin");
    fs::create_dir(&bin).expect("a directory");
    for tool in ["sh", "sed", "id", "true", "apt-get"] {
        symlink(find(tool).expect("Debian has it"), bin.join(tool)).expect("a link");
    }
    // What is only looked for can be anything.
    for tool in needed().difference(&BTreeSet::from([missing.to_owned()])) {
        symlink("true", bin.join(tool)).expect("a link");
    }
    let mut chmod = Command::new("chmod");
    let opened = chmod.args(["-R", "a+rX"]).arg(place.path()).status();
    assert!(opened.is_ok_and(|status| status.success()));
    (place, bin)
}

/// The commands in the Makefile's lists of what a goal needs.
fn needed() -> BTreeSet<String> {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("a Makefile");
    let lists = makefile.lines().filter_map(|line| {
        let list = line.strip_prefix("NEEDS_")?;
        Some(list.split_once(" = ")?.1.to_owned())
    });
    let needs: Vec<_> = lists.collect();
    let needs = needs.iter().flat_map(|list| list.split_whitespace());
    let commands = needs
        .filter_map(|need| need.split_once(':'))
        .map(|need| need.0);
    let commands = commands.filter(|command| !command.starts_with('/'));
    commands.map(str::to_owned).collect()
}

fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(tool))
        .find(|file| file.is_file())
}

/// What make says to an ordinary user who lacks a command.
fn says(missing: &str, args: &[&str]) -> (Option<i32>, String) {
    let (place, bin) = without(missing);
    let mut command = make(place.path(), args);
    command.env("PATH", bin);
    if nix::unistd::Uid::effective().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let (code, _, errors) = run(command);
    (code, errors.lines().next().unwrap_or_default().to_owned())
}

#[test]
fn what_is_missing_is_named() {
    // What is missing, the goal, and the package that make asks for.
    let rows = [
        ("strace", "need-run", "strace"),
        ("strace", "need-check", "strace"),
        ("strace", "need-test", "strace"),
        ("perf", "need-check", ""),
        ("runc", "need-test", "runc"),
        ("dpkg-deb", "deb", "dpkg"),
        ("cc", "need-build", "gcc"),
        ("nothing", "deps", ""),
        ("strace", "need-build", ""),
    ];
    for (missing, goal, package) in rows {
        let line = format!(
            "make: missing: {package} (as root on Debian, make installs it: apt-get install {package})"
        );
        let wanted = if package.is_empty() {
            (Some(0), String::new())
        } else {
            (Some(2), line)
        };
        assert_eq!(
            says(missing, &[goal, "CARGO=true"]),
            wanted,
            "{missing} {goal}"
        );
    }
    let cargo = "make: missing: cargo. Install Rust 1.95 or newer with rustup";
    assert_eq!(says("cargo", &["need-run"]), (Some(2), cargo.into()));
}

/// What is tested or measured is what everybody gets, whatever the target directory of one's own.
#[test]
fn tests_are_about_the_usual_target_directory() {
    for goal in [
        "container-test",
        "check",
        "test",
        "torture",
        "attach",
        "bench",
    ] {
        let (code, output, errors) = run(make(root(), &["-n", goal, "FIXTURE_TMP=/elsewhere"]));
        assert_eq!((code, errors.as_str()), (Some(0), ""), "{goal}");
        assert!(output.contains("FIXTURE_TMP='/tmp' "), "{goal}: {output}");
    }
}

#[test]
fn a_wrong_name_is_refused() {
    let rows = [
        (
            "trace",
            "error: a value is required for '<SCENARIO>' but none was supplied",
        ),
        (
            "trace SCENARIO=aio-x",
            "error: invalid value 'aio-x' for '<SCENARIO>'",
        ),
        (
            "trace SCENARIO=aio-setup TRACER=gdb",
            "error: invalid value 'gdb' for '<TRACER>'",
        ),
        (
            "record",
            "error: invalid value '' for '<SCENARIO>': no such program; SCENARIO=aio-submit, for example",
        ),
        (
            "run SCENARIO=aio-x",
            "ioworkload-check: unknown scenario: aio-x",
        ),
    ];
    for (args, line) in rows {
        let args: Vec<_> = args.split(' ').collect();
        let (code, _, errors) = run(make(root(), &args));
        assert_eq!(code, Some(2), "{errors}");
        assert!(errors.lines().any(|error| error == line), "{errors}");
    }
}
