//! How verdicts are written, to the letter.

mod stream;

use ioworkload_check::event::{Ret, Value};
use ioworkload_check::judge::Options;
use ioworkload_check::render::{Case, Outcome, Output, report};
use stream::{calls, events, judge, load};

/// An exact verdict, one that differs in several ways, a skip and an error.
fn cases() -> Vec<Case> {
    let expected = load("aio-setup-einval");
    let good = judge(&expected, Options::default(), events(&calls(&expected)));
    let expected = load("aio-setup");
    let mut made = calls(&expected);
    made[0].call.args.as_mut().expect("args")[0] = Value::Number(33);
    made[0].call.ret = Some(Ret::Number(1));
    let twin = made[1].clone();
    made.insert(1, twin);
    made.pop();
    let bad = judge(&expected, Options::default(), events(&made));
    let case = |scenario: &str, outcome| Case {
        scenario: scenario.into(),
        outcome,
        seconds: 0.25,
    };
    vec![
        case("aio-setup-einval", Outcome::Judged(good)),
        case("aio-setup", Outcome::Judged(bad)),
        case("aio-burst", Outcome::Skip("no io_setup # here".into())),
        case("aio-fork", Outcome::Error("line 3: <odd>".into())),
    ]
}

const TEXT: &str = r"aio-setup-einval         exact    6 calls
aio-setup                DIFFERS  3 calls, 1 missing, 1 not expected, 1 wrong argument, 1 wrong result
      expected                       seen
    ! io_setup(0x20, &ctx) = 0       io_setup(0x21, 0x7ffd00010000) = 1
                                              ^^^^ argument 0 should be 0x20
                                                                      ^ should return 0
      io_destroy($ctx) = 0           io_destroy(0x3e9) = 0
    - exit_group(0x0) = ?            missing
    + not expected (reported twice)  io_destroy(0x3e9) = 0
aio-burst                skipped  no io_setup # here
aio-fork                 ERROR    line 3: <odd>
1 exact, 1 differs, 1 could not be judged, 1 skipped
";

#[test]
fn text() {
    assert_eq!(report(&cases(), Output::Text, false), TEXT);
    let coloured = report(&cases(), Output::Text, true);
    let mut plain = String::new();
    for (at, part) in coloured.split('\x1b').enumerate() {
        plain += if at == 0 {
            part
        } else {
            part.split_once('m').expect("a colour").1
        };
    }
    assert_ne!(coloured, plain);
    assert_eq!(plain, TEXT);
}

const TAP: &str = r#"TAP version 14
1..4
ok 1 - aio-setup-einval
# aio-setup-einval: exact
not ok 2 - aio-setup
  ---
  message: "3 calls, 1 missing, 1 not expected, 1 wrong argument, 1 wrong result"
  differences:
    - "io_setup(0x21, 0x7ffd00010000) = 1: argument 0 should be 0x20"
    - "io_setup(0x21, 0x7ffd00010000) = 1: should return 0"
    - "missing: exit_group"
    - "not asked for: io_destroy(0x3e9) = 0"
  ...
ok 3 - aio-burst # SKIP no io_setup # here
not ok 4 - aio-fork
  ---
  message: "line 3: <odd>"
  ...
"#;

#[test]
fn tap() {
    assert_eq!(report(&cases(), Output::Tap, false), TAP);
}

const JUNIT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" errors="1" skipped="1" time="1.000">
  <testsuite name="ioworkload" tests="4" failures="1" errors="1" skipped="1" time="1.000">
    <testcase classname="ioworkload" name="aio-setup-einval" time="0.250"><system-out>exact</system-out></testcase>
    <testcase classname="ioworkload" name="aio-setup" time="0.250"><failure message="3 calls, 1 missing, 1 not expected, 1 wrong argument, 1 wrong result">
      expected                       seen
    ! io_setup(0x20, &amp;ctx) = 0       io_setup(0x21, 0x7ffd00010000) = 1
                                              ^^^^ argument 0 should be 0x20
                                                                      ^ should return 0
      io_destroy($ctx) = 0           io_destroy(0x3e9) = 0
    - exit_group(0x0) = ?            missing
    + not expected (reported twice)  io_destroy(0x3e9) = 0
</failure></testcase>
    <testcase classname="ioworkload" name="aio-burst" time="0.250"><skipped message="no io_setup # here"/></testcase>
    <testcase classname="ioworkload" name="aio-fork" time="0.250"><error message="line 3: &lt;odd&gt;"/></testcase>
  </testsuite>
</testsuites>
"#;

#[test]
fn junit() {
    assert_eq!(report(&cases(), Output::Junit, false), JUNIT);
}

#[test]
fn json() {
    let text = report(&cases(), Output::Json, false);
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let cases = value["cases"].as_array().expect("a list");
    let status: Vec<_> = cases
        .iter()
        .map(|case| case["status"].as_str().expect("text"))
        .collect();
    assert_eq!(status, ["exact", "differs", "skipped", "error"]);
    assert_eq!(value["exact"], false);
    let difference = &cases[1]["verdict"]["rows"][0]["differences"][0];
    let wanted =
        serde_json::json!({"place": {"arg": 0}, "want": "0x20", "got": "0x21", "fault": null});
    assert_eq!(*difference, wanted);
}

#[test]
fn nothing() {
    assert_eq!(report(&[], Output::Text, false), "nothing was judged\n");
    let value: serde_json::Value =
        serde_json::from_str(&report(&[], Output::Json, false)).expect("JSON");
    assert_eq!(value["exact"], false);
}
