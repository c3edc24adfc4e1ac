//! The link flags of the freestanding programs, a reason in front of each; the directory of target
//! files; and the expected traces, as `--expect` prints them.

#[allow(dead_code, reason = "half of it is for the programs")]
#[path = "sys/errno.rs"]
mod errno;
#[path = "pack.rs"]
mod pack;
#[path = "summary.rs"]
mod summary;

use pack::{Packed, pack};
use std::env::{self, VarError};
use std::fs;
use std::path::Path;
use summary::Summary;

/// Only programs get these flags: the hosted tests are another package, and need the ordinary
/// start-up.
const LINK_FLAGS: &[&str] = &[
    // `_start` is our own, and no library stands behind it.
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
    println!("cargo::rustc-link-arg-bins=-Wl,-T,{root}/linker.ld");
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
    let (root, out) = (Path::new(&root), Path::new(&out));
    no_traces(&root.join("src/scenario"), out);
    expected_traces(&root.join("tests/expected"), out, &tmp);
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

/// Cuts the expected traces into the pieces of which `--expect` makes a text (src/expect.rs), sums
/// them up for `--list`, and packs both. Programs of another `FIXTURE_TMP` have other target files,
/// and say so.
fn expected_traces(from: &Path, to: &Path, tmp: &str) {
    let json = tmp.replace('\\', r"\\").replace('"', "\\\"");
    let files = from.read_dir().expect("tests/expected is there");
    let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    paths.sort_by_key(|path| path.file_stem().map(ToOwned::to_owned));
    let (mut texts, mut long, mut list) = (Vec::new(), String::new(), Vec::new());
    for path in &paths {
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
    let Packed { mut texts, pairs } = pack(&texts);
    let write = |name: &str, text: String| {
        fs::write(to.join(name), text).expect("cargo's own directory can be written");
    };
    let packed = |text: &Vec<u8>| format!("::ioworkload::packed::Packed(&{text:?})");
    write("pairs.rs", format!("{pairs:?}"));
    write(
        "json.rs",
        texts.pop().as_ref().map_or_else(String::new, packed),
    );
    write(
        "long.rs",
        texts.pop().as_ref().map_or_else(String::new, packed),
    );
    for (path, texts) in paths.iter().zip(texts.chunks(PARTS.len())) {
        let fields = PARTS.iter().zip(texts);
        let fields: Vec<_> = fields
            .map(|(part, text)| format!("{part}: {}", packed(text)))
            .collect();
        let stem = path.file_stem().expect("a file has a name");
        let name = format!("{}.rs", stem.to_string_lossy());
        let trace = fields.join(", ");
        write(&name, format!("::ioworkload::packed::Trace {{ {trace} }}"));
    }
}

/// Gives each story an empty trace, for those that have no other yet: they can be built and watched,
/// and that is how a trace begins.
fn no_traces(stories: &Path, to: &Path) {
    for file in stories.read_dir().expect("src/scenario is there") {
        let story = file.expect("a file").path();
        let name = story.with_extension("");
        let name = name.file_name().and_then(|name| name.to_str());
        let name = name.expect("a name of ours").replace('_', "-");
        // mod.rs is no story.
        if !name.starts_with("aio-") {
            continue;
        }
        fs::write(to.join(name + ".rs"), NO_TRACE).expect("cargo's own directory can be written");
    }
}

const NO_TRACE: &str = "{ use ::ioworkload::packed::Packed as P; ::ioworkload::packed::Trace { \
                        head: P(&[]), front: P(&[]), round: P(&[]), back: P(&[]), \
                        tail: P(&[]), children: P(&[]), end: P(&[]) } }";

const LINES: &str = "an expected trace has a line for each call, and exit_group is the last";

/// The fields of a `Trace`.
const PARTS: [&str; 7] = ["head", "front", "round", "back", "tail", "children", "end"];

/// The texts of a `Trace`. A `repeat` whose calls say `"#n"` is where a scenario counts its rounds
/// itself.
fn pieces(text: &str) -> Option<[String; PARTS.len()]> {
    let (head, rest) = text.split_once("\"calls\": [\n")?;
    let (calls, tail) = rest.split_once("    {\"name\": \"exit_group\"")?;
    let calls: Vec<_> = calls.lines().collect();
    let counted = calls.iter().any(|line| line.contains("\"#n\""));
    let (front, round, back) = if counted {
        let start = calls
            .iter()
            .position(|line| line.starts_with("    {\"repeat\": "))?;
        let end = calls.iter().position(|line| *line == "    ]},")?;
        (
            &calls[..start],
            bare(calls.get(start + 1..end)?, "      ")?,
            &calls[end + 1..],
        )
    } else {
        (&calls[..0], bare(&calls, "    ")?, &calls[..0])
    };
    let (last, children, end) = match tail.split_once(CHILDREN) {
        None => (tail.to_owned(), String::new(), ""),
        Some((last, rest)) => {
            let (children, _) = rest.split_once(END)?;
            let children: Vec<_> = children.lines().collect();
            (format!("{last}{CHILDREN}"), bare(&children, "    ")?, END)
        }
    };
    let round = round.strip_suffix(',').unwrap_or(&round);
    Some([
        format!("{head}\"calls\": [\n"),
        bare(front, "    ")?,
        round.replace("\"#n\"", "\u{1}"),
        bare(back, "    ")?,
        format!("    {{\"name\": \"exit_group\"{last}"),
        children,
        end.into(),
    ])
}

const CHILDREN: &str = "\n  \"children\": [\n";
const END: &str = "\n  ]\n}\n";

/// Lines without their indent.
fn bare(lines: &[&str], indent: &str) -> Option<String> {
    let lines = lines.iter().map(|line| line.strip_prefix(indent));
    Some(lines.collect::<Option<Vec<_>>>()?.join("\n"))
}
