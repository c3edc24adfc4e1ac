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

/// A case with another call, another answer or no reason is found.
#[test]
fn a_wrong_case_is_found() {
    let right = Case::Shown {
        case: "io_destroy(-1)".into(),
        scenario: "aio-destroy-errors".into(),
        call: 2,
        name: "io_destroy".into(),
        ret: -22,
    };
    assert!(right.check().is_ok());
    let wrong: [fn(&mut String, &mut usize, &mut String, &mut i64); 5] = [
        |scenario, _, _, _| *scenario = "aio-no-such".into(),
        |_, call, _, _| *call = 6,
        |_, call, _, _| *call = 1000,
        |_, _, name, _| *name = "io_setup".into(),
        |_, _, _, ret| *ret = -14,
    ];
    for change in wrong {
        let mut case = right.clone();
        if let Case::Shown {
            scenario,
            call,
            name,
            ret,
            ..
        } = &mut case
        {
            change(scenario, call, name, ret);
        }
        assert!(case.check().is_err(), "{case:?}");
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
