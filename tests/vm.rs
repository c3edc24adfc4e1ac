//! Do the fixtures run on bare ground, on four kernels, and is everything that can go wrong there
//! reported as such?

mod programs;

use anyhow::{Context, Result, bail, ensure};
use ioworkload_check::compare::compare;
use ioworkload_check::expected::load_on;
use ioworkload_tests::bare::archive::{Node, initramfs};
use ioworkload_tests::bare::ktap::{self, Report, Row};
use ioworkload_tests::bare::vm::{Accelerator, Boot, End, Machine};
use ioworkload_tests::bare::{
    accelerator, apt, ground, ground_of, kernel, kunit, oops, run, trace,
};
use ioworkload_tests::trials::{self, trial};
use ioworkload_tests::{scenarios, shipped, start_so};
use libtest_mimic::Arguments;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

const KERNELS: [&str; 4] = ["bullseye", "bookworm", "trixie", "sid"];

/// The kernel of all tests that are not about kernels.
const KERNEL: &str = "bookworm";

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for kernel in KERNELS {
        trials.push(trial(format!("report::{kernel}"), move || reports(kernel)));
        for level in ["quiet", "loglevel=7"] {
            let name = format!("console::{kernel}::{level}");
            trials.push(trial(name, move || console(kernel, level)));
        }
        trials.push(trial(
            format!("trace::{kernel}::aio-getevents"),
            move || exact(kernel, "aio-getevents"),
        ));
    }
    trials.extend(TESTS.iter().map(|&(name, test)| trial(name, test)));
    trials::run(&Arguments::from_args(), trials)
}

/// A machine as `make vm` has it, but for the accelerator: what is tested is the same everywhere.
fn machine(kernel: &str) -> Result<Machine> {
    Ok(Machine {
        qemu: "qemu-system-x86_64".into(),
        kernel: kernel::find(kernel)?,
        accelerator: Accelerator::Tcg,
        memory: 256,
        cpus: 1,
        limit: Duration::from_mins(4),
        share: None,
    })
}

fn reports(kernel: &str) -> Result<()> {
    let (report, boot) = run(
        &machine(kernel)?,
        &format!("test-{kernel}"),
        ground(),
        "",
        &mut |_| (),
    )?;
    let verdict = (boot.end.clone(), boot.verdict.as_str());
    ensure!(verdict == (End::Well, "0"), "{verdict:?}");
    let well = |name| Row {
        ok: true,
        name,
        ..Row::default()
    };
    let wanted: Vec<_> = scenarios().into_iter().map(well).collect();
    ensure!(report.rows == wanted, "{report:?}");
    read_by_kunit(&report, &boot)
}

/// The kernel's own reader finds the same in the raw console.
fn read_by_kunit(report: &Report, boot: &Boot) -> Result<()> {
    let wanted: Vec<_> = report.rows.iter().map(kunit::case).collect();
    let found = kunit::parse(&boot.log)?;
    ensure!(found == wanted, "{}: {found:?}", boot.log.display());
    Ok(())
}

/// However much the kernel says, and whenever: here at each interrupt, so also at those by which the
/// serial port asks for the next sixteen bytes of a line.
fn console(kernel: &str, level: &str) -> Result<()> {
    let words =
        format!("{level} tp_printk trace_event=irq:irq_handler_entry aio-setup no-such aio-submit");
    let log = format!("test-console-{kernel}-{level}");
    let (report, boot) = run(&machine(kernel)?, &log, ground(), &words, &mut |_| ())?;
    let names: Vec<_> = report.rows.iter().map(|row| row.name.as_str()).collect();
    ensure!(names == ["aio-setup", "no-such", "aio-submit"], "{names:?}");
    let told = boot
        .console
        .iter()
        .any(|line| line.contains("irq_handler_entry: irq=4 "));
    ensure!(told == (level == "loglevel=7"), "{}", boot.log.display());
    read_by_kunit(&report, &boot)
}

fn exact(kernel: &str, scenario: &str) -> Result<()> {
    let verdict = trace(&machine(kernel)?, scenario)?;
    ensure!(!verdict.rows.is_empty() && verdict.exact(), "{verdict}");
    Ok(())
}

