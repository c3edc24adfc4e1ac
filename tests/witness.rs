//! Do independent witnesses, each on its own path through the kernel, see exactly the calls that
//! are expected, and would each notice if not?

mod programs;

use anyhow::{Context, Result, anyhow, ensure};
use ioworkload_check::compare::compare;
use ioworkload_check::events::{self, Event};
use ioworkload_check::expected::{Kernel, load, parse};
use ioworkload_check::trace::Seen;
use ioworkload_tests::held::Held;
use ioworkload_tests::propose::propose;
use ioworkload_tests::room::Room;
use ioworkload_tests::trials::{self, trial};
use ioworkload_tests::witnesses::Witness;
use ioworkload_tests::{
    NOBODY, bpftrace, ftrace, perf, ptrace, said, scenarios, seccomp, shipped, start_so,
    trace_file, witnesses, writer,
};
use libtest_mimic::{Arguments, Trial};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::{LazyLock, Mutex};
use std::thread;

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (name, witness) in witnesses::ALL {
        for scenario in scenarios() {
            let title = format!("{name}::{scenario}");
            trials.push(trial(title, move || exact(name, witness, &scenario)));
        }
        for fault in FAULTS {
            let title = format!("control::{name}::{}", fault.name);
            trials.push(trial(title, move || notices(witness, fault)));
        }
    }
    for scenario in scenarios() {
        let title = format!("record::{scenario}");
        trials.push(trial(title, move || proposed(&scenario)));
    }
    for scenario in scenarios() {
        let title = format!("seccomp::{scenario}");
        trials.push(trial(title, move || allowed(&scenario)));
    }
    for fault in FAULTS {
        let title = format!("control::seccomp::{}", fault.name);
        trials.push(trial(title, move || forbidden(fault)));
    }
    trials.extend(controls());
    trials.extend(tools());
    trials::run(&Arguments::from_args(), trials)
}

fn exact(name: &str, witness: Witness, scenario: &str) -> Result<()> {
    let seen = if name == "bpftrace" {
        seen_together(scenario)?
    } else {
        watch(witness, &shipped(scenario))?
    };
    let verdict = compare(&load(scenario)?, &seen);
    ensure!(verdict.exact(), "{verdict}");
    let unread = match name {
        "ptrace" => &[],
        "bpftrace" => out_of_reach(scenario),
        // They see no memory.
        _ => return Ok(()),
    };
    ensure!(verdict.unread == unread, "not read: {:?}", verdict.unread);
    Ok(())
}

/// What a program in the kernel can't read: pages that were never touched.
fn out_of_reach(scenario: &str) -> &'static [&'static str] {
    match scenario {
        "aio-cold" => &[
            "io_setup: in &cold_ctx",
            "io_submit: in &cold_iocbpp",
            "io_submit: in &cold_iocb",
            "io_submit: in &cold_payload",
            "io_getevents: in &cold_now",
        ],
        _ => &[],
    }
}

/// What a witness sees of a program.
fn watch(witness: Witness, program: &Path) -> Result<Seen> {
    let room = Room::new();
    let seen = witness(program, &|command| room.as_tmp(command))?;
    ensure!(room.names().is_empty(), "left behind: {:?}", room.names());
    Ok(seen)
}

/// What one bpftrace sees of all scenarios: of this one.
fn seen_together(scenario: &str) -> Result<Seen> {
    static ALL: LazyLock<Mutex<Result<Vec<Result<Seen>>>>> =
        LazyLock::new(|| Mutex::new(together()));
    let mut all = ALL.lock().expect("no test panics");
    let all = all.as_mut().map_err(|error| anyhow!("{error:#}"))?;
    let at = scenarios().iter().position(|other| other == scenario);
    let seen = &mut all[at.context("no such scenario")?];
    std::mem::replace(seen, Err(anyhow!("asked for twice")))
}

fn together() -> Result<Vec<Result<Seen>>> {
    let room = Room::new();
    let held = |name: &String| Held::new(&shipped(name), &|command| room.as_tmp(command));
    let held = scenarios().iter().map(held).collect::<Result<_>>()?;
    let all = bpftrace::together(held)?;
    ensure!(room.names().is_empty(), "left behind: {:?}", room.names());
    Ok(all)
}

/// What `make record` would write for a scenario that nobody has described is right.
fn proposed(scenario: &str) -> Result<()> {
    let seen = watch(ptrace::witness, &shipped(scenario))?;
    let text = writer::file(&propose(scenario, &seen, BTreeMap::new()));
    let verdict = compare(&parse(&text, Kernel::here()?)?, &seen);
    ensure!(
        verdict.exact() && verdict.unread.is_empty(),
        "{verdict}\n{:?}\n{text}",
        verdict.unread
    );
    Ok(())
}

