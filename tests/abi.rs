//! Does the kernel's ABI, as `ioworkload::sys` has it, agree with the kernel's own headers?

mod programs;

use ioworkload::sys::aio_abi::{self, IoEvent, Iocb, Iovec};
use ioworkload::sys::{self, Errno, Itimerval, Pollfd, Timespec, errno};
use ioworkload_check::compare::compare;
use ioworkload_check::expected::{self, Expected};
use ioworkload_check::{layout, syscalls};
use ioworkload_tests::{scenarios, strace, tracefs};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::mem::{offset_of, size_of, size_of_val};
use std::path::Path;
use std::process::{Command, Output};
use std::{fs, str};

/// Expressions in C, and the values that Rust has for them.
type Facts = BTreeMap<String, i64>;

/// What the C compiler makes of the expressions.
fn in_c(name: &str, facts: &Facts) -> Facts {
    let directory = Path::new(programs::SCRATCH).join("c");
    fs::create_dir_all(&directory).expect("target/ can be written");
    let (source, program) = (directory.join(format!("{name}.c")), directory.join(name));
    fs::write(&source, text_in_c(facts)).expect("target/ can be written");
    let mut cc = Command::new("cc");
    output(
        cc.args(["-Wall", "-Wextra", "-Werror", "-o"])
            .args([&program, &source]),
    );
    let said = String::from_utf8(output(&mut Command::new(program)).stdout).expect("text");
    let fact = |line: &str| {
        Some((
            line.split_once(" = ")?.0.into(),
            line.split_once(" = ")?.1.parse().ok()?,
        ))
    };
    said.lines().map(|line| fact(line).expect(line)).collect()
}

fn text_in_c(facts: &Facts) -> String {
    let headers = [
        "errno.h",
        "fcntl.h",
        "linux/aio_abi.h",
        "linux/fs.h",
        "linux/time_types.h",
        "poll.h",
        "signal.h",
        "stddef.h",
        "stdio.h",
        "sys/mman.h",
        "sys/syscall.h",
        "sys/time.h",
        "sys/uio.h",
        "unistd.h",
    ];
    let mut text = String::from("#define _GNU_SOURCE\n");
    for header in headers {
        writeln!(text, "#include <{header}>").expect("a String takes all");
    }
    text.push_str("int main(void) {\n");
    for fact in facts.keys() {
        writeln!(
            text,
            "    printf(\"{fact} = %lld\\n\", (long long)({fact}));"
        )
        .expect("a String takes all");
    }
    text + "    return 0;\n}\n"
}

