//! Does the parser of the command line take every word and option there is, and nothing near one?

use ioworkload::cli::{Command, Misuse, Options, parse};
use ioworkload_tests::scenarios;
use std::ffi::CString;

/// What `parse` makes of one argument, in a word.
fn asked(arg: &[u8]) -> String {
    let arg = CString::new(arg).expect("no NUL");
    match parse([arg.as_c_str()].into_iter()) {
        Ok((Command::Help, _)) => "help".into(),
        Ok((Command::List { .. }, _)) => "list".into(),
        Ok((Command::Version, _)) => "version".into(),
        Ok((Command::Run(scenario), _)) => format!("run {}", scenario.name),
        Ok((Command::Attach(scenario), _)) => format!("attach {}", scenario.name),
        Ok((Command::Expect(scenario), _)) => format!("expect {}", scenario.name),
        Err(Misuse::NoScenario) => "no scenario".into(),
        Err(Misuse::UnknownScenario(_)) => "unknown scenario".into(),
        Err(Misuse::UnknownOption(_)) => "unknown option".into(),
        Err(_) => "another misuse".into(),
    }
}

/// Every word that is asked for by one argument.
fn words() -> Vec<(String, String)> {
    let mut words: Vec<_> = [("--help", "help"), ("-h", "help"), ("--list", "list")]
        .map(|(word, meaning)| (word.to_owned(), meaning.to_owned()))
        .into();
    words.push(("--version".into(), "version".into()));
    for name in scenarios() {
        words.push((format!("--scenario={name}"), format!("attach {name}")));
        words.push((format!("-scenario={name}"), format!("attach {name}")));
        words.push((format!("--expect={name}"), format!("expect {name}")));
        words.push((name.clone(), format!("run {name}")));
    }
    words
}

#[test]
fn words_are_taken() {
    for (word, meaning) in words() {
        assert_eq!(asked(word.as_bytes()), meaning, "{word}");
    }
}

/// A word with a byte changed, or cut short, or with a byte more, is no word, unless it is another.
#[test]
fn what_is_nearly_a_word_is_not() {
    let words = words();
    let meant = |arg: &[u8]| words.iter().find(|(word, _)| word.as_bytes() == arg);
    for (word, _) in &words {
        for near in neighbours(word.as_bytes()) {
            let got = asked(&near);
            let right = match meant(&near) {
                Some((_, meaning)) => got == *meaning,
                None => {
                    ["no scenario", "unknown scenario", "unknown option"].contains(&got.as_str())
                }
            };
            assert!(right, "{:?}: {got}", String::from_utf8_lossy(&near));
        }
    }
}

/// Without NULs, which no argument can have.
fn neighbours(word: &[u8]) -> Vec<Vec<u8>> {
    let mut neighbours: Vec<_> = (0..word.len()).map(|end| word[..end].to_vec()).collect();
    for byte in 1..=u8::MAX {
        neighbours.push([word, &[byte]].concat());
        for at in (0..word.len()).filter(|at| word[*at] != byte) {
            let mut near = word.to_vec();
            near[at] = byte;
            neighbours.push(near);
        }
    }
    neighbours
}

/// What `parse` makes of arguments: the command and its options.
fn parsed(args: &[&str]) -> String {
    let args: Vec<_> = args
        .iter()
        .map(|arg| CString::new(*arg).expect("no NUL"))
        .collect();
    match parse(args.iter().map(CString::as_c_str)) {
        Ok((command, options)) => {
            let name = match command {
                Command::Run(scenario) => scenario.name,
                Command::Attach(_) => "attach",
                Command::Expect(_) => "expect",
                _ => "a question",
            };
            let Options {
                hold,
                linger,
                deadline_ms,
                repeat,
                interval_us,
            } = options;
            format!("{name} {hold:?} {linger:?} {deadline_ms:?} {repeat:?} {interval_us:?}")
        }
        Err(misuse) => format!("{misuse:?}"),
    }
}

#[test]
fn options_stand_anywhere() {
    let all = "Some(Fd(0)) Some(Sleep(5)) Some(6) Some(7) Some(8)";
    let options = [
        "--hold=stdin",
        "--linger=sleep:5",
        "--deadline=6",
        "--repeat=7",
        "--interval=8",
    ];
    let names: [(&[&str], &str); 6] = [
        (&["aio-setup"], "aio-setup"),
        (&["--scenario=aio-setup"], "attach"),
        (&["-scenario", "aio-setup"], "attach"),
        (&["--scenario", "aio-setup"], "attach"),
        (&["--expect=aio-setup"], "expect"),
        (&["--expect", "aio-setup"], "expect"),
    ];
    for (name, command) in names {
        for at in 0..=options.len() {
            let args = [&options[..at], name, &options[at..]].concat();
            assert_eq!(parsed(&args), format!("{command} {all}"), "{args:?}");
            let args = [&options[at..], name, &options[..at]].concat();
            assert_eq!(parsed(&args), format!("{command} {all}"), "{args:?}");
        }
    }
}

#[test]
fn the_ends_of_what_a_number_can_be() {
    let rows = [
        ("--repeat=1", "None None None Some(1) None"),
        (
            "--repeat=4294967295",
            "None None None Some(4294967295) None",
        ),
        ("--interval=0", "None None None None Some(0)"),
        (
            "--interval=4294967295",
            "None None None None Some(4294967295)",
        ),
        ("--deadline=0", "None None Some(0) None None"),
        (
            "--deadline=0004294967295",
            "None None Some(4294967295) None None",
        ),
        (
            "--hold=fd:4294967295",
            "Some(Fd(4294967295)) None None None None",
        ),
        (
            "--hold=sleep:4294967295",
            "Some(Sleep(4294967295)) None None None None",
        ),
        ("--hold=none", "Some(None) None None None None"),
        (
            "--linger=file:a=b:c",
            "None Some(File(\"a=b:c\")) None None None",
        ),
    ];
    for (option, options) in rows {
        let wanted = format!("aio-setup {options}");
        assert_eq!(parsed(&["aio-setup", option]), wanted, "{option}");
    }
}