type Test = (&'static str, fn() -> Result<()>);

const TESTS: &[Test] = &[
    ("every-end", every_end),
    ("some-fixtures", some_fixtures),
    ("as-the-readme-says", as_the_readme_says),
    ("without-tmp", without_tmp),
    ("without-console", without_console),
    ("without-aio", without_aio),
    ("without-port", without_port),
    ("lockdown", lockdown),
    ("no-verdict", no_verdict),
    ("on-9p", on_9p),
    ("no-fixture", no_fixture),
    ("broken-archive", broken_archive),
    ("no-time", no_time),
    ("no-qemu", no_qemu),
    ("no-kernel", no_kernel),
    ("no-kvm", no_kvm),
    ("four-kernels", four_kernels),
    ("sources", sources),
    ("altered-report", altered_report),
    ("control::another-trace", another_trace),
    ("control::no-tmp-to-trace", no_tmp_to_trace),
    ("control::lost-events", lost_events),
    ("initramfs", the_same_bits),
];

/// A root directory of these programs, under these names.
fn root_of(programs: &[(&str, PathBuf)]) -> Vec<Node> {
    let programs = programs
        .iter()
        .map(|(name, file)| Node::program(name, file.clone()));
    let nodes = programs.chain([Node::tmp()]).chain(Node::dev());
    nodes
        .chain([Node::program("init", shipped("init"))])
        .collect()
}

fn boot(name: &str, nodes: Vec<Node>, words: &str) -> Result<(Report, End)> {
    let log = format!("test-{name}");
    let (report, boot) = run(&machine(KERNEL)?, &log, nodes, words, &mut |_| ())?;
    Ok((report, boot.end))
}

fn compiled(program: &str) -> Result<PathBuf> {
    programs::compile(program, &[]).map_err(|error| anyhow::anyhow!(error))
}

fn row(ok: bool, name: &str, note: &str, diagnostics: &[&str]) -> Row {
    Row {
        ok,
        name: name.into(),
        note: note.into(),
        diagnostics: diagnostics.iter().map(|&text| text.into()).collect(),
    }
}

/// A fixture can end in each of these ways, and the next one runs all the same.
fn every_end() -> Result<()> {
    let rows = [
        row(
            false,
            "exits-with-1",
            "exit=1",
            &["exits-with-1: io_setup: 1, expected 0"],
        ),
        row(false, "hangs", "TIMEOUT 10 seconds", &[]),
        row(false, "is-killed", "signal=9", &[]),
        row(true, "leaves-a-child", "", &[]),
        row(true, "meets-nobody", "", &[]),
        row(
            false,
            "panics",
            "exit=101",
            &["panics: panic: this is a bug"],
        ),
        row(
            true,
            "says-much",
            "",
            &["ok 1 fake", r"not text: \x1b\xff", "# two lines"],
        ),
        row(true, "skips", "SKIP skips: io_setup: EPERM (errno 1)", &[]),
    ];
    let (ends, panics) = (compiled("ends")?, compiled("panics")?);
    let file = |row: &Row| if row.name == "panics" { &panics } else { &ends };
    let programs: Vec<_> = rows
        .iter()
        .map(|row| (row.name.as_str(), file(row).clone()))
        .collect();
    let (report, end) = boot("every-end", root_of(&programs), "")?;
    ensure!(
        (&*report.rows, end.clone()) == (&rows, End::Badly),
        "{end:?} {report:#?}"
    );
    ensure!(report.totals() == (3, 4, 1) && !report.well(), "{report:?}");
    Ok(())
}

/// The kernel hands on the words that it does not know.
fn some_fixtures() -> Result<()> {
    let (report, end) = boot("some-fixtures", ground(), "aio-submit no-such aio-setup")?;
    let rows = [
        row(true, "aio-submit", "", &[]),
        row(false, "no-such", "exit=1", &["execve: ENOENT (errno 2)"]),
        row(true, "aio-setup", "", &[]),
    ];
    ensure!(
        (&*report.rows, end.clone()) == (&rows, End::Badly),
        "{end:?} {report:#?}"
    );
    Ok(())
}

/// The report in the README is what comes out.
fn as_the_readme_says() -> Result<()> {
    let readme = fs::read_to_string(ioworkload_tests::root().join("src/init/README.md"))?;
    let told = readme.lines().skip_while(|line| *line != "KTAP version 1");
    let told: Vec<_> = told.take_while(|line| ktap::is_part(line)).collect();
    let machine = machine(KERNEL)?;
    let (_, boot) = run(&machine, "test-readme", ground(), "aio-submit", &mut |_| ())?;
    let seen = boot.console.iter().filter(|line| ktap::is_part(line));
    ensure!(
        !told.is_empty() && seen.eq(&told),
        "{told:#?} {:#?}",
        boot.console
    );
    Ok(())
}

fn without_tmp() -> Result<()> {
    let mut nodes = ground();
    nodes.retain(|node| node.name != "tmp");
    let (report, end) = boot("without-tmp", nodes, "")?;
    ensure!(
        end == End::Well && report.rows.iter().all(Row::passed),
        "{end:?} {report:#?}"
    );
    Ok(())
}

/// What runs before `init` takes something away; also the environment, and with it the verdict.
fn before(what: &str) -> Result<Report> {
    let mut nodes = ground();
    nodes.push(Node::program(what, compiled("before")?));
    let words = format!("rdinit=/{what}");
    let boot = machine(KERNEL)?.boot(
        &format!("test-{what}"),
        &initramfs(nodes)?,
        &words,
        &mut |_| (),
    )?;
    ensure!(boot.end == End::Off && boot.verdict.is_empty(), "{boot:?}");
    fails(ioworkload_tests::bare::report(&boot), "no verdict: \"\"")?;
    ktap::read(boot.console.iter().map(String::as_str))
}

fn without_console() -> Result<()> {
    let report = before("no-console")?;
    ensure!(
        report.well() && report.rows.len() == scenarios().len(),
        "{report:#?}"
    );
    Ok(())
}

/// Nothing fails, and nothing has passed, which is not well.
fn without_aio() -> Result<()> {
    let report = before("no-aio")?;
    let skipped = |row: &Row| row.skipped() && row.note.contains(": ENOSYS (errno 38)");
    ensure!(
        report.rows.iter().all(skipped) && !report.well(),
        "{report:#?}"
    );
    ensure!(report.rows.len() == scenarios().len(), "{report:#?}");
    Ok(())
}

/// A machine's end, its verdict, and what init says of its own.
fn ends(words: &str) -> Result<(Boot, Vec<String>)> {
    let log = format!("test-end-{}", words.replace(['/', ' '], "-"));
    let mut nodes = ground();
    // A serial port that is not there.
    nodes.push(Node::device("dev/ttyS2", 4, 66));
    let boot = machine(KERNEL)?.boot(&log, &initramfs(nodes)?, words, &mut |_| ())?;
    let said = boot
        .console
        .iter()
        .filter(|line| line.starts_with("# init: "));
    let said = said.cloned().collect();
    Ok((boot, said))
}

/// What is no number of a port is none; neither is the port 0xf4 that 64 bits would make of the last.
fn without_port() -> Result<()> {
    for port in ["none", "", "0x", "0x100000000000000f4"] {
        let (boot, said) = ends(&format!("EXIT_PORT={port} aio-setup"))?;
        let seen = (&boot.end, boot.verdict.as_str());
        ensure!(seen == (&End::Off, "0"), "{port}: {seen:?}");
        ensure!(said == ["# init: EXIT_PORT: EINVAL (errno 22)"], "{said:?}");
    }
    Ok(())
}

/// A kernel that keeps its ports from programs: the verdict comes by the file.
fn lockdown() -> Result<()> {
    for (fixtures, verdict) in [("aio-setup", "0"), ("no-such", "1")] {
        let (boot, said) = ends(&format!("lockdown=integrity {fixtures}"))?;
        let seen = (&boot.end, boot.verdict.as_str());
        ensure!(seen == (&End::Off, verdict), "{fixtures}: {seen:?}");
        ensure!(said == ["# init: EXIT_PORT: EPERM (errno 1)"], "{said:?}");
        let report = ioworkload_tests::bare::report(&boot)?;
        ensure!(report.well() == (verdict == "0"), "{report:?}");
    }
    Ok(())
}

/// Where nobody takes the verdict, the machine does not end as if all were well: there is no device at
/// the port, no file of that name, none behind it.
fn no_verdict() -> Result<()> {
    let rows = [
        (
            "EXIT_PORT=0xe0 EXIT_FILE=/dev/none",
            [
                "# init: EXIT_FILE: ENOENT (errno 2)",
                "# init: EXIT_PORT: ENODEV (errno 19)",
            ],
        ),
        (
            "lockdown=integrity EXIT_FILE=/dev/ttyS2",
            [
                "# init: EXIT_FILE: EIO (errno 5)",
                "# init: EXIT_PORT: EPERM (errno 1)",
            ],
        ),
    ];
    for (words, wanted) in rows {
        let (boot, said) = ends(&format!("{words} aio-setup"))?;
        ensure!(
            boot.end == End::Halted && boot.verdict.is_empty(),
            "{boot:?}"
        );
        ensure!(said == wanted, "{said:?}");
        fails(
            ioworkload_tests::bare::report(&boot),
            "init has stopped the machine: nobody takes its verdict",
        )?;
    }
    Ok(())
}

/// The first line of a report.
const START: &str = "KTAP version 1";

/// What 9p needs, in the order of loading. Before 6.12 it writes before io_submit returns.
const MODULES: [&str; 4] = [
    "netfs.ko.xz",
    "9pnet.ko.xz",
    "9pnet_virtio.ko.xz",
    "9p.ko.xz",
];

/// With /tmp on a file system where writes may end late, and in another order: nothing fails.
fn on_9p() -> Result<()> {
    let (kernel, modules) = kernel::with_modules("trixie", &MODULES)?;
    let host = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut nodes = ground();
    nodes.push(Node::program(".on-9p", compiled("on_9p")?));
    nodes.push(Node::directory("modules"));
    let mut words = vec!["rdinit=/.on-9p".to_owned()];
    for (number, module) in modules.into_iter().enumerate() {
        // By a number: the kernel does not hand on a word with a dot in it.
        let name = format!("modules/{number}");
        words.push(format!("/{name}"));
        nodes.push(Node::program(&name, module));
    }
    let machine = Machine {
        kernel,
        share: Some(host.path().into()),
        // What runs in the background ends late only where it can run at the same time.
        cpus: 2,
        ..self::machine(KERNEL)?
    };
    let boot = machine.boot(
        "test-on-9p",
        &initramfs(nodes)?,
        &words.join(" "),
        &mut |_| (),
    )?;
    ensure!(boot.end == End::Off && boot.panic().is_none(), "{boot:#?}");
    let texts = boot.console.split(|line| line == START).skip(1);
    let mut reports = Vec::new();
    for text in texts {
        let whole = [START].into_iter().chain(text.iter().map(String::as_str));
        reports.push(ktap::read(whole)?);
    }
    for (cache, report) in ["none", "mmap", "loose"].into_iter().zip(&reports) {
        let failed: Vec<_> = report.rows.iter().filter(|row| !row.ok).collect();
        ensure!(failed.is_empty(), "cache={cache}: {failed:#?}");
    }
    let counts: Vec<_> = reports.iter().map(|report| report.rows.len()).collect();
    ensure!(counts == [scenarios().len(); 3], "{counts:?}");
    let mut left = Vec::new();
    for entry in host.path().read_dir()? {
        left.push(entry?.file_name());
    }
    left.sort();
    ensure!(left == ["loose", "mmap", "none"], "{left:?}");
    Ok(())
}

/// The error must end so.
fn fails<T: std::fmt::Debug>(result: Result<T>, wanted: &str) -> Result<()> {
    let error = match result {
        Ok(value) => bail!("no error: {value:?}"),
        Err(error) => format!("{error:#}"),
    };
    ensure!(error.ends_with(wanted), "{error}");
    Ok(())
}

fn no_fixture() -> Result<()> {
    let nothing = boot("no-fixture", root_of(&[]), "");
    fails(nothing, "no fixture was run: init: no program in /")
}

/// Cut off behind the fixtures, where the kernel can go on, and in front of `init`.
fn broken_archive() -> Result<()> {
    let archive = initramfs(ground())?;
    let rows = [
        (
            archive.len() - 100,
            "Initramfs unpacking failed: read error",
        ),
        (2000, "Initramfs unpacking failed: read error"),
        (
            1,
            "Initramfs unpacking failed: invalid magic at start of compressed archive",
        ),
    ];
    for (len, wanted) in rows {
        let boot = machine(KERNEL)?.boot(
            &format!("test-broken-{len}"),
            &archive[..len],
            "",
            &mut |_| (),
        )?;
        fails(ioworkload_tests::bare::report(&boot), wanted)?;
    }
    let no_init: Vec<_> = ground()
        .into_iter()
        .filter(|node| node.name != "init")
        .collect();
    let report = boot("no-init", no_init, "");
    fails(
        report,
        "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
    )
}

fn no_time() -> Result<()> {
    let machine = Machine {
        limit: Duration::from_secs(1),
        ..machine(KERNEL)?
    };
    let report = run(&machine, "test-no-time", ground(), "", &mut |_| ());
    fails(
        report,
        "test-no-time.log: still running after 1 s, so it was stopped",
    )
}

/// `bare vm` with one argument of another value: exit code 1, nothing on stdout, and on stderr this
/// line.
fn refuses(argument: &str, value: &str, wanted: &str) -> Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bare"));
    command.arg("vm");
    let usual = [
        ("qemu", "qemu-system-x86_64"),
        ("memory", "256"),
        ("cpus", "1"),
        ("timeout", "60"),
        ("kernel", KERNEL),
    ];
    for (name, usual) in usual {
        let value = if name == argument { value } else { usual };
        command.arg(format!("--{name}={value}"));
    }
    let output = command.output()?;
    let errors = String::from_utf8(output.stderr)?;
    let last = errors.lines().last().unwrap_or_default();
    ensure!(
        output.status.code() == Some(1) && output.stdout.is_empty(),
        "{errors}"
    );
    ensure!(last == wanted, "{errors}");
    Ok(())
}