fn output(command: &mut Command) -> Output {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

/// The facts about structures: size and fields, in the words of the header.
macro_rules! structures {
    ($($ours:ident is $theirs:literal { $($field:ident)+ })+) => {{
        let mut facts = Facts::new();
        $(
            let size = concat!("sizeof(struct ", $theirs, ")");
            facts.insert(size.into(), size_of::<$ours>() as i64);
            $(
                let offset = concat!("offsetof(struct ", $theirs, ", ", stringify!($field), ")");
                facts.insert(offset.into(), offset_of!($ours, $field) as i64);
                let size = concat!("sizeof(((struct ", $theirs, " *)0)->", stringify!($field), ")");
                facts.insert(size.into(), size_of_val(&$ours::default().$field) as i64);
            )+
        )+
        facts
    }};
}

#[test]
fn structures() {
    let facts = structures! {
        Iocb is "iocb" {
            aio_data aio_key aio_rw_flags aio_lio_opcode aio_reqprio aio_fildes
            aio_buf aio_nbytes aio_offset aio_reserved2 aio_flags aio_resfd
        }
        IoEvent is "io_event" { data obj res res2 }
        Timespec is "__kernel_timespec" { tv_sec tv_nsec }
        Pollfd is "pollfd" { fd events revents }
        Iovec is "iovec" { iov_base iov_len }
        Itimerval is "itimerval" { it_interval it_value }
    };
    assert_eq!(facts, in_c("structures", &facts));
}

/// What the witnesses' bytes are read with.
#[test]
fn layouts() {
    let structures = [
        ("iocb", "aio_data"),
        ("io_event", "data"),
        ("__kernel_timespec", "tv_sec"),
        ("iovec", "iov_base"),
        ("pollfd", "fd"),
    ];
    let mut facts = Facts::new();
    for (structure, field) in structures {
        let layout = layout::of(field).expect("a layout");
        let one = format!("struct {structure}");
        facts.insert(format!("sizeof({one})"), layout.size as i64);
        for &(field, offset, size) in layout.fields {
            facts.insert(format!("offsetof({one}, {field})"), offset as i64);
            facts.insert(format!("sizeof((({one} *)0)->{field})"), size as i64);
        }
    }
    assert_eq!(facts, in_c("layouts", &facts));
}

/// The facts about constants, which have their names from the headers.
macro_rules! constants {
    ($($module:ident { $($name:ident)+ })+) => {
        Facts::from([$($((stringify!($name).into(), i64::from($module::$name))),+),+])
    };
}

#[test]
fn constants() {
    let mut facts = constants! {
        aio_abi {
            IOCB_CMD_PREAD IOCB_CMD_PWRITE IOCB_CMD_FSYNC IOCB_CMD_FDSYNC IOCB_CMD_POLL
            IOCB_CMD_NOOP IOCB_CMD_PREADV IOCB_CMD_PWRITEV IOCB_FLAG_RESFD IOCB_FLAG_IOPRIO
            RWF_DSYNC RWF_NOWAIT RWF_APPEND POLLIN POLLOUT POLLHUP POLLRDNORM
        }
        sys {
            F_GETFD F_OK O_RDWR O_CREAT O_EXCL O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_PATH
            PROT_READ PROT_WRITE MAP_PRIVATE MAP_SHARED MAP_ANONYMOUS
            MREMAP_MAYMOVE MREMAP_FIXED
            SIGUSR1 SIGPIPE SIGALRM SIG_BLOCK SIG_SETMASK SA_RESTART ITIMER_REAL
        }
    };
    facts.insert("(unsigned)AT_FDCWD".into(), i64::from(sys::AT_FDCWD));
    facts.insert(
        "sizeof(aio_context_t)".into(),
        size_of::<aio_abi::aio_context_t>() as i64,
    );
    assert_eq!(facts, in_c("constants", &facts));
}

macro_rules! errnos {
    ($($name:ident)+) => {
        Facts::from([$((stringify!($name).into(), errno::$name.number())),+])
    };
}

#[test]
fn errnos() {
    let constants = errnos! {
        EPERM ENOENT EINTR EIO ENXIO EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST ENODEV
        ENOTDIR EISDIR EINVAL ENFILE EMFILE EFBIG ENOSPC EROFS EPIPE ENOSYS ELOOP EOPNOTSUPP
        ENOTCONN ETIMEDOUT EINPROGRESS ESTALE EDQUOT
    };
    assert_eq!(constants, in_c("errnos", &constants));
    assert_eq!(constants, named_errnos());
}

/// Every number that has a name.
fn named_errnos() -> Facts {
    let fact = |number: i64| {
        let errno = Errno::check(-number as usize).expect_err("an error");
        let mut name = String::new();
        errno.name(&mut |byte| name.push(byte.into()));
        (name != "unknown").then(|| (name, errno.number()))
    };
    (1..=4095).filter_map(fact).collect()
}

#[test]
fn errors_and_values() {
    let rows: &[(i64, Result<usize, i64>)] = &[
        (0, Ok(0)),
        (1, Ok(1)),
        (i64::MAX, Ok(usize::MAX >> 1)),
        (i64::MIN, Ok(1 << 63)),
        (-4097, Ok(usize::MAX - 4096)),
        (-4096, Ok(usize::MAX - 4095)),
        (-4095, Err(-4095)),
        (-4094, Err(-4094)),
        (-22, Err(-22)),
        (-1, Err(-1)),
    ];
    let checked = |ret: i64| Errno::check(ret as usize).map_err(|errno| -errno);
    let answers: Vec<_> = rows.iter().map(|(ret, _)| (*ret, checked(*ret))).collect();
    assert_eq!(answers, rows);
}

/// What tests/programs/calls.rs asks for: every call of `sys`, and each argument in its register.
const CALLS: &str = r#"{
    "format": 1,
    "scenario": "calls",
    "about": "Every call of `sys` once.",
    "calls": [
        {"name": "io_setup", "nr": 206, "args": [17, 18], "ret": -14},
        {"name": "io_getevents", "nr": 208, "args": [33, 34, 35, 36, 37], "ret": -14},
        {"name": "io_submit", "nr": 209, "args": [49, 50, 51], "ret": -22},
        {"name": "io_cancel", "nr": 210, "args": [65, 66, 67], "ret": -14},
        {"name": "io_destroy", "nr": 207, "args": [81], "ret": -22},
        {"name": "openat", "nr": 257, "args": [97, "&open", 98, 99], "ret": -9},
        {"name": "close", "nr": 3, "args": [113], "ret": -9},
        {"name": "unlinkat", "nr": 263, "args": [129, "&unlink", 130], "ret": -22},
        {"name": "faccessat", "nr": 269, "args": [145, "&access", 146], "ret": -22},
        {"name": "write", "nr": 1, "args": [161, "&buf", 10], "ret": -9},
        {"name": "getpid", "nr": 39, "args": [], "ret": "$pid"},
        {"name": "nanosleep", "nr": 35, "args": ["&time", "&time"], "ret": 0},
        {"name": "rt_sigprocmask", "nr": 14, "args": [0, "&set", "&old", 8], "ret": 0},
        {"name": "read", "nr": 0, "args": [193, "&room", 11], "ret": -9},
        {"name": "fcntl", "nr": 72, "args": [209, 210, 0], "ret": -9},
        {"name": "ppoll", "nr": 271, "args": ["&poll", 1, "&short", 0, 0], "ret": 1},
        {"name": "io_pgetevents", "nr": 333, "args": [193, 194, 195, 196, 197, 198], "ret": -14},
        {"name": "pipe2", "nr": 293, "args": ["&fds", 209], "ret": -22},
        {"name": "eventfd2", "nr": 290, "args": [225, 226], "ret": -22},
        {"name": "memfd_create", "nr": 319, "args": ["&name", 241], "ret": -22},
        {"name": "rt_sigaction", "nr": 13, "args": [257, "&act", "&oact", 8], "ret": -22},
        {"name": "kill", "nr": 62, "args": [2147483647, 274], "ret": -3},
        {"name": "setitimer", "nr": 38, "args": [289, "&value", 0], "ret": -22},
        {"name": "mmap", "nr": 9, "args": [0, 305, 306, 291, 308, 309], "ret": -22},
        {"name": "mprotect", "nr": 10, "args": [321, 322, 323], "ret": -22},
        {"name": "munmap", "nr": 11, "args": [337, 338], "ret": -22},
        {"name": "mremap", "nr": 25, "args": [369, 370, 371, 372, 373], "ret": -22},
        {"name": "pwrite64", "nr": 18, "args": [385, "&place", 12, 386], "ret": -9},
        {"name": "fork", "nr": 57, "args": [], "ret": "$child"},
        {"name": "wait4", "nr": 61, "args": ["$child", "&stat", 0, 0], "ret": "$child"},
        {"name": "vfork", "nr": 58, "args": [], "ret": "$other"},
        {"name": "wait4", "nr": 61, "args": ["$other", "&stat", 0, 0], "ret": "$other"},
        {"name": "exit_group", "nr": 231, "args": [177], "ret": null}
    ],
    "children": [
        [
            {"name": "exit_group", "nr": 231, "args": [3], "ret": null}
        ],
        [
            {"name": "io_getevents", "nr": 208, "args": [353, 354, 355, 356, 357], "ret": -14},
            {"name": "exit_group", "nr": 231, "args": [4294967282], "ret": null}
        ]
    ]
}"#;

