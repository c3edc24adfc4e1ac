//! Do the fixtures run in a container that has nothing but them, and make the same calls there as
//! outside?

use anyhow::{Context, Result, ensure};
use ioworkload_check::compare::compare;
use ioworkload_check::expected::{Expected, load};
use ioworkload_tests::bare::archive::rootfs;
use ioworkload_tests::bare::container::Bundle;
use ioworkload_tests::bare::ktap::{self, Report};
use ioworkload_tests::bare::root;
use ioworkload_tests::room::rooms;
use ioworkload_tests::trials::{self, trial};
use ioworkload_tests::{said, scenarios, shipped};
use k8s_openapi::api::batch::v1::Job;
use libtest_mimic::Arguments;
use serde_json::{Value, from_str, json};
use std::fs;
use std::process::{Command, ExitCode, Output};
use tempfile::TempDir;

const IO_PGETEVENTS: u64 = 333;

fn main() -> ExitCode {
    let mut trials: Vec<_> = TESTS
        .iter()
        .map(|&(name, test)| trial(name, test))
        .collect();
    for scenario in scenarios() {
        trials.push(trial(format!("trace::{scenario}"), move || {
            the_same_calls(&scenario)
        }));
    }
    trials::run(&Arguments::from_args(), trials)
}

type Test = (&'static str, fn() -> Result<()>);

const TESTS: &[Test] = &[
    ("locked-up", locked_up),
    ("everything-forbidden", everything_forbidden),
    ("may-reboot", may_reboot),
    ("one-of-many", one_of_many),
    ("no-tmp", no_tmp),
    ("control::full-tmp", full_tmp),
    ("control::another-program", another_program),
    ("image", image),
    ("rootfs", the_same_bits),
    ("cluster", a_job_for_a_cluster),
];

/// What `init` reports, and its exit code.
fn report(output: &Output) -> Result<(Report, Option<i32>)> {
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = std::str::from_utf8(&output.stdout)?;
    let report = ktap::read(text.lines()).with_context(|| format!("{text}{errors}"))?;
    Ok((report, output.status.code()))
}

/// The whole report, and that exit code: all have passed, but for those of `skipped`, where this call was
/// answered with EPERM.
fn all_but(skipped: &[String], call: &str, code: i32, output: &Output) -> Result<()> {
    let row = |name: String| {
        if skipped.contains(&name) {
            ktap::refused(&name, call, "EPERM (errno 1)")
        } else {
            format!("ok {name}")
        }
    };
    let rows = scenarios().into_iter().map(row).collect();
    same(output, rows, code)
}

fn same(output: &Output, rows: Vec<String>, code: i32) -> Result<()> {
    let wanted = Report {
        rows,
        ..Report::default()
    };
    let (found, exit) = report(output)?;
    ensure!(
        (&found, exit) == (&wanted, Some(code)),
        "{exit:?} {found:#?}"
    );
    Ok(())
}

fn locked_up() -> Result<()> {
    let bundle = Bundle::new(root(), &["/init"])?;
    ensure!(bundle.config["root"]["readonly"] == true);
    ensure!(
        bundle.config["linux"]["namespaces"]
            .to_string()
            .contains("\"network\"")
    );
    all_but(&[], "", 0, &bundle.run()?)?;
    let left = bundle.left()?;
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

/// The scenarios that make a call which Podman's profile answers with EPERM.
fn with_pgetevents() -> Result<Vec<String>> {
    let with = |expected: &Expected| expected.each().iter().any(|call| call.nr == IO_PGETEVENTS);
    let all = scenarios().into_iter().map(|name| load(&name));
    let all = all.collect::<Result<Vec<_>>>()?.into_iter();
    Ok(all.filter(with).map(|expected| expected.scenario).collect())
}

/// Nothing passes, nothing fails: 77, as a fixture alone would end.
fn everything_forbidden() -> Result<()> {
    let mut bundle = Bundle::new(root(), &["/init"])?;
    let rule = json!({"names": ["io_setup", "io_destroy", "io_submit", "io_cancel", "io_getevents", "io_pgetevents"],
        "action": "SCMP_ACT_ERRNO", "errnoRet": 1});
    bundle.config["linux"]["seccomp"] =
        json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [rule]});
    all_but(&scenarios(), "io_setup", 77, &bundle.run()?)
}

