//! A program that is held before its first instruction, its process number known, until a witness
//! is ready for it.

use anyhow::{Context, Result};
use nix::sys::signal::Signal;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// Waits for a line, and then becomes the program.
const HOLD: &str = r#"read -r go && exec "$0" "$@" </dev/null"#;

/// A shell that becomes the program when it is told to. Dropped, it is gone.
pub struct Held(Child);

impl Held {
    /// Starts the shell. `confine` prepares it as it would the program.
    ///
    /// # Errors
    /// There is no shell.
    pub fn new(program: &Path, confine: &dyn Fn(&mut Command)) -> Result<Self> {
        let mut sh = Command::new("sh");
        sh.args(["-c", HOLD]).arg(program);
        sh.stdin(Stdio::piped()).stdout(Stdio::null());
        confine(&mut sh);
        Ok(Self(sh.spawn().context("sh does not start")?))
    }

    /// The number of the process, which stays the same.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.0.id().cast_signed()
    }

    /// Lets it run, and says how it ended.
    ///
    /// # Errors
    /// The shell is gone.
    pub fn run(mut self) -> Result<String> {
        let stdin = self.0.stdin.take().context("it runs already")?;
        { stdin }.write_all(b"go\n").context("the shell is gone")?;
        Ok(end(self.0.wait()?))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Both fail if it has ended, and then all is well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `exited with 0`, `killed by SIGKILL`.
#[must_use]
pub fn end(status: ExitStatus) -> String {
    let signal = status.signal().map(Signal::try_from);
    match (status.code(), signal) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(Ok(signal))) => format!("killed by {signal}"),
        (None, other) => format!("ended by {other:?}"),
    }
}