fn no_qemu() -> Result<()> {
    let line = "error: /no/qemu does not start (QEMU= names another; the package is qemu-system-x86): \
                No such file or directory (os error 2)";
    refuses("qemu", "/no/qemu", line)?;
    let machine = Machine {
        qemu: "false".into(),
        ..machine(KERNEL)?
    };
    let report = run(&machine, "test-no-qemu", ground(), "", &mut |_| ());
    fails(report, "test-no-qemu.log: QEMU exited with 1")?;
    let machine = Machine {
        cpus: 1000,
        ..self::machine(KERNEL)?
    };
    let error = run(&machine, "test-too-many-cpus", ground(), "", &mut |_| ());
    let error = format!("{:#}", error.err().context("1000 processors")?);
    let (_, said) = error.split_once(".log: ").unwrap_or_default();
    let wanted = "QEMU exited with 1: qemu-system-x86_64: Invalid SMP CPUs 1000.";
    ensure!(said.starts_with(wanted), "{error}");
    Ok(())
}

fn no_kernel() -> Result<()> {
    refuses(
        "kernel",
        "/no/kernel",
        "error: kernel /no/kernel: No such file or directory (os error 2)",
    )?;
    refuses("kernel", "/bin/sh", "error: /bin/sh is no bzImage")
}

