//! Do the READMEs show what happens? Each of their chapters is played through in a shell of its own,
//! and what that prints is compared with what is shown.
//!
//! A block of code says what it is:
//!
//! - `console`: commands behind `$ ` (continued behind `> `), and below each what it prints, all of it;
//!   `…` stands for what differs from run to run, on a line of its own for any number of lines, and any
//!   address for any other.
//! - a language and a file name: what that file holds in the commands below.
//! - `text`, `json`, `diff`: to read.

use anyhow::{Context, Result, bail, ensure};
use ioworkload_tests::room::Room;
use ioworkload_tests::trials::{self, trial};
use ioworkload_tests::{copy_of_the_sources, root, target, tracefs};
use libtest_mimic::{Arguments, Trial};
use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// One for each room.
const READMES: &[&str] = &[
    "README.md",
    "src/README.md",
    "src/check/README.md",
    "src/init/README.md",
    "tests/README.md",
    "tests/bench/README.md",
    "tests/examples/README.md",
    "tests/expected/README.md",
];

/// Commands that are not run, since they take long or run us: `make -n` says that there is such a
/// goal, and who runs them is said here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("make test", "this is a part of it"),
    ("make lint test", "this is a part of it"),
    ("make record SCENARIO=aio-setup-two", "its own test does"),
];

/// Ends what a command prints. No program of ours prints this character.
const END: char = '\u{1e}';

#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    /// A command, and the lines below it.
    Run(String, Vec<String>),
    /// A file's name and text.
    Write(String, String),
}

fn main() -> ExitCode {
    let mut trials = controls();
    for file in READMES {
        let readme = fs::read_to_string(root().join(file)).expect("a README");
        for (title, text) in chapters(&readme) {
            let steps = steps(&text);
            if steps.as_ref().is_ok_and(Vec::is_empty) {
                continue;
            }
            let copy = format!("readme-{}", trials.len());
            trials.push(trial(format!("{file}::{title}"), move || {
                let steps = steps?;
                play(&steps, &place(&steps, &copy)?)
            }));
        }
    }
    trials.push(trial("README.md is short", short));
    trials.push(trial("READMEs are found", all_are_named));
    trials::run(&Arguments::from_args(), trials)
}

/// Five minutes are enough to read it.
fn short() -> Result<()> {
    let readme = fs::read_to_string(root().join("README.md"))?;
    let (lines, bytes) = (readme.lines().count(), readme.len());
    ensure!(
        lines <= 350 && bytes <= 16_384,
        "{lines} lines, {bytes} bytes"
    );
    Ok(())
}

/// No README is left out, and what one links to is there.
fn all_are_named() -> Result<()> {
    let find = Command::new("find")
        .args([
            ".",
            "-name",
            "target",
            "-prune",
            "-o",
            "-name",
            "README.md",
            "-printf",
            "%P\\n",
        ])
        .current_dir(root())
        .output()?;
    let mut found: Vec<_> = str::from_utf8(&find.stdout)?.lines().collect();
    found.sort_unstable();
    ensure!(found == READMES, "{found:?}");
    for file in READMES {
        let text = fs::read_to_string(root().join(file))?;
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let to = link.split('#').next().unwrap_or_default();
            let place = root().join(file).with_file_name(to);
            ensure!(link.contains("://") || place.exists(), "{file}: {link}");
        }
    }
    Ok(())
}

/// The chapters, with their titles.
fn chapters(readme: &str) -> Vec<(String, String)> {
    let mut chapters = Vec::<(String, String)>::new();
    let mut in_block = false;
    for line in readme.lines() {
        in_block ^= line.starts_with("```");
        let title = line.strip_prefix("# ").or(line.strip_prefix("## "));
        match title {
            Some(title) if !in_block => chapters.push((title.into(), String::new())),
            _ => {
                let chapter = chapters.last_mut().expect("a README opens with a heading");
                chapter.1 += line;
                chapter.1.push('\n');
            }
        }
    }
    chapters
}

