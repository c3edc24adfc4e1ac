//! Do the fixtures run on a machine that has nothing else, on four kernels, and is everything that can go
//! wrong there reported as such?

mod programs;

use anyhow::{Context, Error, Result, ensure};
use ioworkload_check::compare::compare;
use ioworkload_check::expected::load_on;
use ioworkload_tests::bare::archive::{Node, initramfs};
use ioworkload_tests::bare::ktap::{self, Report, is_part};
use ioworkload_tests::bare::vm::{Accelerator, Boot, End, Machine};
use ioworkload_tests::bare::{
    accelerator, dev, ground, ground_of, kernel, kunit, oops, report, tmp, trace,
};
use ioworkload_tests::trials::{self, trial};
use ioworkload_tests::{root, said, scenarios, shipped, start_so};
use libtest_mimic::Arguments;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;
use tempfile::TempDir;

const KERNELS: [&str; 4] = ["bullseye", "bookworm", "trixie", "sid"];

/// The kernel of all tests that are not about kernels.
const KERNEL: &str = "bookworm";

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for kernel in KERNELS {
        trials.push(trial(format!("report::{kernel}"), move || reports(kernel)));
        for level in ["quiet", "loglevel=7"] {
            let title = format!("console::{kernel}::{level}");
            trials.push(trial(title, move || console(kernel, level)));
        }
        trials.push(trial(format!("trace::{kernel}"), move || exact(kernel)));
    }
    trials.extend(TESTS.iter().map(|&(name, test)| trial(name, test)));
    let boots = boots().into_iter();
    trials.extend(boots.map(|case| trial(format!("boot::{}", case.name), move || case.check())));
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

impl Case {
    fn boot(&self, machine: &Machine) -> Result<Boot> {
        let nodes = initramfs((self.nodes)()?)?;
        let log = format!("test-{}-{}", machine.kernel.name, self.name);
        machine.boot(&log, &nodes, self.words, &mut |_| ())
    }
}

/// Every scenario passes, the kernel's own reader finds the same, and the machine ends as it should.
fn reports(kernel: &str) -> Result<()> {
    let boot = Case::new("report", "").boot(&machine(kernel)?)?;
    ensure!((&boot.end, &*boot.verdict) == (&End::Well, "0"), "{boot:?}");
    let (report, wanted) = (report(&boot)?, Report::passed(&scenarios()));
    ensure!(report == wanted, "{report:#?}");
    ensure!(
        kunit::parse(&boot.log)? == wanted.rows,
        "{}",
        boot.log.display()
    );
    Ok(())
}

/// However much the kernel says, and whenever: here at each interrupt, so also at those by which the serial
/// port asks for the next sixteen bytes of a line.
fn console(kernel: &str, level: &'static str) -> Result<()> {
    let (name, words) = match level {
        "quiet" => ("quiet", "quiet aio-setup no-such aio-submit"),
        _ => (
            "console",
            "loglevel=7 tp_printk trace_event=irq:irq_handler_entry aio-setup no-such aio-submit",
        ),
    };
    let boot = Case::new(name, words).boot(&machine(kernel)?)?;
    let reported = boot
        .console
        .iter()
        .any(|line| line.contains("irq_handler_entry: irq=4 "));
    ensure!(reported == (level != "quiet"), "{}", boot.log.display());
    let found = kunit::parse(&boot.log)?;
    ensure!(
        found == ["ok aio-setup", "not ok no-such", "ok aio-submit"],
        "{found:?}"
    );
    ensure!(report(&boot)?.rows == SOME, "{boot:?}");
    Ok(())
}

const SOME: [&str; 4] = [
    "ok aio-setup",
    "# execve: ENOENT (errno 2)",
    "not ok no-such # exit=1",
    "ok aio-submit",
];

/// What the kernel sees of a fixture that is the only process.
fn exact(kernel: &str) -> Result<()> {
    let verdict = trace(&machine(kernel)?, "aio-getevents")?;
    ensure!(!verdict.rows.is_empty() && verdict.exact(), "{verdict}");
    Ok(())
}

/// A boot, and all that comes of it: by default of every program, where all is well.
struct Case {
    name: &'static str,
    nodes: fn() -> Result<Vec<Node>>,
    words: &'static str,
    rows: Vec<String>,
    notes: &'static [&'static str],
    end: (End, &'static str),
    /// What the host makes of it: whether all is well, or an error.
    judged: Result<bool, &'static str>,
}

impl Case {
    fn new(name: &'static str, words: &'static str) -> Self {
        Self {
            name,
            nodes: || Ok(ground()),
            words,
            rows: Report::passed(&scenarios()).rows,
            notes: &[],
            end: (End::Well, "0"),
            judged: Ok(true),
        }
    }

