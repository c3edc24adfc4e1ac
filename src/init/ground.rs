//! What a first process stands on: what it makes there, and how it ends.

use crate::sys::errno::EINVAL;
use crate::sys::machine::*;
use crate::sys::{AT_FDCWD, Errno, F_GETFD, O_RDWR, STDOUT, fcntl, getpid, openat};
use crate::text::Line;
use core::ffi::CStr;

/// Whose process table and whose machine this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ground {
    /// Ours: the kernel has started us.
    Machine,
    /// A container's: all processes are ours, the machine is not.
    Container,
    /// We are one of many.
    Shared,
}

impl Ground {
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

    /// Ends the run: on a machine of ours by writing the verdict to the port, if there is one, and
    /// turning the power off. Returns the exit code for where that is not ours to do.
    pub fn end(self, code: u8, port: Option<&CStr>) -> u8 {
        if self == Self::Machine {
            // What is still on its way to the console would be lost with the power.
            let _ = tcdrain(STDOUT);
            if let Some(port) = port {
                tell("outb", verdict(port, code));
            }
            let off = reboot(LINUX_REBOOT_CMD_POWER_OFF);
            tell("reboot", off.map(drop));
        }
        code
    }
}

/// Opens the console until it is descriptor 2.
fn console() {
    let _ = mkdirat(AT_FDCWD, c"/dev", 0o755);
    let _ = mknodat(AT_FDCWD, c"/dev/console", S_IFCHR | 0o600, (5, 1));
    while openat(AT_FDCWD, c"/dev/console", O_RDWR, 0).is_ok_and(|fd| fd < 2) {}
}

/// Writes the verdict to the port: 0x10 if all is well, otherwise 0x11. QEMU's `isa-debug-exit`
/// makes 33 and 35 of them, which QEMU itself never exits with.
fn verdict(port: &CStr, code: u8) -> Result<(), Errno> {
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

fn tell(call: &str, outcome: Result<(), Errno>) {
    if let Err(errno) = outcome {
        let mut line = Line::default();
        line.text("# init: ").text(call).text(": ").errno(errno);
        line.print(STDOUT);
    }
}