/// What a reader of this text does.
fn steps(text: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        ensure!(
            !line.starts_with("    "),
            "a block without a word what it is: {line}"
        );
        let Some(kind) = line.strip_prefix("```") else {
            continue;
        };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind.split_once(' ') {
            Some((_, file)) => steps.push(Step::Write(file.into(), block.join("\n") + "\n")),
            None if kind == "console" => steps.append(&mut session(&block)?),
            None if ["text", "json", "diff", "yaml"].contains(&kind) => {}
            None => bail!("a block of an unknown kind: {kind:?}"),
        }
    }
    Ok(steps)
}

/// The commands of a session.
fn session(lines: &[&str]) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for line in lines {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step::Run(command.into(), Vec::new()));
            continue;
        }
        let Some(Step::Run(command, shown)) = steps.last_mut() else {
            bail!("no command in front of {line:?}");
        };
        match line.strip_prefix("> ") {
            Some(more) if shown.is_empty() => command.extend(["\n", more]),
            _ => shown.push((*line).into()),
        }
    }
    Ok(steps)
}

/// Where a chapter is played: here, or in a copy of the sources, if it writes into them. If what is
/// built is elsewhere here, the copy has it where READMEs say.
fn place(steps: &[Step], copy: &str) -> Result<PathBuf> {
    let leaves =
        |step: &&Step| matches!(step, Step::Run(command, _) if command.contains("cd /tmp/"));
    let mut here = steps.iter().take_while(|step| !leaves(step));
    let usual = target() == root().join("target");
    if usual && !here.any(|step| matches!(step, Step::Write(..))) {
        return Ok(root().into());
    }
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join(copy);
    copy_of_the_sources(&copy);
    if !usual {
        symlink(target(), copy.join("target"))?;
    }
    Ok(copy)
}

/// Does what a reader does, in a shell whose /tmp is its own.
fn play(steps: &[Step], place: &Path) -> Result<()> {
    let bpftrace =
        |step: &Step| matches!(step, Step::Run(command, _) if command.starts_with("bpftrace"));
    if steps.iter().any(bpftrace) {
        tracefs::ready("bpftrace")?;
    }
    let room = Room::new();
    // As /tmp is: apt has a user of its own.
    fs::set_permissions(room.path(), Permissions::from_mode(0o1777))?;
    let script = steps.iter().map(told).collect::<String>();
    let mut shell = Command::new("sh");
    room.as_tmp(shell.args(["-c", &format!("exec 2>&1\n{script}")]));
    for outer in [
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "CARGO_MAKEFLAGS",
        "CARGO_TARGET_DIR",
    ] {
        shell.env_remove(outer);
    }
    // A reader has one, and go needs it.
    shell.env("HOME", env::home_dir().context("a home")?);
    let output = shell.current_dir(place).stdin(Stdio::null()).output()?;
    let printed = String::from_utf8(output.stdout)?;
    let mut printed = printed.split_inclusive(END);
    for step in steps {
        if let Step::Run(command, shown) = step {
            let printed = printed.next().unwrap_or_default();
            let (printed, code) = ended(printed).with_context(|| format!("$ {command}"))?;
            let lines: Vec<_> = printed.lines().collect();
            let said = format!("$ {command}\n{printed}");
            ensure!(code == "0", "exit code {code}\n{said}");
            ensure!(
                elsewhere(command).is_some() || same(shown, &lines),
                "{said}\nshown:\n{}",
                shown.join("\n")
            );
        }
    }
    Ok(())
}

/// A step, for the shell.
fn told(step: &Step) -> String {
    match step {
        Step::Write(file, text) => format!("cat >{file} <<'END OF FILE'\n{text}END OF FILE\n"),
        Step::Run(command, _) => {
            let command = elsewhere(command).map_or(command.clone(), |(command, why)| {
                println!("not run: {command}: {why}");
                command.replacen("make", "make -n", 1)
            });
            format!("{command}\nprintf '%s\\036' \"$?\"\n")
        }
    }
}

/// What is said about a command that is not run here; a remark behind it is none of it.
fn elsewhere(command: &str) -> Option<&'static (&'static str, &'static str)> {
    let command = command.split(" #").next()?.trim_end();
    ELSEWHERE.iter().find(|(other, _)| *other == command)
}