/// The kernel lets the scenario pass that makes its own calls only.
fn allowed(scenario: &str) -> Result<()> {
    let room = Room::new();
    let confine = |command: &mut Command| room.as_tmp(command);
    let end = seccomp::witness(&load(scenario)?, &shipped(scenario), &confine)?;
    ensure!(end == "exited with 0", "it {end}");
    Ok(())
}

/// A way in which tests/programs/altered.rs is not aio-submit, and the differences that it makes:
/// how each line starts.
struct Fault {
    name: &'static str,
    differences: &'static [&'static str],
    /// How it ends where only the calls of aio-submit are allowed.
    end: &'static str,
}

static FAULTS: &[Fault] = &[
    Fault {
        name: "none",
        differences: &[],
        end: "exited with 0",
    },
    Fault {
        name: "one-more",
        differences: &["not asked for: getpid() = "],
        end: "killed by SIGSYS",
    },
    Fault {
        name: "one-less",
        differences: &["missing: io_destroy"],
        end: "exited with 0",
    },
    Fault {
        name: "order",
        differences: &["missing: io_destroy", "not asked for: io_destroy(0x7"],
        end: "exited with 0",
    },
    Fault {
        name: "nr_events",
        differences: &["io_setup(0x21, "],
        end: "killed by SIGSYS",
    },
    Fault {
        name: "thread",
        differences: &[
            "not asked for: clone(0x210f00, ",
            "not asked for: another thread or process, which did exit(0x210f00) = ?",
        ],
        end: "killed by SIGSYS",
    },
];

/// The program with a fault. All are built together, once, before the first of them runs.
fn altered(fault: &str) -> Result<PathBuf> {
    static ALL: LazyLock<Vec<Result<PathBuf, String>>> =
        LazyLock::new(|| FAULTS.iter().map(|fault| build(fault.name)).collect());
    let at = FAULTS.iter().position(|other| other.name == fault);
    let program = &ALL[at.context("no such fault")?];
    program.clone().map_err(anyhow::Error::msg)
}

fn build(fault: &str) -> Result<PathBuf, String> {
    let flags = [
        "--check-cfg=cfg(fault,values(any()))".into(),
        format!("--cfg=fault=\"{fault}\""),
    ];
    programs::compile_as(&format!("altered-{fault}"), "altered", &flags)
}

fn notices(witness: Witness, fault: &Fault) -> Result<()> {
    let seen = watch(witness, &altered(fault.name)?)?;
    let found = compare(&load("aio-submit")?, &seen).differences();
    start_so(&found, fault.differences)
}

/// The filter sees which calls are made, so a call that is missing and another order escape it.
fn forbidden(fault: &Fault) -> Result<()> {
    let room = Room::new();
    let confine = |command: &mut Command| room.as_tmp(command);
    let program = altered(fault.name)?;
    let end = seccomp::witness(&load("aio-submit")?, &program, &confine)?;
    ensure!(end == fault.end, "it {end}, not {}", fault.end);
    Ok(())
}

/// What is lost is said, and so is what a user may not do.
fn controls() -> Vec<Trial> {
    type Small = fn(usize, &Path, &dyn Fn(&mut Command)) -> Result<Seen>;
    let mut trials = Vec::new();
    let small: [(&str, usize, Small); 3] = [
        ("perf", 1, perf::with_buffer),
        ("ftrace", 4, ftrace::with_buffer),
        ("bpftrace", 1, bpftrace::with_buffer),
    ];
    for (name, size, witness) in small {
        let title = format!("control::{name}::lost-events");
        trials.push(trial(title, move || {
            let seen = witness(size, &shipped("aio-burst"), &|_| ());
            counts(seen)
        }));
    }
    for (name, witness) in witnesses::ALL.into_iter().skip(1) {
        let title = format!("control::{name}::without-rights");
        trials.push(trial(title, move || {
            let advice = "run as root, or take strace, which anyone can have";
            let program = shipped("aio-setup"); // nobody may not even find it
            let seen = as_nobody(|| witness(&program, &|_| ()));
            says(seen, &format!("{name} needs root: {advice}"))
        }));
    }
    trials.push(trial("control::an-event-is-lost", an_event_is_lost));
    trials
}

/// It fails with the tracer's own count: broken pairs alone would leave out a loss at the end.
fn counts(seen: Result<Seen>) -> Result<()> {
    let error = format!("{:#}", seen.err().context("it passes")?);
    let count = error.strip_prefix("witness lost events: ").unwrap_or("");
    ensure!(count.parse::<u64>().is_ok_and(|count| count > 0), "{error}");
    Ok(())
}

