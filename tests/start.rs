//! Does a program start as it should, and see all of it, whatever it is started with?

mod programs;

use ioworkload::rt::Stack;
use ioworkload_check::expected::Kernel;
use ioworkload_tests::room::Room;
use ioworkload_tests::{scenarios, shipped};
use nix::unistd::execve;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

type Strings = Vec<Vec<u8>>;

fn strings(strings: &[&[u8]]) -> Strings {
    strings.iter().map(|string| string.to_vec()).collect()
}

/// `count` different strings of `len` bytes.
fn many(count: usize, len: usize) -> Strings {
    let name = |number| format!("A{number}=");
    let string = |name: String| format!("{name}{}", "x".repeat(len - name.len()));
    (0..count)
        .map(|number| string(name(number)).into())
        .collect()
}

/// Has `command` started with exactly these arguments, which may be none at all, and exactly this
/// environment.
fn started_with(command: &mut Command, args: &Strings, envs: &Strings) {
    let string = |bytes: &[u8]| CString::new(bytes).expect("no NUL");
    let list = |strings: &Strings| {
        strings
            .iter()
            .map(|bytes| string(bytes))
            .collect::<Vec<_>>()
    };
    let program = string(command.get_program().as_bytes());
    let (args, envs) = (list(args), list(envs));
    let exec =
        move || execve(&program, &args, &envs).map_or_else(|error| Err(error.into()), |_| Ok(()));
    // SAFETY: between fork and exec the closure allocates, which the C library's fork allows, and
    // makes a system call; it takes no lock of ours.
    unsafe { command.pre_exec(exec) };
}

/// The program that says what it was started with.
static START: LazyLock<PathBuf> =
    LazyLock::new(|| programs::compile("start", &[]).expect("it links"));

/// What the program has to say on stdout.
fn account(args: &Strings, envs: &Strings) -> Vec<u8> {
    let mut text = b"stack 8\n".to_vec();
    for (title, strings) in [("args", args), ("envs", envs)] {
        text.extend(format!("{title} {}\n", strings.len()).bytes());
        text.extend(strings.iter().flat_map(|string| string.iter().chain(b"\n")));
    }
    text
}

/// Starts the program, which has to see `seen` as its arguments.
fn sees(args: &Strings, seen: &Strings, envs: &Strings) {
    let mut command = Command::new(&*START);
    started_with(&mut command, args, envs);
    let output = command.output().expect("it starts");
    assert_eq!(output.status.code(), Some(0));
    let (stdout, account) = (output.stdout, account(seen, envs));
    let same = stdout
        .iter()
        .zip(&account)
        .take_while(|(got, want)| got == want)
        .count();
    assert!(
        stdout == account,
        "differs from byte {same} on: {:?}",
        head(&stdout[same..])
    );
}

fn head(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned()
}

#[test]
fn arguments_and_environment_are_seen() {
    let rows: &[(Strings, Strings)] = &[
        (strings(&[b"start"]), strings(&[])),
        (strings(&[b"start"]), strings(&[b"A=1"])),
        (strings(&[b"start", b"one"]), strings(&[b"A=1", b"B=2"])), // an even number of words more
        (strings(&[b""]), strings(&[b""])),
        (
            strings(&[b"start", b"", b"", b"end"]),
            strings(&[b"=", b"A=", b"no equals sign", b"A=2"]),
        ),
        (
            strings(&[b"\xff\xfe", b"\x80 \n\t"]),
            strings(&[b"\xff=\x80", b"caf\xe9=1"]),
        ),
        (many(1000, 8), strings(&[])),
        (many(1000, 8), many(1000, 8)),
        (strings(&[b"start"]), many(8192, 128)), // 1 MiB
        (strings(&[b"start"]), many(1, 120 * 1024)),
        (many(2, 120 * 1024), strings(&[])),
    ];
    for (args, envs) in rows {
        sees(args, args, envs);
    }
}

/// From Linux 5.18 on, a list without arguments is given an empty one.
#[test]
fn no_arguments_as_the_kernel_has_it() {
    let filled = Kernel::here().expect("a kernel") >= Kernel(5, 18);
    sees(
        &strings(&[]),
        &strings(if filled { &[b""] } else { &[] }),
        &strings(&[b"A=1"]),
    );
}