/// Who may turn off the machine does not, because it is not ours: the right is for the container.
fn may_reboot() -> Result<()> {
    let mut bundle = Bundle::new(root(), &["/init", "aio-setup"])?;
    bundle.config["process"]["user"] = json!({"uid": 0, "gid": 0});
    let all = json!(["CAP_SYS_BOOT", "CAP_SYS_RAWIO", "CAP_KILL"]);
    for set in ["bounding", "effective", "permitted"] {
        bundle.config["process"]["capabilities"][set] = all.clone();
    }
    bundle.config["process"]["env"] = json!(["EXIT_PORT=0xf4"]);
    same(&bundle.run()?, vec!["ok aio-setup".into()], 0)
}

/// Among the processes of the host it is not the first, and leaves the others alone.
fn one_of_many() -> Result<()> {
    let mut bundle = Bundle::new(root(), &["/init"])?;
    bundle.share("pid")?;
    all_but(&[], "", 0, &bundle.run()?)
}

/// A read-only root without a /tmp to write to: who has a target file says so.
fn no_tmp() -> Result<()> {
    let skip =
        "ok aio-submit # SKIP aio-submit: openat: EROFS (errno 30): /tmp/ioworkload-aio-submit";
    with_other_mounts(|mounts| drop(mounts.pop()), &[skip, "ok aio-setup"], 0)
}

fn full_tmp() -> Result<()> {
    let full = json!({"destination": "/tmp", "type": "tmpfs", "options": ["nr_inodes=1"]});
    let reason = "# aio-submit: openat: ENOSPC (errno 28): /tmp/ioworkload-aio-submit";
    let rows = [reason, "not ok aio-submit # exit=1", "ok aio-setup"];
    with_other_mounts(
        |mounts| drop(mounts.splice(mounts.len() - 1.., [full])),
        &rows,
        1,
    )
}

/// What a container reports of a scenario with a file and of one without.
fn with_other_mounts(change: impl FnOnce(&mut Vec<Value>), rows: &[&str], code: i32) -> Result<()> {
    let mut bundle = Bundle::new(root(), &["/init", "aio-submit", "aio-setup"])?;
    change(bundle.config["mounts"].as_array_mut().context("mounts")?);
    same(
        &bundle.run()?,
        rows.iter().map(|&row| row.into()).collect(),
        code,
    )
}

/// The fixture makes the calls that it makes outside, and leaves nothing.
fn the_same_calls(scenario: &str) -> Result<()> {
    let expected = load(scenario)?;
    let program = format!("/{scenario}");
    let mut bundle = Bundle::new(root(), &[&program])?;
    if !expected.children.is_empty() {
        // Only then is a child's number the same for it and for strace.
        bundle.share("pid")?;
    }
    let verdict = compare(&expected, &bundle.witness(&program)?);
    ensure!(!verdict.rows.is_empty() && verdict.exact(), "{verdict}");
    let left = bundle.left()?;
    ensure!(left.is_empty(), "{left:?}");
    Ok(())
}

fn another_program() -> Result<()> {
    let bundle = Bundle::new(root(), &["/aio-setup"])?;
    let verdict = compare(&load("aio-submit")?, &bundle.witness("/aio-setup")?);
    ensure!((verdict.noise(), verdict.missing()) == (0, 4), "{verdict}");
    Ok(())
}

/// `make image`, and the image run by Podman as it comes: its own profile, which answers io_pgetevents with
/// EPERM, the image's own user, a read-only root.
fn image() -> Result<()> {
    let storage = Storage::new()?;
    made(&storage)?;
    described(&storage)?;
    let mut podman = storage.command("podman");
    podman
        .args(["--runtime=runc", "run", "--rm", "--network=none"])
        .args(["--read-only", "--tmpfs=/tmp:mode=1777"])
        .args(["--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024"]);
    all_but(
        &with_pgetevents()?,
        "io_pgetevents",
        0,
        &podman.arg(IMAGE).output()?,
    )
}

const IMAGE: &str = "ioworkload-test";

fn made(storage: &Storage) -> Result<()> {
    let mut make = storage.command("make");
    make.current_dir(ioworkload_tests::root())
        .args(["image", &format!("IMAGE={IMAGE}")]);
    for outer in ["MAKEFLAGS", "MAKELEVEL", "MFLAGS", "FIXTURE_TMP"] {
        make.env_remove(outer);
    }
    printed(&mut make).map(drop)
}