    /// The same, of aio-setup alone.
    fn one(name: &'static str, words: &'static str) -> Self {
        Self {
            rows: vec!["ok aio-setup".into()],
            ..Self::new(name, words)
        }
    }

    fn check(self) -> Result<()> {
        let boot = self.boot(&machine(KERNEL)?)?;
        let found = ktap::read(boot.console.iter().map(String::as_str))?;
        ensure!(
            found.rows == self.rows && found.notes == self.notes,
            "{found:#?}"
        );
        ensure!(
            (&boot.end, &*boot.verdict) == (&self.end.0, self.end.1),
            "{boot:?}"
        );
        let judged = report(&boot).map(|report| report.well());
        let judged = judged.map_err(|error| format!("{error:#}"));
        ensure!(judged == self.judged.map_err(str::to_owned), "{judged:?}");
        Ok(())
    }
}

const NO_VERDICT: Result<bool, &str> = Err("no verdict: \"\"");
const STOPPED: Result<bool, &str> = Err("init has stopped the machine: nobody takes its verdict");

fn boots() -> Vec<Case> {
    vec![
        // A fixture can end in each of these ways, and the next one runs all the same.
        Case {
            nodes: every_end,
            rows: EVERY_END.map(str::to_owned).into(),
            end: (End::Badly, "1"),
            judged: Ok(false),
            ..Case::new("every-end", "")
        },
        // The report in the README is what comes out.
        Case {
            rows: vec!["ok aio-submit".into()],
            ..Case::new("one-fixture", "aio-submit")
        },
        Case {
            nodes: || {
                Ok(ground()
                    .into_iter()
                    .filter(|node| node.name != "tmp")
                    .collect())
            },
            ..Case::new("without-tmp", "")
        },
        // What runs before `init` takes the console away, and with the environment the verdict.
        Case {
            nodes: || before("no-console"),
            end: (End::Off, ""),
            judged: NO_VERDICT,
            ..Case::new("without-console", "rdinit=/no-console")
        },
        // Nothing fails, and nothing has passed, which is not well.
        Case {
            nodes: || before("no-aio"),
            rows: without_aio(),
            end: (End::Off, ""),
            judged: NO_VERDICT,
            ..Case::new("without-aio", "rdinit=/no-aio")
        },
        // What is no number of a port is none; neither is the port 0xf4 that 64 bits would make of the second.
        Case {
            notes: &["# init: EXIT_PORT: EINVAL (errno 22)"],
            end: (End::Off, "0"),
            ..Case::one("no-digits", "EXIT_PORT=0x aio-setup")
        },
        Case {
            notes: &["# init: EXIT_PORT: EINVAL (errno 22)"],
            end: (End::Off, "0"),
            ..Case::one("too-many-digits", "EXIT_PORT=0x100000000000000f4 aio-setup")
        },
        // A kernel that keeps its ports from programs: the verdict comes by the file.
        Case {
            rows: SOME.map(str::to_owned).into(),
            notes: &["# init: EXIT_PORT: EPERM (errno 1)"],
            end: (End::Off, "1"),
            judged: Ok(false),
            ..Case::new(
                "lockdown",
                "lockdown=integrity aio-setup no-such aio-submit",
            )
        },
        // Where nobody takes the verdict, the machine does not end as if all were well: no device is at the
        // port, no file has that name, or no serial port is there.
        Case {
            notes: &[
                "# init: EXIT_FILE: ENOENT (errno 2)",
                "# init: EXIT_PORT: ENODEV (errno 19)",
            ],
            end: (End::Halted, ""),
            judged: STOPPED,
            ..Case::one("no-device", "EXIT_PORT=0xe0 EXIT_FILE=/dev/none aio-setup")
        },
        Case {
            nodes: || Ok([ground(), vec![Node::device("dev/ttyS2", 0o600, 4, 66)]].concat()),
            notes: &[
                "# init: EXIT_FILE: EIO (errno 5)",
                "# init: EXIT_PORT: EPERM (errno 1)",
            ],
            end: (End::Halted, ""),
            judged: STOPPED,
            ..Case::one(
                "no-serial-port",
                "lockdown=integrity EXIT_FILE=/dev/ttyS2 aio-setup",
            )
        },
    ]
}

const EVERY_END: [&str; 13] = [
    "# exits-with-1: io_setup: 1, expected 0",
    "not ok exits-with-1 # exit=1",
    "not ok hangs # TIMEOUT 10 seconds",
    "not ok is-killed # signal=9",
    "ok leaves-a-child",
    "ok meets-nobody",
    "# panics: panic: this is a bug",
    "not ok panics # exit=101",
    "# ok 1 fake",
    r"# not text: \x1b\xff",
    "# # two lines",
    "ok says-much",
    "ok skips # SKIP skips: io_setup: EPERM (errno 1)",
];

