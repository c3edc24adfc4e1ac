//! A container by runc: a bundle of the root file system and of a configuration that starts from
//! runc's own.

use super::archive::{Node, rootfs};
use crate::NOBODY;
use crate::room::rooms;
use anyhow::{Context, Result, ensure};
use ioworkload_check::strace::{family, read};
use ioworkload_check::trace::Seen;
use nix::unistd::Uid;
use serde_json::{Value, from_str, json};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

/// A container to be.
pub struct Bundle {
    room: TempDir,
    /// config.json.
    pub config: Value,
}

impl Bundle {
    /// A container that runs `args`, as locked up as can be: runc's own configuration (a read-only
    /// root, no network, no new privileges), without capabilities, as nobody, and with a /tmp of
    /// its own, which is a directory of ours.
    ///
    /// # Errors
    /// We are not root, or runc is missing.
    pub fn new(nodes: Vec<Node>, args: &[&str]) -> Result<Self> {
        ensure!(Uid::effective().is_root(), "containers by runc need root");
        let room = TempDir::new_in(rooms())?;
        let (root, tmp) = (room.path().join("rootfs"), room.path().join("tmp"));
        let tar = rootfs(nodes)?;
        let mut archive = tar::Archive::new(tar.as_slice());
        archive.set_preserve_permissions(true);
        archive.unpack(&root)?;
        fs::create_dir(&tmp)?;
        // Whatever our umask: what runs in there is nobody.
        fs::set_permissions(&root, Permissions::from_mode(0o755))?;
        fs::set_permissions(&tmp, Permissions::from_mode(0o1777))?;
        let spec = Command::new("runc")
            .arg("spec")
            .current_dir(room.path())
            .status();
        ensure!(
            spec.context("runc does not start")?.success(),
            "runc spec failed"
        );
        let mut config: Value = from_str(&fs::read_to_string(room.path().join("config.json"))?)?;
        config["process"]["args"] = json!(args);
        config["process"]["terminal"] = json!(false);
        // The limits that the test has; to raise them would need a right of its own.
        config["process"]["rlimits"] = json!([]);
        config["process"]["capabilities"] = json!({});
        config["process"]["user"] = json!({"uid": NOBODY, "gid": NOBODY});
        let mount = json!({"destination": "/tmp", "source": tmp, "options": ["bind", "nosuid", "nodev", "noexec"]});
        config["mounts"]
            .as_array_mut()
            .context("runc spec has mounts")?
            .push(mount);
        Ok(Self { room, config })
    }

    /// Takes a namespace away: what it would separate is shared with the host.
    ///
    /// # Errors
    /// runc has none of this kind.
    pub fn share(&mut self, kind: &str) -> Result<()> {
        let all = self.config["linux"]["namespaces"].as_array_mut();
        let all = all.context("runc spec has namespaces")?;
        let before = all.len();
        all.retain(|namespace| namespace["type"] != kind);
        ensure!(all.len() + 1 == before, "no {kind} namespace");
        Ok(())
    }

    /// The command that runs the container.
    ///
    /// # Errors
    /// The configuration can't be written.
    pub fn command(&self) -> Result<Command> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        fs::write(
            self.room.path().join("config.json"),
            self.config.to_string(),
        )?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let mut runc = Command::new("runc");
        runc.arg("--root").arg(self.room.path().join("state"));
        runc.args([
            "run",
            &format!("ioworkload-{}-{number}", std::process::id()),
        ]);
        runc.current_dir(self.room.path());
        Ok(runc)
    }

    /// Runs it.
    ///
    /// # Errors
    /// runc is missing.
    pub fn run(&self) -> Result<Output> {
        self.command()?.output().context("runc does not start")
    }

    /// Runs it under strace, from outside, and gives back what its process has done.
    ///
    /// # Errors
    /// strace or runc is missing, or strace has not seen the process.
    pub fn witness(&self, program: &str) -> Result<Seen> {
        let directory = TempDir::new_in(rooms())?;
        let runc = self.command()?;
        let mut strace = Command::new("strace");
        strace.args(["-ff", "-n", "-s", "4096", "-e", "raw=!execve", "-o"]);
        strace.arg(directory.path().join("of")).arg("--");
        strace.arg(runc.get_program()).args(runc.get_args());
        // runc hands every signal on to the container, and with them those by which Go interrupts
        // its own threads; under ptrace even what is ignored ends a wait.
        strace.env("GODEBUG", "asyncpreemptoff=1");
        let output = strace.current_dir(self.room.path()).output();
        let output = output.context("strace does not start")?;
        let mut texts = read(directory.path())?;
        let start = format!("execve(\"{program}\", ");
        let execve = |lines: &Vec<String>| lines.iter().position(|line| line.contains(&start));
        let first = texts
            .iter()
            .find_map(|(pid, lines)| Some((*pid, execve(lines)?)));
        let errors = || String::from_utf8_lossy(&output.stderr).into_owned();
        let (pid, place) = first.with_context(errors)?;
        // What came before was runc.
        texts.entry(pid).or_default().drain(..=place);
        family(pid, &texts)
    }

    /// What is in /tmp.
    ///
    /// # Errors
    /// It can't be read.
    pub fn left(&self) -> Result<Vec<PathBuf>> {
        let entries = self.room.path().join("tmp").read_dir()?;
        entries.map(|entry| Ok(entry?.path())).collect()
    }
}
