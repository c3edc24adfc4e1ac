//! The witness ftrace: the kernel writes its syscall events into a buffer of ours, by tracefs.

use crate::held::Held;
use crate::tracefs;
use anyhow::{Context, Result, ensure};
use ioworkload_check::events::{Event, family, parse};
use ioworkload_check::trace::Seen;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::sync::atomic::{AtomicUsize, Ordering};

/// KiB per CPU: room for 170,000 calls.
const BUFFER: usize = 16384;
const EVENTS: [&str; 3] = [
    "raw_syscalls/sys_enter",
    "raw_syscalls/sys_exit",
    "sched/sched_process_fork",
];

/// The calls of `program`.
///
/// # Errors
/// We are not root, or events were lost.
pub fn witness(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    with_buffer(BUFFER, program, confine)
}

/// The same with so many KiB per CPU for the events.
///
/// # Errors
/// As above.
pub fn with_buffer(kib: usize, program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Seen> {
    tracefs::ready("ftrace")?;
    let held = Held::new(program, confine)?;
    let pid = held.pid();
    let instance = Instance::new()?;
    instance.set("buffer_size_kb", &kib.to_string())?;
    instance.set("options/event-fork", "1")?;
    instance.set("set_event_pid", &pid.to_string())?;
    for event in EVENTS {
        instance.set(&format!("events/{event}/enable"), "1")?;
    }
    let end = held.run()?;
    instance.set("tracing_on", "0")?;
    instance.nothing_lost()?;
    family(pid, &instance.events()?, end)
}

/// A tracer of our own: what others trace, and whether, stays as it is.
pub struct Instance(PathBuf);

impl Instance {
    /// A new one.
    ///
    /// # Errors
    /// tracefs is not there, or not for us.
    pub fn new() -> Result<Self> {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let all = tracefs::root()?.join("instances");
        tidy(&all)?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = all.join(format!("ioworkload-{}-{number}", id()));
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes to one of its files.
    ///
    /// # Errors
    /// The kernel does not take it.
    pub fn set(&self, file: &str, value: &str) -> Result<()> {
        let path = self.0.join(file);
        fs::write(&path, value).with_context(|| format!("{value} to {}", path.display()))
    }

    fn nothing_lost(&self) -> Result<()> {
        let lost = self.lost()?;
        ensure!(lost == 0, "witness lost events: {lost}");
        Ok(())
    }

    /// How many events it had no room for, by the kernel's count, all CPUs together.
    ///
    /// # Errors
    /// The kernel counts otherwise.
    pub fn lost(&self) -> Result<u64> {
        let mut lost = 0;
        for cpu in self.0.join("per_cpu").read_dir()? {
            let stats = fs::read_to_string(cpu?.path().join("stats"))?;
            for counter in ["overrun: ", "commit overrun: ", "dropped events: "] {
                let count = stats.lines().find_map(|line| line.strip_prefix(counter));
                let count = count.with_context(|| format!("no {counter}in {stats:?}"))?;
                lost += count.trim().parse::<u64>()?;
            }
        }
        Ok(lost)
    }

    /// `       aio-setup-123     [000] .....    12.345678: sys_exit: NR 206 = 0`
    fn events(&self) -> Result<Vec<Event>> {
        let text = fs::read_to_string(self.0.join("trace"))?;
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let event = |line: &str| {
            let (thread, rest) = line.split_once(" [")?;
            let (_, tid) = thread.trim_end().rsplit_once('-')?;
            let (_, event) = rest.split_once(": ")?;
            Some((tid.parse().ok()?, event.to_owned()))
        };
        let event = |line| event(line).with_context(|| format!("no line of ftrace: {line:?}"));
        lines
            .map(|line| event(line).and_then(|(tid, text)| parse(tid, &text)))
            .collect()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // What can't be removed now is removed by the next who comes: tidy().
        let _ = fs::remove_dir(&self.0);
    }
}

/// Removes what runs that were killed have left.
fn tidy(instances: &Path) -> Result<()> {
    for instance in instances.read_dir()? {
        let name = instance?.file_name().to_string_lossy().into_owned();
        let ours = name
            .strip_prefix("ioworkload-")
            .and_then(|rest| rest.split('-').next());
        if ours.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // A neighbour may have been faster.
            let _ = fs::remove_dir(instances.join(name));
        }
    }
    Ok(())
}