/// What a command has printed, and its exit code.
fn ended(printed: &str) -> Option<(&str, &str)> {
    let printed = printed.strip_suffix(END)?;
    let digits = printed.trim_end_matches(|c: char| c.is_ascii_digit());
    Some(printed.split_at(digits.len()))
}

/// Whether these lines are what is shown.
fn same(shown: &[String], lines: &[&str]) -> bool {
    match shown {
        [] => lines.is_empty(),
        [any, rest @ ..] if any == "…" => {
            (0..=lines.len()).any(|skip| same(rest, &lines[skip..]))
        }
        [line, rest @ ..] => {
            let first = lines.first().is_some_and(|first| alike(line, first));
            first && same(rest, &lines[1..])
        }
    }
}

/// Whether this line is what is shown, `…` for any part of it.
fn alike(shown: &str, line: &str) -> bool {
    matches(&placeless(shown), &placeless(line))
}

/// A line without the places where the kernel has put stacks and rings: `0x7` and eleven digits more.
fn placeless(line: &str) -> String {
    let mut parts = line.split("0x7");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digits, rest) = part.split_at_checked(11).unwrap_or(("no", part));
        let address = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let rest = if address { rest } else { part };
        text + "0x7" + rest
    })
}

fn matches(shown: &str, line: &str) -> bool {
    match shown.split_once('…') {
        None => shown == line,
        Some((start, rest)) => line.strip_prefix(start).is_some_and(|line| {
            let ends = line.char_indices().map(|(at, _)| at).chain([line.len()]);
            ends.into_iter().any(|at| matches(rest, &line[at..]))
        }),
    }
}

/// What is shown wrongly is noticed.
fn controls() -> Vec<Trial> {
    let rows: [(&str, &str, bool); 14] = [
        ("a command", "$ echo one\none", true),
        ("another output", "$ echo one\ntwo", false),
        ("output that is not shown", "$ echo one", false),
        ("a line too many", "$ echo one\none\ntwo", false),
        ("an error's text", "$ echo one >&2\none", true),
        ("a failure", "$ false", false),
        ("one command out of two", "$ false\n$ true", false),
        ("an end of the shell", "$ exit 0\n$ true", false),
        (
            "a part of a line",
            "$ echo one two three\none … three",
            true,
        ),
        (
            "a part that differs",
            "$ echo one two three\none … four",
            false,
        ),
        (
            "an address",
            "$ echo 0x7fff12345678,\n0x712345678abc,",
            true,
        ),
        (
            "no address",
            "$ echo 0x7fff1234567z,\n0x712345678abc,",
            false,
        ),
        ("any lines", "$ printf '1\\n2\\n3\\n4\\n'\n1\n…\n4", true),
        ("a long command", "$ echo one \\\n> two\none two", true),
    ];
    let row = |(title, text, good): (&str, &'static str, bool)| {
        trial(format!("control::{title}"), move || {
            let steps = session(&text.lines().collect::<Vec<_>>())?;
            let played = play(&steps, root());
            ensure!(played.is_ok() == good, "{played:?}");
            Ok(())
        })
    };
    let mut trials = Vec::from(rows.map(row));
    trials.push(trial("control::blocks", blocks));
    trials
}

fn blocks() -> Result<()> {
    let text = "```python a.py\nprint(1)\n```\n\n```text\n$ false\n```\n```console\n$ cat a.py\nprint(1)\n```\n";
    let file = Step::Write("a.py".into(), "print(1)\n".into());
    let command = Step::Run("cat a.py".into(), vec!["print(1)".into()]);
    ensure!(steps(text)? == [file, command]);
    for wrong in [
        "```\n$ true\n```\n",
        "    $ true\n",
        "```console\nx\n```\n",
        "```pascal\n```\n",
    ] {
        ensure!(steps(wrong).is_err(), "{wrong}");
    }
    let readme = chapters("# one\n\n## two\n```sh\n# no heading\n```\n");
    let titles: Vec<_> = readme.iter().map(|(title, _)| title.as_str()).collect();
    ensure!(titles == ["one", "two"], "{titles:?}");
    Ok(())
}