fn every_call() -> Expected {
    serde_json::from_str(CALLS).expect("as the files of tests/expected")
}

#[test]
fn calls() {
    let program = programs::compile("calls", &[]).expect("it links");
    let seen = strace::witness(&program, &|_| {}).expect("strace sees it");
    assert_eq!(compare(&every_call(), &seen).differences(), [""; 0]);
}

#[test]
fn call_numbers() {
    let load = |name: &String| expected::load(name).expect("an expected trace");
    let expected = scenarios().iter().map(load).collect::<Vec<_>>();
    let extra = every_call();
    let calls = expected
        .iter()
        .chain([&extra])
        .flat_map(|expected| expected.each());
    let rows: Vec<_> = calls
        .map(|call| (format!("__NR_{}", call.name), call.nr as i64))
        .collect();
    let facts: Facts = rows.iter().cloned().collect();
    assert!(
        rows.iter().all(|(name, nr)| facts[name] == *nr),
        "two numbers for a name: {rows:?}"
    );
    assert_eq!(facts, in_c("call_numbers", &facts));
}

#[test]
fn memory_functions() {
    let program = programs::compile("memory", &[]).expect("it links");
    let output = Command::new(program).output().expect("it starts");
    let said = str::from_utf8(&output.stderr).expect("text");
    assert_eq!((output.status.code(), said), (Some(0), ""));
}