/// A stack as the kernel would make it.
fn stack(args: &[&'static CStr], envs: &[&'static CStr], auxv: &[(usize, usize)]) -> Vec<usize> {
    let address = |string: &&'static CStr| string.as_ptr().expose_provenance();
    let mut words = vec![args.len()];
    words.extend(args.iter().map(address).chain([0]));
    words.extend(envs.iter().map(address).chain([0]));
    words.extend(
        auxv.iter()
            .chain([&(0, 0)])
            .flat_map(|(kind, value)| [*kind, *value]),
    );
    words
}

/// What a stack holds: arguments, environment, and the auxiliary vector, which nobody reads.
type Contents<'a> = (
    &'a [&'static CStr],
    &'a [&'static CStr],
    &'a [(usize, usize)],
);

#[test]
fn every_form_of_stack_is_read() {
    let rows: &[Contents] = &[
        (&[], &[], &[]),
        (&[], &[c"A=1"], &[(6, 4096)]),
        (&[], &[c"A=1", c"B=2"], &[]),
        (&[c""], &[], &[(6, 4096), (11, 0), (1, 0)]),
        (&[c"program"], &[c""], &[]),
        (&[c"program", c"", c"two"], &[c"A=1", c"A=2"], &[(25, 1)]),
    ];
    for (args, envs, auxv) in rows {
        let words = stack(args, envs, auxv);
        // SAFETY: `words` has the form of a stack, and lives until the end of this round.
        let stack = unsafe { Stack::new(words.as_ptr()) };
        assert_eq!(stack.args().collect::<Vec<_>>(), *args);
        assert_eq!(stack.envs().collect::<Vec<_>>(), *envs);
    }
}

#[test]
fn variables_are_found() {
    let envs = &[
        c"LONGER=1",
        c"LONG=2",
        c"EMPTY=",
        c"TWICE=3",
        c"TWICE=4",
        c"EQUALS=a=b",
        c"BARE",
        c"",
        c"LAST=5",
    ];
    let rows: &[(&[u8], Option<&CStr>)] = &[
        (b"LONGER=", Some(c"1")),
        (b"LONG=", Some(c"2")),
        (b"LON=", None),
        (b"ONG=", None),
        (b"LONGEST=", None),
        (b"long=", None),
        (b"EMPTY=", Some(c"")),
        (b"TWICE=", Some(c"3")),
        (b"EQUALS=", Some(c"a=b")),
        (b"BARE=", None),
        (b"LAST=", Some(c"5")),
        (b"program=", None),
    ];
    let words = stack(&[c"program=6"], envs, &[(6, 4096)]);
    // SAFETY: `words` has the form of a stack, and lives until the end of this test.
    let stack = unsafe { Stack::new(words.as_ptr()) };
    let found: Vec<_> = rows
        .iter()
        .map(|(name, _)| (*name, stack.env(name)))
        .collect();
    assert_eq!(found, rows);
}

#[test]
fn fixtures_ignore_what_they_are_started_with() {
    let rows: &[(Strings, Strings)] = &[
        (strings(&[]), strings(&[])),
        (many(1000, 8), strings(&[])),
        (strings(&[b"fixture"]), many(8192, 128)),
        (
            strings(&[b"fixture", b"--help", b"\xff"]),
            many(1, 120 * 1024),
        ),
    ];
    let room = Room::new();
    for scenario in scenarios() {
        for (args, envs) in rows {
            let mut command = Command::new(shipped(&scenario));
            room.as_tmp(&mut command);
            started_with(&mut command, args, envs);
            let output = command.output().expect("it starts");
            let end = (
                output.status.code(),
                head(&output.stdout),
                head(&output.stderr),
            );
            assert_eq!(end, (Some(0), String::new(), String::new()), "{scenario}");
            assert_eq!(room.names(), [""; 0], "{scenario}");
        }
    }
}

/// gdb knows the frame of a signal by the bytes of the restorer, and says so.
#[test]
fn gdb_sees_the_frame_of_a_signal() {
    let mut gdb = Command::new("gdb");
    gdb.args(["-nx", "-batch", "-ex", "handle SIGALRM stop print pass"]);
    gdb.args(["-ex", "run", "-ex", "stepi", "-ex", "bt 2"]);
    let output = gdb.arg(shipped("aio-getevents-eintr")).output();
    let stdout = String::from_utf8(output.expect("gdb starts").stdout).expect("text");
    let frames: Vec<_> = stdout
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| line.split(" 0x").next().unwrap_or_default())
        .collect();
    assert_eq!(frames, ["#0 ", "#1  <signal handler called>"], "{stdout}");
}