/// A QEMU that ends as if init had reported nothing to run, and others.
fn no_kvm() -> Result<()> {
    let room = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    for (code, works) in [("35", true), ("33", false), ("0", false), ("1", false)] {
        let script = room.path().join(code);
        fs::write(&script, format!("#!/bin/sh\nexit {code}\n"))?;
        fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let machine = Machine {
            qemu: script.display().to_string(),
            ..machine(KERNEL)?
        };
        ensure!(accelerator::works(&machine)? == works, "{code}");
    }
    Ok(())
}

/// They are four different ones, from old to new, and the oldest is the oldest that we are about.
fn four_kernels() -> Result<()> {
    let version = |kernel: &str| kernel::find(kernel)?.version();
    let versions = KERNELS
        .into_iter()
        .map(version)
        .collect::<Result<Vec<_>>>()?;
    ensure!(
        versions.is_sorted_by(|one, other| one < other),
        "{versions:?}"
    );
    ensure!(
        versions
            .first()
            .is_some_and(|oldest| (oldest.0, oldest.1) == (5, 10)),
        "{versions:?}"
    );
    Ok(())
}

fn sources() -> Result<()> {
    let line = |suite: &str| format!("'a://mirror/debian/dists/{suite}/InRelease' mirror_dists 0 ");
    let rows: [(&str, &str, Option<&str>); 8] = [
        ("here", "there", Some("there")),
        ("here-updates", "there", Some("there-updates")),
        ("here-security", "there", Some("there-security")),
        ("here", "sid", Some("sid")),
        ("here-updates", "sid", None),
        ("here-security", "sid", None),
        ("here-backports", "there", None),
        ("stranger", "there", None),
    ];
    for (own, suite, wanted) in rows {
        let source = apt::source(&line(own), "here", suite);
        let suites = source
            .as_deref()
            .and_then(|text| text.lines().find(|line| line.starts_with("Suites: ")));
        let wanted = wanted.map(|suite| format!("Suites: {suite}"));
        ensure!(suites == wanted.as_deref(), "{own} for {suite}: {source:?}");
    }
    let other = line("here").replace("InRelease", "main/binary-amd64/Packages.xz");
    ensure!(apt::source(&other, "here", "there").is_none());
    Ok(())
}

