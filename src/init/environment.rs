//! Where a first process finds itself: what it makes there, and how it ends.

use crate::sys::errno::{EINVAL, ENODEV};
use crate::sys::machine::*;
use crate::sys::{AT_FDCWD, Errno, F_GETFD, O_RDWR, STDOUT, fcntl, getpid, openat, write};
use crate::text::{Line, Page};
use core::ffi::CStr;

/// Whose process table and whose machine this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Environment {
    /// Ours: the kernel has started us.
    Machine,
    /// A container's: all processes are ours, the machine is not.
    Container,
    /// We are one of many.
    Shared,
}

impl Environment {
    /// Asks where we are.
    #[must_use]
    pub fn now() -> Self {
        // Only a first process may ask: the answer to root is that it was done.
        if getpid() != Ok(1) {
            Self::Shared
        } else if reboot(LINUX_REBOOT_CMD_CAD_ON).is_ok() {
            Self::Machine
        } else {
            Self::Container
        }
    }

    /// Makes what is missing: descriptors 0 to 2, and /tmp. Relative paths start at the root from
    /// now on.
    pub fn furnish(self) {
        let _ = chdir(c"/");
        if self == Self::Machine && (0..3).any(|fd| fcntl(fd, F_GETFD).is_err()) {
            console();
        }
        // Where it can't be made, each fixture says so.
        let _ = mkdirat(AT_FDCWD, c"/tmp", 0o1777);
    }

    /// Writes lines to standard output. On a machine that is the console, where the kernel's lines
    /// would get between the parts of ours: it keeps them to its log until the terminal has sent
    /// all of ours.
    pub fn print<const MAX: usize>(self, lines: &mut Page<MAX>) {
        if self != Self::Machine {
            return lines.print(STDOUT);
        }
        let _ = syslog(SYSLOG_ACTION_CONSOLE_OFF);
        lines.print(STDOUT);
        let _ = tcdrain(STDOUT);
        let _ = syslog(SYSLOG_ACTION_CONSOLE_ON);
    }

    /// Ends the run: a machine of ours is turned off, or, where nobody would learn the verdict,
    /// stopped. Returns the exit code for where that is not ours to do.
    pub fn end(self, code: u8, port: Option<&CStr>, file: Option<&CStr>) -> u8 {
        if self == Self::Machine {
            let end = if self.deliver(code, port, file) {
                LINUX_REBOOT_CMD_POWER_OFF
            } else {
                LINUX_REBOOT_CMD_HALT
            };
            self.complain("reboot", reboot(end).map(drop));
        }
        code
    }

    /// Writes the verdict to the file and to the port, as far as there are any. Whether one of
    /// them has it, or none was asked for.
    fn deliver(self, code: u8, port: Option<&CStr>, file: Option<&CStr>) -> bool {
        let written = file.map(|file| self.complain("EXIT_FILE", to_file(file, code)));
        // The device at the port ends the machine: whoever comes back has met none.
        if let Some(port) = port {
            let none = to_port(port, code).and(Err(ENODEV));
            self.complain("EXIT_PORT", none);
        }
        written.unwrap_or(port.is_none())
    }

    /// Says what has failed, if it has. Whether it has succeeded.
    fn complain(self, what: &str, outcome: Result<(), Errno>) -> bool {
        if let Err(errno) = outcome {
            let mut line = Line::default();
            line.text("# init: ").text(what).text(": ").errno(errno);
            self.print(&mut line);
        }
        outcome.is_ok()
    }
}

/// Opens the console until it is descriptor 2.
fn console() {
    let _ = mkdirat(AT_FDCWD, c"/dev", 0o755);
    let _ = mknodat(AT_FDCWD, c"/dev/console", S_IFCHR | 0o600, (5, 1));
    while openat(AT_FDCWD, c"/dev/console", O_RDWR, 0).is_ok_and(|fd| fd < 2) {}
}

/// Writes the verdict to a file that is there, such as a serial port: `0` if all is well, otherwise
/// `1`.
fn to_file(file: &CStr, code: u8) -> Result<(), Errno> {
    let fd = openat(AT_FDCWD, file, O_RDWR, 0)? as u32;
    write(fd, if code == 0 { b"0" } else { b"1" })?;
    let _ = tcdrain(fd);
    Ok(())
}

/// Writes the verdict to the port: 0x10 if all is well, otherwise 0x11. QEMU's `isa-debug-exit`
/// makes 33 and 35 of them, which QEMU itself never exits with.
fn to_port(port: &CStr, code: u8) -> Result<(), Errno> {
    let byte = if code == 0 { 0x10 } else { 0x11 };
    // SAFETY: whoever has started the machine says that this port takes a verdict.
    unsafe { outb(hexadecimal(port.to_bytes()).ok_or(EINVAL)?, byte) }
}

/// `0xf4`, or `f4`; what is no number is no port either.
fn hexadecimal(text: &[u8]) -> Option<usize> {
    let digits = text.strip_prefix(b"0x").unwrap_or(text);
    let add = |number: usize, digit: &u8| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(number.checked_mul(16)? + digit as usize)
    };
    let (first, rest) = digits.split_first()?;
    rest.iter().try_fold(add(0, first)?, add)
}