/// It fails with a line that starts so.
fn says(seen: Result<Seen>, start: &str) -> Result<()> {
    let error = seen.err().context("it passes")?;
    ensure!(format!("{error:#}").starts_with(start), "{error:#}");
    Ok(())
}

/// Runs something in a thread that is nobody's: without libc, which would take all threads along.
fn as_nobody<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    let nobody = || {
        // SAFETY: the call takes no pointer.
        let done = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
        assert_eq!(done, 0, "only root can become somebody else");
        run()
    };
    thread::scope(|scope| scope.spawn(nobody).join()).expect("a witness does not panic")
}

/// A run of aio-setup, as ftrace and perf tell it.
const RUN: [&str; 6] = [
    "sys_exit: NR 59 = 0",
    "sys_enter: NR 206 (20, 7ffc0, 0, 0, 0, 0)",
    "sys_exit: NR 206 = 0",
    "sys_enter: NR 207 (7f1000, 7ffc0, 0, 0, 0, 0)",
    "sys_exit: NR 207 = 0",
    "sys_enter: NR 231 (0, 7ffc0, 0, 0, 0, 0)",
];

/// Whichever event is missing: somebody says so.
fn an_event_is_lost() -> Result<()> {
    let events = RUN.map(|text| events::parse(7, text));
    let events: Vec<_> = events.into_iter().collect::<Result<_>>()?;
    let differences = |events: &[Event]| {
        let seen = events::family(7, events, "exited with 0".into())?;
        anyhow::Ok(compare(&load("aio-setup")?, &seen).differences())
    };
    ensure!(
        differences(&events)?.is_empty(),
        "{:?}",
        differences(&events)
    );
    for lost in 0..events.len() {
        let mut events = events.clone();
        events.remove(lost);
        match differences(&events) {
            Ok(found) => ensure!(
                lost == 5 && found == ["missing: exit_group"],
                "{lost}: {found:?}"
            ),
            Err(error) => ensure!(
                format!("{error:#}").starts_with("witness lost events: "),
                "{error:#}"
            ),
        }
    }
    Ok(())
}

/// `make trace` and `make record` do what they say.
fn tools() -> Vec<Trial> {
    type Test = fn() -> Result<()>;
    let rows: [(&str, Test); 3] = [
        ("tool::trace", trace_shows),
        ("tool::record", record_agrees),
        ("tool::record-of-a-failure", record_proposes),
    ];
    rows.map(|(title, test)| trial(title, test)).into()
}

fn tool(name: &str) -> Command {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_tool"));
    tool.arg(name);
    tool
}

/// `make trace`: a mark for every difference, and for nothing else.
fn trace_shows() -> Result<()> {
    let room = Room::new();
    let mut trace = tool("trace");
    room.as_tmp(trace.args(["aio-submit", "ptrace"]));
    let (code, stdout, _) = said(&mut trace);
    ensure!(
        code == Some(0) && stdout.ends_with("\n0 differences\n"),
        "{code:?} {stdout}"
    );
    ensure!(
        !stdout.lines().any(|line| line.starts_with('!')),
        "{stdout}"
    );
    let mut trace = tool("trace");
    room.as_read_only_tmp(trace.args(["aio-submit", "ptrace"]));
    let (code, stdout, _) = said(&mut trace);
    let (table, list) = stdout.split_once("\n\n").context("two parts")?;
    let marked = |part: &str| part.lines().filter(|line| line.starts_with("! ")).count();
    ensure!(code == Some(1) && marked(table) == 9, "{code:?} {stdout}");
    ensure!(
        list.ends_with(&format!("\n{} differences\n", marked(list))),
        "{stdout}"
    );
    Ok(())
}

fn record_agrees() -> Result<()> {
    let said = said(tool("record").arg("aio-setup"));
    let file = trace_file("aio-setup");
    let wanted = (
        Some(0),
        format!("{} is what ptrace sees\n", file.display()),
        String::new(),
    );
    ensure!(said == wanted, "{said:?}");
    Ok(())
}

/// What a fixture does on a read-only /tmp is proposed, and the file stays as it was.
fn record_proposes() -> Result<()> {
    let room = Room::new();
    let before = fs::read(trace_file("aio-submit"))?;
    let mut record = tool("record");
    room.as_read_only_tmp(record.arg("aio-submit"));
    let (code, stdout, _) = said(&mut record);
    let added = stdout.lines().filter(|line| line.starts_with("+ "));
    let added: Vec<_> = added.map(|line| line.split('"').nth(3)).collect();
    let wanted = ["openat", "rt_sigprocmask", "write", "exit_group"].map(Some);
    ensure!(code == Some(1) && added == wanted, "{code:?} {stdout}");
    ensure!(
        fs::read(trace_file("aio-submit"))? == before,
        "the expected trace was written over"
    );
    Ok(())
}
