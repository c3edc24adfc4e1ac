//! Memory: every fixture under valgrind's memcheck, which follows each byte, and every `unsafe` of
//! the source with its reason.
//!
//! The rule: memcheck finds nothing but what a scenario is about, pointers that the kernel refuses.
//! It makes the calls in its own way, so how a run ends is not looked at. And each `unsafe` block,
//! function or implementation has its reason in a comment; what is declared for the linker, or
//! called by it, keeps to C's contract. Lint asks for the same, but not inside of macros.

use crate::tally::{Cases, trial};
use anyhow::{Context, Result, ensure};
use ioworkload_tests::blocks::{self, Block};
use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use libtest_mimic::Trial;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const MEMCHECK: &str = "7 memory, memcheck";
const UNSAFE: &str = "7 memory, unsafe";

pub fn trials() -> Vec<Trial> {
    let each = |name: String| {
        trial(MEMCHECK, &name, |name, cases| {
            cases.add(name, checked(name));
            Ok(())
        })
    };
    let mut trials: Vec<_> = scenarios().into_iter().map(each).collect();
    trials.push(trial(UNSAFE, "src", reasons));
    trials.push(Trial::test("7 memory::control", || Ok(control()?)));
    trials
}

/// Valgrind 3.19 follows the bad pointers of these itself, and dies of it: what it has seen up to
/// then counts.
const DEADLY: [&str; 5] = [
    "aio-sentinels",
    "aio-setup-many",
    "aio-submit-errors",
    "aio-submit-iocb-errors",
    "aio-submit-partial",
];

fn checked(scenario: &str) -> Result<()> {
    let (found, died) = memcheck(&shipped(scenario))?;
    ensure!(!died || DEADLY.contains(&scenario), "valgrind dies");
    if died {
        eprintln!("CUT SHORT, because valgrind dies of its pointers: {scenario}");
    }
    ensure!(found.is_empty(), "{found:?}");
    Ok(())
}

/// What memcheck has found in a program, less the pointers that a call refuses, and whether
/// valgrind itself has died.
fn memcheck(program: &Path) -> Result<(Vec<String>, bool)> {
    let room = Room::new();
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=memcheck", "--trace-children=yes", "--log-fd=2"]);
    valgrind.arg(program).stdin(Stdio::null());
    room.as_tmp(&mut valgrind);
    let output = valgrind.output().context("valgrind does not start")?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let died = text.contains("please report this bug");
    ensure!(
        died || text.contains("ERROR SUMMARY: "),
        "no verdict: {text}"
    );
    // `==123== Invalid read of size 4`; what belongs to it is indented.
    let line = |line: &str| Some(line.strip_prefix("==")?.split_once("== ")?.1.to_owned());
    let kinds = [
        "Invalid ",
        "Conditional ",
        "Use of ",
        "Syscall param ",
        "Jump ",
        "Process ",
    ];
    let refused = |line: &String| line.ends_with("points to unaddressable byte(s)");
    let found = text.lines().filter_map(line);
    let found = found.filter(|line| kinds.iter().any(|kind| line.starts_with(kind)));
    Ok((found.filter(|line| !refused(line)).collect(), died))
}

fn reasons(_: &str, cases: &mut Cases) -> Result<()> {
    for block in blocks::all()? {
        cases.add(&block.to_string(), reason(&block));
    }
    Ok(())
}

fn reason(block: &Block) -> Result<()> {
    let words = block.reason.split_whitespace().count();
    let above = block.reason.to_lowercase().starts_with("as above");
    ensure!(block.kind == "extern" || words > 1 || above, "no reason");
    Ok(())
}

/// A program that looks at what was never written, one that reads what is not its own, and `unsafe`
/// without a reason, in a macro too, are found.
fn control() -> Result<()> {
    let rows = [
        (
            "uninitialised",
            "int main(void) { int a[2]; return a[1] > 3; }",
            "Syscall param exit_group",
        ),
        (
            "foreign",
            "int main(void) { return *(volatile int *)16; }",
            "Invalid read ",
        ),
        (
            "written",
            "#include <unistd.h>\nint main(void) { char a[2]; return write(1, a, 2) < 0; }",
            "Syscall param write(buf)",
        ),
    ];
    for (name, text, wanted) in rows {
        let (found, _) = memcheck(&compiled(name, text)?)?;
        ensure!(
            found.iter().any(|line| line.starts_with(wanted)),
            "{name}: {found:?}"
        );
    }
    let bare =
        "macro_rules! m { () => { unsafe { f() } }; }\n// SAFETY: told\nfn g() { unsafe {} }";
    let told =
        "fn f() {\n    // SAFETY: this is why it may be\n    let a =\n        unsafe { b() };\n}";
    let count = |text| -> Result<usize> {
        Ok(blocks::of("text", text)?
            .iter()
            .filter(|block| reason(block).is_err())
            .count())
    };
    ensure!(
        (count(bare)?, count(told)?) == (2, 0),
        "{:?}",
        blocks::of("text", bare)?
    );
    Ok(())
}

fn compiled(name: &str, text: &str) -> Result<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("memcheck");
    std::fs::create_dir_all(&directory)?;
    let source = directory.join(name).with_extension("c");
    std::fs::write(&source, text)?;
    let program = directory.join(name);
    let mut cc = Command::new("cc");
    cc.args(["-O0", "-g", "-o"]).arg(&program).arg(&source);
    ensure!(cc.status()?.success(), "{name} does not compile");
    Ok(program)
}
