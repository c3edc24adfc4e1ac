//! Do the scenarios show what other suites show, and does the README say so?

use ioworkload_tests::coverage::{Case, suites, with_tables};
use ioworkload_tests::root;
use std::collections::HashSet;
use std::fs;

/// How many calls each suite has in the part that counts.
const CASES: [(&str, usize); 3] = [("LTP", 48), ("strace", 27), ("libaio", 38)];

#[test]
fn every_case_has_a_call_or_a_reason() {
    let suites = suites().expect("tests/peers.json");
    let sizes = suites
        .iter()
        .map(|suite| (suite.suite.as_str(), suite.cases.len()));
    assert_eq!(sizes.collect::<Vec<_>>(), CASES);
    for suite in suites {
        assert_ne!(suite.of, "", "{}: which part, and of when?", suite.suite);
        let titles: HashSet<_> = suite.cases.iter().map(Case::title).collect();
        assert_eq!(
            titles.len(),
            suite.cases.len(),
            "{}: a case twice",
            suite.suite
        );
        for case in suite.cases {
            case.check()
                .unwrap_or_else(|error| panic!("{}: {error:#}", suite.suite));
        }
    }
}

/// A row of tests/peers.json that is right, and what makes it wrong: another call, other arguments,
/// another answer, no reason.
#[test]
fn a_wrong_case_is_found() {
    let rows = [
        r#""aio-destroy-errors", "call": 2, "name": "io_destroy", "args": ["0xffffffffffffffff"], "ret": -22"#,
        r#""aio-getevents-errors", "call": 3, "name": "io_getevents", "args": ["wild", 0, null, 0, {"tv_sec": "0xdeadbeef"}], "ret": -22"#,
        r#""aio-submit-iocb-errors", "call": 9, "name": "io_submit", "args": ["$", 1, [{"aio_fildes": "$", "aio_buf": "nowhere"}]], "ret": -14"#,
    ];
    let changes = [
        ("aio-", "aio-no-such-"),
        (r#""call": "#, r#""call": 1"#),
        (r#""call": "#, r#""call": 1000"#),
        ("io_", "io_x"),
        (r#""ret": -"#, r#""ret": "#),
        (r#""args": ["#, r#""args": [null, "#),
        (r#"["0xf"#, r#"["0x"#),
        (r#""wild""#, r#""$""#),
        ("null, 0", "null, 1"),
        ("0xdeadbeef", "0xdeadbeee"),
        (r#""$", 1"#, r#""wild", 1"#),
        (r#""$", 1"#, r#""$", 2"#),
        (r#""aio_fildes": "$""#, r#""aio_fildes": "&""#),
        ("[{", "[{}, {"),
        (r#""aio_buf""#, r#""aio_nbytes""#),
        ("nowhere", "no such word"),
    ];
    let case = |row: &str| -> Case {
        serde_json::from_str(&format!(r#"{{"case": "", "scenario": {row}}}"#)).expect("a case")
    };
    for row in rows {
        case(row).check().expect("a right case");
    }
    for (from, to) in changes {
        let changed = rows.into_iter().filter(|row| row.contains(from));
        let wrong: Vec<_> = changed
            .map(|row| case(&row.replacen(from, to, 1)))
            .collect();
        assert_ne!(wrong.len(), 0, "{from} is nowhere");
        for case in wrong {
            assert!(case.check().is_err(), "{case:?}");
        }
    }
    let (case, why) = ("no reason".into(), String::new());
    assert!(Case::LeftOut { case, why }.check().is_err());
}

#[test]
fn the_readme_has_the_tables() {
    let readme = fs::read_to_string(root().join("tests/README.md")).expect("a README");
    let wanted = with_tables(&readme).expect("tables");
    assert!(readme == wanted, "make coverage writes them anew");
}
