//! The calls of a machine's first process: it finds its files, makes the first ones, becomes others,
//! and turns the machine off.

use super::{Answer, Errno};
use core::arch::asm;
use core::ffi::{CStr, c_char};
use core::ptr::null;
use sc::syscall;

/// `openat` flag (`include/uapi/asm-generic/fcntl.h`): fail if it is no directory.
pub const O_DIRECTORY: u32 = 0o200_000;
/// `wait4` option (`include/uapi/linux/wait.h`): answer 0 if nobody has ended.
pub const WNOHANG: u32 = 1;
/// The signal that ends a process, whatever it does.
pub const SIGKILL: u32 = 9;
/// For `wait4` every child, for `kill` every process but the caller and the first: -1.
pub const EVERYBODY: usize = usize::MAX;
/// `mknodat` mode (`include/uapi/linux/stat.h`): a character device.
pub const S_IFCHR: u32 = 0o20_000;
/// `reboot` command (`include/uapi/linux/reboot.h`): power off. Nothing is written back first.
pub const LINUX_REBOOT_CMD_POWER_OFF: u32 = 0x4321_fedc;
/// `reboot` command: the processors stop, and the power stays on.
pub const LINUX_REBOOT_CMD_HALT: u32 = 0xcdef_0123;
/// `reboot` command: control-alt-delete restarts the machine, as it does anyway. In a container,
/// whose machine this is not, the answer is EPERM or EINVAL.
pub const LINUX_REBOOT_CMD_CAD_ON: u32 = 0x89ab_cdef;

/// `syslog` command (`include/linux/syslog.h`): the console shows only emergencies.
pub const SYSLOG_ACTION_CONSOLE_OFF: u32 = 6;
/// `syslog` command: it shows again what it showed before.
pub const SYSLOG_ACTION_CONSOLE_ON: u32 = 7;

const LINUX_REBOOT_MAGIC1: u32 = 0xfee1_dead;
const LINUX_REBOOT_MAGIC2: u32 = 0x2812_1969;
const TCSBRK: u32 = 0x5409;

/// `chdir(2)`, 80: where relative paths start.
///
/// # Errors
/// ENOENT and all that a path walk can answer.
pub fn chdir(filename: &CStr) -> Answer {
    // SAFETY: the kernel reads `filename` up to its NUL, which a CStr has.
    Errno::check(unsafe { syscall!(CHDIR, filename.as_ptr()) })
}

/// `mkdirat(2)`, 258.
///
/// # Errors
/// EEXIST and all that a file system can answer.
pub fn mkdirat(dfd: u32, pathname: &CStr, mode: u32) -> Answer {
    // SAFETY: the kernel reads `pathname` up to its NUL, which a CStr has.
    Errno::check(unsafe { syscall!(MKDIRAT, dfd, pathname.as_ptr(), mode) })
}

/// `mknodat(2)`, 259, with the device's major and minor number, each of at most 8 bits.
///
/// # Errors
/// EEXIST, EPERM and all that a file system can answer.
pub fn mknodat(dfd: u32, filename: &CStr, mode: u32, (major, minor): (u8, u8)) -> Answer {
    let dev = u32::from(major) << 8 | u32::from(minor);
    // SAFETY: the kernel reads `filename` up to its NUL, which a CStr has.
    Errno::check(unsafe { syscall!(MKNODAT, dfd, filename.as_ptr(), mode, dev) })
}

/// `getdents64(2)`, 217: fills `dirent` with whole entries (`struct linux_dirent64` of
/// `include/linux/dirent.h`) and returns the bytes of them; 0 at the end.
///
/// # Errors
/// EBADF, EINVAL (not even one entry fits), ENOTDIR.
pub fn getdents64(fd: u32, dirent: &mut [u8]) -> Answer {
    // SAFETY: the kernel writes at most `dirent.len()` bytes to `dirent` and keeps no pointer.
    Errno::check(unsafe { syscall!(GETDENTS64, fd, dirent.as_mut_ptr(), dirent.len()) })
}

/// `dup3(2)`, 292: makes `newfd` another name of `oldfd`, which is not the same number.
///
/// # Errors
/// EBADF, EBUSY, EINTR, EINVAL.
pub fn dup3(oldfd: u32, newfd: u32, flags: u32) -> Answer {
    // SAFETY: the call touches no memory.
    Errno::check(unsafe { syscall!(DUP3, oldfd, newfd, flags) })
}

/// `execve(2)`, 59, with the path as the only argument and no environment: returns only on failure.
///
/// # Errors
/// ENOENT, EACCES, ENOEXEC and all that reading a file can answer.
pub fn execve(filename: &CStr) -> Answer {
    let argv: [*const c_char; 2] = [filename.as_ptr(), null()];
    let envp: [*const c_char; 1] = [null()];
    // SAFETY: the kernel reads `filename` up to its NUL, and the two lists up to their NULL.
    Errno::check(unsafe { syscall!(EXECVE, filename.as_ptr(), argv.as_ptr(), envp.as_ptr()) })
}

/// `ioctl(2)`, 16, with `TCSBRK` and 1, which C calls `tcdrain`: waits until a terminal has sent all
/// that was written to it.
///
/// # Errors
/// EBADF, EINTR, ENOTTY.
pub fn tcdrain(fd: u32) -> Answer {
    // SAFETY: the call touches no memory.
    Errno::check(unsafe { syscall!(IOCTL, fd, TCSBRK, 1) })
}

/// `syslog(2)`, 103, which C calls `klogctl`.
///
/// # Errors
/// EPERM.
pub fn syslog(command: u32) -> Answer {
    // SAFETY: the commands above read and write no buffer.
    Errno::check(unsafe { syscall!(SYSLOG, command, 0, 0) })
}

/// `reboot(2)`, 169.
///
/// # Errors
/// EINVAL, EPERM.
pub fn reboot(cmd: u32) -> Answer {
    // SAFETY: the commands above read no argument.
    Errno::check(unsafe { syscall!(REBOOT, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, cmd, 0) })
}

/// Writes a byte to a port of the machine: `ioperm(2)`, 173, and the instruction.
///
/// # Errors
/// EINVAL (a port above 0xffff), EPERM.
///
/// # Safety
/// The device at that port does nothing to memory.
pub unsafe fn outb(port: usize, byte: u8) -> Result<(), Errno> {
    // SAFETY: the call touches no memory of ours.
    Errno::check(unsafe { syscall!(IOPERM, port, 1, 1) })?;
    // SAFETY: the kernel has just allowed the port; what the device does is the caller's promise.
    unsafe { asm!("out dx, al", in("dx") port as u16, in("al") byte, options(nomem, nostack)) };
    Ok(())
}
