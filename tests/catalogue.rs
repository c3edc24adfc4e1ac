//! Does every scenario have its story, its program, its row in the catalogue and its expected trace?

use ioworkload::scenario::ALL;
use ioworkload_check::expected;
use ioworkload_check::expected::Ret;
use ioworkload_tests::{root, scenarios};
use std::fs;

const HELP: &str = "a scenario is a story in src/scenario, its row in the catalogue (mod.rs there) and \
                    in Cargo.toml, its trace in tests/expected, and its row in README.md, where \
                    `make coverage` writes the other tables";

/// The names in a directory, less its own files.
fn names(directory: &str, ending: &str) -> Vec<String> {
    let files = root()
        .join(directory)
        .read_dir()
        .expect("a directory of ours");
    let name = |file: fs::DirEntry| {
        let name = file.file_name().into_string().ok()?;
        Some(name.strip_suffix(ending)?.replace('_', "-"))
    };
    let mut names: Vec<_> = files
        .filter_map(|file| name(file.expect("a file")))
        .collect();
    names.retain(|name| name != "mod");
    names.sort();
    names
}

/// Holds a list against what it should be, and shows what is wrong with it instead of both whole.
fn hold(list: &str, found: &[String], wanted: &[String]) {
    let count = |all: &[String], one: &String| all.iter().filter(|other| *other == one).count();
    let more = |these: &[String], those: &[String]| {
        let only = these
            .iter()
            .filter(|one| count(these, one) > count(those, one));
        only.fold(String::new(), |lines, line| lines + line + "\n")
    };
    let (lacks, beyond) = (more(wanted, found), more(found, wanted));
    assert!(lacks.is_empty(), "{list} lacks:\n{lacks}{HELP}");
    assert!(beyond.is_empty(), "{list} has too much:\n{beyond}{HELP}");
    if let Some((here, there)) = found.iter().zip(wanted).find(|(one, other)| one != other) {
        panic!("{list} is sorted by name, so this:\n{here}\nstands where this should:\n{there}");
    }
}

#[test]
fn the_catalogue_is_sorted_and_whole() {
    let stories = names("src/scenario", ".rs");
    assert!(!stories.is_empty());
    let rows: Vec<_> = ALL.iter().map(|row| row.name.to_owned()).collect();
    hold("the catalogue, src/scenario/mod.rs,", &rows, &stories);
    hold("tests/expected", &scenarios(), &stories);
}

#[test]
fn every_story_is_a_program() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is there");
    let (rows, _) = manifest.split_once("\n]\n").expect("a list of programs");
    let stories = names("src/scenario", ".rs");
    let mut wanted = vec![row("ioworkload"), row("init")];
    wanted.extend(stories.iter().map(|name| row(name)));
    let found: Vec<_> = rows
        .lines()
        .filter(|line| line.contains("name = "))
        .map(str::to_owned)
        .collect();
    hold("the list of programs in Cargo.toml", &found, &wanted);
    for name in stories {
        let program = root().join("src/bin").join(&name).with_extension("rs");
        let program = fs::read_to_string(program).expect("a program in src/bin");
        assert_eq!(program, fixture(&name));
    }
}

fn row(name: &str) -> String {
    format!(r#"    {{ name = "{name}", test = false, bench = false }},"#)
}

/// The program of a scenario.
fn fixture(name: &str) -> String {
    let module = name.replace('-', "_");
    format!(
        "//! The fixture {name}: the scenario of that name, and nothing else.\n#![no_std]\n\
         #![no_main]\n\nioworkload::fixture!({module});\n"
    )
}

#[test]
fn story_trace_and_target_bear_one_name() {
    for scenario in ALL {
        let name = scenario.name;
        let expected = expected::load(name).expect("an expected trace");
        let file = root()
            .join("src/scenario")
            .join(name.replace('-', "_"))
            .with_extension("rs");
        let story = fs::read_to_string(file).expect("a story");
        let doc = story.lines().map_while(|line| line.strip_prefix("//!"));
        let title: Vec<_> = doc
            .take_while(|line| !line.is_empty())
            .map(str::trim)
            .collect();
        let mut about = expected.about.clone();
        about[..1].make_ascii_lowercase();
        assert_eq!(expected.scenario, name);
        assert_eq!(
            title.join(" "),
            format!("{name}: {about}"),
            "the first sentence of the story, and `about` of its trace"
        );
        assert_eq!(
            scenario.target.to_str(),
            Ok(format!("/tmp/ioworkload-{name}").as_str())
        );
    }
}

#[test]
fn more_than_one_answer_has_a_reason() {
    for name in scenarios() {
        for call in expected::load(&name).expect("an expected trace").each() {
            let choice = matches!(call.ret, Some(Ret::Any(_) | Ret::Range(_)));
            assert_eq!(choice, call.why.is_some(), "{name}: {}", call.name);
        }
    }
}

#[test]
fn the_readme_tells_of_every_scenario() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md is there");
    let rows: Vec<_> = readme
        .lines()
        .filter(|line| line.starts_with("| aio-"))
        .map(str::to_owned)
        .collect();
    let rows: Vec<_> = rows
        .iter()
        .filter_map(|row| row.rsplitn(3, '|').last())
        .collect();
    let rows: Vec<_> = rows.into_iter().map(str::to_owned).collect();
    let row = |name: &String| {
        let about = expected::load(name).expect("a trace").about;
        format!("| {name} | {about} ")
    };
    let wanted: Vec<_> = scenarios().iter().map(row).collect();
    hold("README.md, its table of scenarios,", &rows, &wanted);
}

#[test]
fn the_top_level_stays_small() {
    let allowed = [
        ".cargo",
        ".ci",
        ".git",
        ".gitignore",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "Makefile",
        "README.md",
        "linker.ld",
        "src",
        "target",
        "tests",
    ];
    let mut found = names("", "");
    found.retain(|name| !allowed.contains(&name.as_str()));
    assert_eq!(found, Vec::<String>::new());
}