/// The image says whose it is, what is in it, and which version of it; and it is small.
fn described(storage: &Storage) -> Result<()> {
    let mut podman = storage.command("podman");
    let inspected = printed(podman.args(["image", "inspect", IMAGE]))?;
    let image = &from_str::<Value>(&inspected)?[0];
    let size = image["Size"].as_u64();
    ensure!(size.is_some_and(|size| size < 512 * 1024), "{size:?}");
    ensure!(
        image["User"] == "65534:65534" && image["Config"]["Cmd"] == json!(["/init"]),
        "{image}"
    );
    let version = printed(Command::new(shipped("ioworkload")).arg("--version"))?;
    let version = version.split([' ', ',']).nth(1).context("a version")?;
    for (label, value) in LABELS.iter().chain(&[("version", version)]) {
        let label = format!("org.opencontainers.image.{label}");
        ensure!(image["Labels"][label] == *value, "{image}");
    }
    Ok(())
}

const LABELS: &[(&str, &str)] = &[
    ("title", "ioworkload"),
    (
        "description",
        "Fixtures for syscall tracers: programs that make exactly the syscalls they say",
    ),
    ("licenses", "MIT OR Apache-2.0"),
];

/// A place for Podman's images that is not the machine's.
struct Storage(TempDir);

impl Storage {
    fn new() -> Result<Self> {
        let room = TempDir::new_in(rooms())?;
        let place = room.path().display();
        let config = format!(
            "[storage]\ndriver = \"vfs\"\ngraphroot = \"{place}/graph\"\nrunroot = \"{place}/run\"\n"
        );
        fs::write(room.path().join("storage.conf"), config)?;
        // Podman's own way needs a /dev/shm.
        let engine = "[engine]\nlock_type = \"file\"\n";
        fs::write(room.path().join("containers.conf"), engine)?;
        Ok(Self(room))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // conmon takes a path of other letters for an error in any other locale.
        command.env("LC_ALL", "C.UTF-8");
        for (name, file) in [
            ("CONTAINERS_STORAGE_CONF", "storage.conf"),
            ("CONTAINERS_CONF", "containers.conf"),
        ] {
            command.env(name, self.0.path().join(file));
        }
        command
    }
}

/// What a command prints that must succeed.
fn printed(command: &mut Command) -> Result<String> {
    let (code, stdout, stderr) = said(command);
    ensure!(code == Some(0), "{command:?}: {stderr}");
    Ok(stdout)
}

fn the_same_bits() -> Result<()> {
    let archive = rootfs(root())?;
    let mut nodes = root();
    nodes.reverse();
    ensure!(rootfs(nodes)? == archive, "the order of the nodes matters");
    let mut wanted = scenarios();
    wanted.extend(["init", "ioworkload", "tmp"].map(str::to_owned));
    wanted.sort();
    let mut tar = tar::Archive::new(archive.as_slice());
    let name = |entry: std::io::Result<tar::Entry<'_, _>>| -> Result<String> {
        Ok(entry?.path()?.display().to_string())
    };
    let found = tar.entries()?.map(name).collect::<Result<Vec<_>>>()?;
    ensure!(found == wanted, "{found:?}");
    Ok(())
}

/// The example's job has only fields that Kubernetes knows, each of its type: what is unknown is lost
/// on the way through the types, what is wrong does not get in.
fn a_job_for_a_cluster() -> Result<()> {
    let job = ioworkload_tests::root().join("tests/examples/job.yaml");
    let told: Value = serde_yaml_ng::from_str(&fs::read_to_string(job)?)?;
    sound(&told)?;
    let job = &told["spec"]["template"]["spec"];
    ensure!(
        job["containers"][0]["securityContext"]["readOnlyRootFilesystem"] == true,
        "{job}"
    );
    let mut unknown = told.clone();
    unknown["spec"]["backofLimit"] = json!(0);
    let mut mistyped = told.clone();
    mistyped["spec"]["completions"] = json!("three");
    ensure!(sound(&unknown).is_err() && sound(&mistyped).is_err());
    Ok(())
}

fn sound(told: &Value) -> Result<()> {
    let job: Job = serde_json::from_value(told.clone())?;
    let back = serde_json::to_value(job)?;
    ensure!(back == *told, "{back:#}");
    Ok(())
}