const REPORT: &str = "KTAP version 1\n1..3\nok 1 one\nnot ok 2 two # exit=1\nok 3 three # SKIP why\n\
                      # Totals: pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0";

fn altered_report() -> Result<()> {
    let report = ktap::read(REPORT.lines())?;
    let rows = [
        row(true, "one", "", &[]),
        row(false, "two", "exit=1", &[]),
        row(true, "three", "SKIP why", &[]),
    ];
    ensure!(report.rows == rows, "{report:?}");
    let alterations = [
        ("KTAP version 1\n", "", "no report"),
        ("1..3\n", "", "the report has no plan"),
        ("1..3", "1..x", "invalid digit found in string"),
        ("1..3", "1..4", "3 results, where 4 were planned"),
        ("ok 1 one\n", "", "out of order: not ok 2 two # exit=1"),
        (
            "ok 3 three # SKIP why\n",
            "",
            "2 results, where 3 were planned",
        ),
        ("ok 1 one", "ok one", "no result: ok one"),
        (
            "not ok 2",
            "ok 2",
            "the totals are pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0, and counted pass:2 fail:0 xfail:0 xpass:0 skip:1 error:0",
        ),
        (
            " # SKIP",
            " # skip",
            "the totals are pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0, and counted pass:2 fail:1 xfail:0 xpass:0 skip:0 error:0",
        ),
        (
            "\n# Totals: pass:1 fail:1 xfail:0 xpass:0 skip:1 error:0",
            "",
            "the report breaks off after 3 of 3 results",
        ),
        (
            "error:0",
            "error:0\nok 4 four",
            "behind the totals: ok 4 four",
        ),
    ];
    for (from, to, wanted) in alterations {
        let altered = REPORT.replacen(from, to, 1);
        ensure!(altered != REPORT);
        fails(ktap::read(altered.lines()), wanted).with_context(|| altered)?;
    }
    Ok(())
}

