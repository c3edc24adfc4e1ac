//! Does every scenario have its story, its program, its row in the catalogue and its expected trace?

use ioworkload::scenario::ALL;
use ioworkload::story::Scenario;
use ioworkload_tests::expected::Ret;
use ioworkload_tests::{expected, root, scenarios};
use std::fs;

const HELP: &str = "a scenario is a story in src/scenario, its row in the catalogue (mod.rs there) and \
                    in Cargo.toml, its trace in tests/expected, and its row in README.md";

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

/// What one of the two lists lacks; a name that is there twice is lacking too.
fn only_in_one(rows: &[&str], names: &[String]) -> Vec<String> {
    let count = |name: &str| {
        let rows = rows.iter().filter(|row| **row == name).count();
        (rows, names.iter().filter(|other| *other == name).count())
    };
    let all = rows.iter().copied().chain(names.iter().map(String::as_str));
    let lacking = all.filter(|name| count(name) != (1, 1));
    lacking.map(str::to_owned).collect()
}

#[test]
fn the_catalogue_is_sorted_and_whole() {
    let rows: Vec<_> = ALL.iter().map(|scenario| scenario.name).collect();
    assert!(!rows.is_empty());
    assert!(rows.is_sorted(), "{rows:?}");
    assert_eq!(
        only_in_one(&rows, &names("src/scenario", ".rs")),
        [""; 0],
        "{HELP}"
    );
    assert_eq!(only_in_one(&rows, &scenarios()), [""; 0], "{HELP}");
}

#[test]
fn every_story_is_a_program() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml is there");
    let (rows, _) = manifest.split_once("\n]\n").expect("a list of programs");
    let mut wanted = vec![
        row("ioworkload", "src/bin/ioworkload.rs"),
        row("init", "src/bin/init.rs"),
    ];
    wanted.extend(ALL.iter().map(|scenario| {
        row(
            scenario.name,
            &format!("src/scenario/{}.rs", scenario.name.replace('-', "_")),
        )
    }));
    let found: Vec<_> = rows
        .lines()
        .filter(|line| line.contains("name = "))
        .collect();
    assert_eq!(found, wanted, "{HELP}");
}

fn row(name: &str, path: &str) -> String {
    format!(r#"    {{ name = "{name}", path = "{path}", test = false, bench = false }},"#)
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
        assert_eq!(title.join(" "), format!("{name}: {about}"));
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
        .collect();
    let row = |scenario: &Scenario| {
        let about = expected::load(scenario.name).expect("a trace").about;
        format!("| {} | {about} |", scenario.name)
    };
    let wanted: Vec<_> = ALL.iter().map(row).collect();
    let missing: Vec<_> = wanted
        .iter()
        .filter(|row| !rows.contains(&row.as_str()))
        .collect();
    assert_eq!(missing, [""; 0], "README.md, its table of scenarios");
    assert_eq!(rows, wanted);
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