/// `\tfield:unsigned int fd;\toffset:16;…`: those of the call, without its number.
fn declared(format: &str) -> Vec<String> {
    let fields = format
        .lines()
        .filter_map(|line| line.strip_prefix("\tfield:"));
    let fields = fields.filter_map(|field| Some(field.split_once(';')?.0.to_owned()));
    let own = |field: &String| !field.contains(" common_") && !field.ends_with(" __syscall_nr");
    fields.filter(own).collect()
}

/// Where the kernel's tracepoint of a call is; some are called as the function inside.
fn tracepoint(events: &Path, name: &str) -> Option<String> {
    let inside = [name.to_owned(), format!("new{name}"), format!("{name}64")];
    inside
        .iter()
        .find_map(|name| fs::read_to_string(events.join(format!("sys_enter_{name}/format"))).ok())
}

#[test]
fn every_system_call_is_as_the_kernel_declares_it() {
    let events = tracefs::root().expect("tracefs").join("events/syscalls");
    let mut wrong = Vec::new();
    let facts: Facts = syscalls::ALL
        .iter()
        .map(|call| (format!("__NR_{}", call.name), call.nr as i64))
        .collect();
    assert_eq!(in_c("numbers", &facts), facts);
    for call in syscalls::ALL.iter() {
        // A kernel need not have every call.
        let Some(format) = tracepoint(&events, &call.name) else {
            continue;
        };
        if declared(&format) != call.args {
            wrong.push(format!("{}: {:?}", call.name, declared(&format)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn system_calls_are_found_by_number_and_by_name() {
    let numbers: Vec<_> = syscalls::ALL.iter().map(|call| call.nr).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b) && numbers.len() > 300);
    for call in syscalls::ALL.iter() {
        let found = [syscalls::of(call.nr), syscalls::named(&call.name)];
        assert!(
            found
                .iter()
                .all(|found| found.is_some_and(|found| std::ptr::eq(found, call)))
        );
    }
    assert!(syscalls::of(335).is_none() && syscalls::named("io_").is_none());
}