fn every_end() -> Result<Vec<Node>> {
    let (ends, panics) = (compiled("ends", "ends")?, compiled("panics", "panics")?);
    let report = Report {
        rows: EVERY_END.map(str::to_owned).into(),
        ..Report::default()
    };
    let file = |name: &str| if name == "panics" { &panics } else { &ends };
    let programs = report
        .names()
        .map(|name| Node::program(name, file(name).clone()));
    let programs = programs.chain([Node::program("init", shipped("init")), tmp()]);
    Ok(programs.chain(dev()).collect())
}

/// Everything, and a program that runs first.
fn before(what: &str) -> Result<Vec<Node>> {
    let program = Node::program(what, compiled(what, "before")?);
    Ok(ground().into_iter().chain([program]).collect())
}

fn compiled(name: &str, source: &str) -> Result<PathBuf> {
    programs::compile_as(name, source, &[]).map_err(Error::msg)
}

fn without_aio() -> Vec<String> {
    let row = |name: &String| ktap::refused(name, "io_setup", "ENOSYS (errno 38)");
    scenarios().iter().map(row).collect()
}

type Test = (&'static str, fn() -> Result<()>);

const TESTS: &[Test] = &[
    ("on-9p", on_9p),
    ("as-the-readme-says", as_the_readme_says),
    ("broken-archive", broken_archive),
    ("no-time", no_time),
    ("no-qemu", no_qemu),
    ("no-kernel", no_kernel),
    ("no-kvm", no_kvm),
    ("four-kernels", four_kernels),
    ("altered-report", altered_report),
    ("control::no-tmp-to-trace", no_tmp_to_trace),
    ("control::lost-events", lost_events),
    ("initramfs", the_same_bits),
];

/// It is the report that one-fixture has.
fn as_the_readme_says() -> Result<()> {
    let readme = fs::read_to_string(root().join("src/init/README.md"))?;
    let shown = readme.lines().skip_while(|line| *line != ktap::START);
    let shown: Vec<_> = shown.take_while(|line| is_part(line)).collect();
    let wanted = Report::passed(&["aio-submit".into()]).lines();
    ensure!(shown == wanted, "{shown:#?}");
    Ok(())
}

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
    let host = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let mut nodes = ground();
    nodes.push(Node::program(".on-9p", compiled("on_9p", "on_9p")?));
    nodes.push(Node::directory("modules", 0o755));
    let mut words = "rdinit=/.on-9p".to_owned();
    for (number, module) in modules.into_iter().enumerate() {
        // By a number: the kernel does not hand on a word with a dot in it.
        let name = format!("modules/{number}");
        words.extend([" /", &name]);
        nodes.push(Node::program(&name, module));
    }
    let machine = Machine {
        kernel,
        share: Some(host.path().into()),
        // What runs in the background ends late only where it can run at the same time.
        cpus: 2,
        ..self::machine(KERNEL)?
    };
    let boot = machine.boot("test-on-9p", &initramfs(nodes)?, &words, &mut |_| ())?;
    ensure!(boot.end == End::Off && boot.panic().is_none(), "{boot:#?}");
    let texts: Vec<_> = boot
        .console
        .split(|line| line == ktap::START)
        .skip(1)
        .collect();
    let mut left: Vec<_> = host
        .path()
        .read_dir()?
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    left.sort();
    ensure!(
        texts.len() == 3 && left == ["loose", "mmap", "none"],
        "{left:?}"
    );
    for text in texts {
        let lines = text.iter().map(String::as_str);
        let report = ktap::read([ktap::START].into_iter().chain(lines))?;
        let names: Vec<_> = report.names().collect();
        ensure!(
            names == scenarios() && report.totals().1 == 0,
            "{report:#?}"
        );
    }
    Ok(())
}

/// The error must end so.
fn fails<T: std::fmt::Debug>(result: Result<T>, wanted: &str) -> Result<()> {
    let error = format!("{:#}", result.err().context("no error")?);
    ensure!(error.ends_with(wanted), "{error}");
    Ok(())
}

/// Cut off after the fixtures, where the kernel can go on; and one without `init`.
fn broken_archive() -> Result<()> {
    let archive = initramfs(ground())?;
    let end = archive.len() - 100;
    let boot = machine(KERNEL)?.boot("test-broken", &archive[..end], "", &mut |_| ())?;
    fails(report(&boot), "Initramfs unpacking failed: read error")?;
    let no_init = Case {
        nodes: || {
            Ok(ground()
                .into_iter()
                .filter(|node| node.name != "init")
                .collect())
        },
        ..Case::new("no-init", "")
    };
    let wanted = "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)";
    fails(report(&no_init.boot(&machine(KERNEL)?)?), wanted)
}

fn no_time() -> Result<()> {
    let mut machine = machine(KERNEL)?;
    machine.limit = Duration::from_secs(1);
    let boot = Case::new("no-time", "").boot(&machine)?;
    fails(report(&boot), "still running after 1 s, so it was stopped")
}

