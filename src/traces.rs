//! The expected traces, as `--expect` and `--list` print them: read, cut, summed up, packed, and
//! written for `include!`. A part of the build script.

use crate::pack::{Packed, pack};
use crate::summary::Summary;
use std::fs;
use std::path::{Path, PathBuf};

/// Gives each story an empty trace, for those that have no other yet: they can be built and watched,
/// and that is how a trace begins.
pub fn none(stories: &Path, to: &Path) {
    for story in files(stories) {
        let name = stem(&story).replace('_', "-");
        // The catalogue is no story.
        if name != "mod" {
            write(to, &name, NO_TRACE);
        }
    }
}

/// Cuts the expected traces into the pieces of which `--expect` makes a text (src/expect.rs), sums
/// them up for `--list`, and packs both. Programs of another directory of target files, `tmp`, have
/// other paths, and say so.
pub fn expected(from: &Path, to: &Path, tmp: &str) {
    let paths = files(from);
    let Packed { texts, pairs } = pack(&read(&paths, tmp));
    write(to, "pairs", &format!("{pairs:?}"));
    let packed = |text: &Vec<u8>| format!("crate::packed::Packed(&{text:?})");
    let [traces @ .., long, json] = texts.as_slice() else {
        unreachable!("both lists are among the texts");
    };
    write(to, "long", &packed(long));
    write(to, "json", &packed(json));
    for (path, texts) in paths.iter().zip(traces.chunks(PARTS.len())) {
        let field = |(part, text)| format!("{part}: {}", packed(text));
        let fields: Vec<_> = PARTS.iter().zip(texts).map(field).collect();
        let trace = format!("crate::packed::Trace {{ {} }}", fields.join(", "));
        write(to, stem(path), &trace);
    }
}

/// The texts of each trace, and behind them both lists.
fn read(paths: &[PathBuf], tmp: &str) -> Vec<String> {
    let json = tmp.replace('\\', r"\\").replace('"', "\\\"");
    let (mut texts, mut long, mut list) = (Vec::new(), String::new(), Vec::new());
    for path in paths {
        let text = fs::read_to_string(path).expect("an expected trace is text");
        let text = text.replace("/tmp/ioworkload-", &format!("{json}/ioworkload-"));
        let cut = pieces(&text).zip(Summary::of(&text));
        let (pieces, summary) = cut.unwrap_or_else(|| panic!("{}: {LINES}", path.display()));
        texts.extend(pieces);
        long += &summary.long();
        list.push(summary.json());
    }
    texts.push(long);
    texts.push(format!("[\n{}\n]\n", list.join(",\n")));
    texts
}

/// The files of a directory, in the order of their names without endings.
fn files(directory: &Path) -> Vec<PathBuf> {
    let files = directory.read_dir().expect("a directory of ours");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort_by_key(|path| path.file_stem().map(ToOwned::to_owned));
    paths
}

fn stem(path: &Path) -> &str {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.expect("a name of ours")
}

fn write(to: &Path, name: &str, text: &str) {
    let path = to.join(format!("{name}.rs"));
    fs::write(path, text).expect("cargo's own directory can be written");
}

const NO_TRACE: &str = "{ use crate::packed::Packed as P; crate::packed::Trace { \
                        head: P(&[]), front: P(&[]), round: P(&[]), back: P(&[]), \
                        tail: P(&[]), children: P(&[]), end: P(&[]) } }";

const LINES: &str = "an expected trace has a line for each call, and exit_group is the last";

/// The fields of a `Trace`.
const PARTS: [&str; 7] = ["head", "front", "round", "back", "tail", "children", "end"];

/// The texts of a `Trace`. A `repeat` whose calls say `"#n"` is where a scenario counts its rounds
/// itself.
fn pieces(text: &str) -> Option<[String; PARTS.len()]> {
    let (head, rest) = text.split_once("\"calls\": [\n")?;
    let (calls, tail) = rest.split_once(LAST)?;
    let [front, round, back] = rounds(&calls.lines().collect::<Vec<_>>())?;
    let [last, children, end] = family(tail)?;
    let head = format!("{head}\"calls\": [\n");
    Some([
        head,
        front,
        round,
        back,
        LAST.to_owned() + &last,
        children,
        end,
    ])
}

/// What stands before, in and behind a scenario's rounds: all of it in them, if it does not count
/// them.
fn rounds(calls: &[&str]) -> Option<[String; 3]> {
    let counted = calls.iter().any(|line| line.contains("\"#n\""));
    let (front, round, back) = if counted {
        let first = |line: &&str| line.starts_with("    {\"repeat\": ");
        let start = calls.iter().position(first)?;
        let end = calls.iter().position(|line| *line == "    ]},")?;
        let round = bare(calls.get(start + 1..end)?, "      ")?;
        (&calls[..start], round, &calls[end + 1..])
    } else {
        (&calls[..0], bare(calls, "    ")?, &calls[..0])
    };
    let round = round.strip_suffix(',').unwrap_or(&round);
    let round = round.replace("\"#n\"", "\u{1}");
    Some([bare(front, "    ")?, round, bare(back, "    ")?])
}

/// What stands behind the name of the last call: its rest, the children, and the end if there are
/// any.
fn family(tail: &str) -> Option<[String; 3]> {
    let Some((last, rest)) = tail.split_once(CHILDREN) else {
        return Some([tail.into(), String::new(), String::new()]);
    };
    let (children, _) = rest.split_once(END)?;
    let children: Vec<_> = children.lines().collect();
    let children = bare(&children, "    ")?;
    Some([format!("{last}{CHILDREN}"), children, END.into()])
}

const LAST: &str = "    {\"name\": \"exit_group\"";
const CHILDREN: &str = "\n  \"children\": [\n";
const END: &str = "\n  ]\n}\n";

/// Lines without their indent.
fn bare(lines: &[&str], indent: &str) -> Option<String> {
    let lines = lines.iter().map(|line| line.strip_prefix(indent));
    Some(lines.collect::<Option<Vec<_>>>()?.join("\n"))
}
