//! A fixture as a child process: started, watched, and killed when its time is up.

use crate::sleep::sleep;
use crate::sys::errno::EINTR;
use crate::sys::machine::{EVERYBODY, SIGKILL, WNOHANG, dup3, execve};
use crate::sys::*;
use crate::text::Line;
use core::ffi::CStr;

/// How long a fixture may take, in seconds. The longest takes less than one, and a machine without
/// hardware support, on a busy host, is a hundred times slower.
pub const LIMIT_S: u32 = 10;

/// How often we look whether it has ended.
const LOOK_MS: u32 = 2;
const LOOKS: u32 = LIMIT_S * 1000 / LOOK_MS;

/// The first bytes that a fixture has written to its standard output and error.
pub type Printed = heapless::Vec<u8, 512>;

/// How a fixture has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// By exit_group, with this code.
    Exited(u8),
    /// By this signal.
    Signalled(u8),
    /// Its time was up, so it was killed.
    TimedOut,
    /// Its time was up, and it has survived SIGKILL.
    Immortal,
    /// It never was, or nobody can say how it ended: this call has failed.
    Failed(&'static str, Errno),
}

/// Runs the program and waits for its end.
pub fn run(program: &CStr, printed: &mut Printed) -> End {
    let mut pipe = [0; 2];
    // Not blocking: nobody reads while it runs, and a leftover child may keep the other end open.
    if let Err(errno) = pipe2(&mut pipe, O_CLOEXEC | O_NONBLOCK) {
        return End::Failed("pipe2", errno);
    }
    let end = match fork() {
        Err(errno) => End::Failed("fork", errno),
        Ok(0) => exec(program, pipe[1]),
        Ok(pid) => watch(pid),
    };
    let mut room = [0; 512];
    let len = read(pipe[0], &mut room).unwrap_or(0);
    let _ = printed.extend_from_slice(room.get(..len).unwrap_or_default());
    let _ = close(pipe[0]);
    let _ = close(pipe[1]);
    end
}

/// In the child: both outputs lead to the pipe, and then it is the program.
fn exec(program: &CStr, pipe: u32) -> ! {
    for fd in [STDOUT, STDERR] {
        let _ = dup3(pipe, fd, 0);
    }
    if let Err(errno) = execve(program) {
        let mut line = Line::default();
        line.text("execve: ").errno(errno);
        line.print(STDERR);
    }
    exit_group(1)
}

fn watch(pid: usize) -> End {
    match wait(pid) {
        Ok(Some(status)) => match status & 0x7f {
            0 => End::Exited((status >> 8) as u8),
            signal => End::Signalled(signal as u8),
        },
        Ok(None) => stop(pid),
        // The number is no child's of ours any more: whose it is, is not known.
        Err(errno) => End::Failed("wait4", errno),
    }
}

/// Ends it when its time is up.
fn stop(pid: usize) -> End {
    let _ = kill(pid, SIGKILL);
    match wait(pid) {
        Ok(Some(_)) => End::TimedOut,
        Ok(None) => End::Immortal,
        Err(errno) => End::Failed("wait4", errno),
    }
}

/// Waits for a child at most [`LIMIT_S`]; its status, or nothing if it still runs.
fn wait(pid: usize) -> Result<Option<u32>, Errno> {
    let mut status = 0;
    for _ in 0..LOOKS {
        match wait4(pid, &mut status, WNOHANG) {
            Ok(0) | Err(EINTR) => pause(),
            Ok(_) => return Ok(Some(status)),
            Err(errno) => return Err(errno),
        }
    }
    Ok(None)
}

/// Waits, as long as a fixture may take, for every child there is: those that a fixture has left
/// to us.
pub fn reap() {
    for _ in 0..LOOKS {
        match wait4(EVERYBODY, &mut 0, WNOHANG) {
            Ok(0) | Err(EINTR) => pause(),
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

fn pause() {
    sleep(&mut Timespec::from_ms(LOOK_MS));
}