/// `make vm` with one argument of another value: exit code 1, nothing on stdout, and on stderr this line.
fn refuses(argument: &str, value: &str, wanted: &str) -> Result<()> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tool"));
    command.args(["vm", "--memory=256", "--timeout=60"]);
    for (name, usual) in [
        ("qemu", "qemu-system-x86_64"),
        ("cpus", "1"),
        ("kernel", KERNEL),
    ] {
        let value = if name == argument { value } else { usual };
        command.arg(format!("--{name}={value}"));
    }
    let (code, stdout, errors) = said(&mut command);
    let last = errors.lines().last().unwrap_or_default();
    ensure!((code, &*stdout) == (Some(1), ""), "{errors}");
    ensure!(
        last.starts_with("error: ") && last.ends_with(wanted),
        "{errors}"
    );
    Ok(())
}

fn no_qemu() -> Result<()> {
    let line = "error: /no/qemu does not start (QEMU= names another; the package is qemu-system-x86): \
                No such file or directory (os error 2)";
    refuses("qemu", "/no/qemu", line)?;
    let mut machine = machine(KERNEL)?;
    machine.cpus = 1000;
    let error = report(&Case::new("too-many-cpus", "").boot(&machine)?).err();
    let error = error.context("1000 processors")?.to_string();
    let wanted = "QEMU ended with exit status: 1: qemu-system-x86_64: Invalid SMP CPUs 1000.";
    ensure!(error.starts_with(wanted), "{error}");
    Ok(())
}

fn no_kernel() -> Result<()> {
    let line = "error: kernel /no/kernel: No such file or directory (os error 2)";
    refuses("kernel", "/no/kernel", line)?;
    refuses("kernel", "/bin/sh", "error: /bin/sh is no bzImage")
}

/// A QEMU that ends as if init had reported nothing to run, and others.
fn no_kvm() -> Result<()> {
    let room = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    for (code, works) in [("35", true), ("33", false), ("0", false)] {
        let script = room.path().join(code);
        fs::write(&script, format!("#!/bin/sh\nexit {code}\n"))?;
        fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
        let mut machine = machine(KERNEL)?;
        machine.qemu = script.display().to_string();
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
    ensure!((versions[0].0, versions[0].1) == (5, 10), "{versions:?}");
    Ok(())
}

/// Whatever is missing from a report, or more or another than it says, is noticed.
fn altered_report() -> Result<()> {
    let rows = [
        "ok one",
        "# why",
        "not ok two # exit=1",
        "ok three # SKIP why",
    ];
    let report = Report {
        rows: rows.map(str::to_owned).into(),
        notes: vec!["# init: EXIT_PORT: EPERM (errno 1)".into()],
    };
    ensure!(report.totals() == (1, 1, 1) && !report.well(), "{report:?}");
    let whole = report.lines().join("\n") + "\n";
    ensure!(ktap::read(whole.lines())? == report, "{whole}");
    let alterations = [
        ("KTAP version 1\n", ""),
        ("1..3\n", ""),
        ("1..3", "1..x"),
        ("1..3", "1..4"),
        ("ok 1 one\n", ""),
        ("ok 3 three # SKIP why\n", ""),
        ("ok 1 one", "ok one"),
        ("not ok 2", "ok 2"),
        (" # SKIP", " # skip"),
        ("# Totals", "# totals"),
        ("error:0\n", "error:0\nok 4 four\n"),
    ];
    for (from, to) in alterations {
        let altered = whole.replacen(from, to, 1);
        ensure!(
            altered != whole && ktap::read(altered.lines()).is_err(),
            "{altered}"
        );
    }
    Ok(())
}

/// In what the kernel sees of a fixture in this root directory differs from the trace of `scenario`.
fn differences(nodes: Vec<Node>, fixture: &str, scenario: &str) -> Result<Vec<String>> {
    let machine = machine(KERNEL)?;
    let expected = load_on(scenario, machine.kernel.version()?)?;
    let log = format!("test-{fixture}-for-{scenario}");
    let seen = oops::witness(&machine, &log, nodes, fixture, &expected)?;
    Ok(compare(&expected, &seen).differences())
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
    let error = differences(ground_of("aio-burst"), "aio-burst", "aio-setup").err();
    let error = error.context("nothing was lost")?.root_cause().to_string();
    ensure!(error.starts_with("witness lost events: "), "{error}");
    Ok(())
}

fn the_same_bits() -> Result<()> {
    let archive = initramfs(ground())?;
    let reversed = ground().into_iter().rev().collect();
    ensure!(
        initramfs(reversed)? == archive,
        "the order of the nodes matters"
    );
    ensure!(archive.len() <= 64 * 1024, "{} bytes", archive.len());
    Ok(())
}