/// What the kernel sees of a fixture in this root directory, held against the trace of `scenario`.
fn differences(nodes: Vec<Node>, fixture: &str, scenario: &str) -> Result<Vec<String>> {
    let machine = machine(KERNEL)?;
    let expected = load_on(scenario, machine.kernel.version()?)?;
    let log = format!("test-{fixture}-for-{scenario}");
    let seen = oops::witness(&machine, &log, nodes, fixture, &expected)?;
    Ok(compare(&expected, &seen).differences())
}

fn another_trace() -> Result<()> {
    let lines = differences(ground_of("aio-setup"), "aio-setup", "aio-setup-einval")?;
    start_so(
        &lines,
        &[
            "io_setup(0x20, 0x",
            "io_setup(0x20, 0x",
            "missing: io_setup",
            "missing: io_setup",
            "missing: io_setup",
            "missing: io_setup",
            "not asked for: syscall 207(",
        ],
    )
}

fn no_tmp_to_trace() -> Result<()> {
    let mut nodes = ground_of("aio-submit");
    nodes.retain(|node| node.name != "tmp");
    let lines = differences(nodes, "aio-submit", "aio-submit")?;
    start_so(
        &lines,
        &[
            "openat(0xffffff9c, 0x4000",
            "missing: io_setup",
            "missing: io_submit",
            "missing: io_destroy",
            "missing: close",
            "missing: unlinkat",
            "not asked for: syscall 14(",
            "not asked for: syscall 1(",
            "exit_group(0x4d) = ?: argument 0 should be 0x0",
            "it exited with 77; expected: exited with 0",
        ],
    )
}

/// Nobody has told the tracer how much there will be.
fn lost_events() -> Result<()> {
    let machine = machine(KERNEL)?;
    let short = load_on("aio-setup", machine.kernel.version()?)?;
    let seen = oops::witness(
        &machine,
        "test-lost-events",
        ground_of("aio-burst"),
        "aio-burst",
        &short,
    );
    fails(
        seen.map_err(|error| {
            anyhow::anyhow!(
                error
                    .root_cause()
                    .to_string()
                    .split(':')
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            )
        }),
        "witness lost events",
    )
}

fn the_same_bits() -> Result<()> {
    let archive = initramfs(ground())?;
    let mut nodes = ground();
    nodes.reverse();
    ensure!(
        initramfs(nodes)? == archive,
        "the order of the nodes matters"
    );
    ensure!(archive.len() <= 64 * 1024, "{} bytes", archive.len());
    Ok(())
}
