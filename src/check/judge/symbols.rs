//! The names of constants that tracers print for numbers, as far as scenarios use them.

use crate::event::Value;

/// Names of libc, and their values there.
macro_rules! libc {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as i64)),*] };
}

const LIBC: &[(&str, i64)] = libc![
    AT_FDCWD AT_REMOVEDIR AT_EMPTY_PATH
    O_RDONLY O_WRONLY O_RDWR O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_DSYNC O_DIRECT
    O_DIRECTORY O_NOFOLLOW O_CLOEXEC O_PATH O_SYNC
    EFD_CLOEXEC EFD_NONBLOCK EFD_SEMAPHORE MFD_CLOEXEC MFD_ALLOW_SEALING
    PROT_NONE PROT_READ PROT_WRITE PROT_EXEC
    MAP_SHARED MAP_PRIVATE MAP_FIXED MAP_ANONYMOUS MAP_POPULATE MAP_NORESERVE
    MREMAP_MAYMOVE MREMAP_FIXED
    SIG_BLOCK SIG_UNBLOCK SIG_SETMASK SIG_DFL SIG_IGN
    SA_NOCLDSTOP SA_NOCLDWAIT SA_SIGINFO SA_ONSTACK SA_RESTART SA_NODEFER SA_RESETHAND
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2
    SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU
    SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS
    ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF
    POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL POLLRDNORM POLLRDBAND POLLWRNORM POLLWRBAND
    CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID CLOCK_BOOTTIME
    CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_THREAD CLONE_VFORK
    WNOHANG WUNTRACED WCONTINUED SEEK_SET SEEK_CUR SEEK_END
    RWF_HIPRI RWF_DSYNC RWF_SYNC RWF_NOWAIT RWF_APPEND
    STDIN_FILENO STDOUT_FILENO STDERR_FILENO
    S_IRUSR S_IWUSR S_IXUSR S_IRGRP S_IWGRP S_IXGRP S_IROTH S_IWOTH S_IXOTH
    F_OK R_OK W_OK X_OK
];

/// Those that libc does not have, from the kernel's headers.
const KERNEL: &[(&str, i64)] = &[
    ("NULL", 0),
    ("IOCB_CMD_PREAD", 0),
    ("IOCB_CMD_PWRITE", 1),
    ("IOCB_CMD_FSYNC", 2),
    ("IOCB_CMD_FDSYNC", 3),
    ("IOCB_CMD_POLL", 5),
    ("IOCB_CMD_NOOP", 6),
    ("IOCB_CMD_PREADV", 7),
    ("IOCB_CMD_PWRITEV", 8),
    ("IOCB_FLAG_RESFD", 1),
    ("IOCB_FLAG_IOPRIO", 2),
    ("SA_RESTORER", 0x0400_0000),
    // x86_64 has no use for it: 0 in the kernel's ABI, and what strace prints for bit 15 of open.
    ("O_LARGEFILE", 0o100_000),
];

/// The number that a value is, if it is one or names one.
#[must_use]
pub fn number(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Symbol(text) => named(text).map(i128::from),
        _ => None,
    }
}

/// The value of `O_RDWR|O_CREAT|0x20`, if every part of it is known.
#[must_use]
pub fn named(text: &str) -> Option<i64> {
    let parts = text.split('|').map(|part| constant(part.trim()));
    let parts: Option<Vec<_>> = parts.collect();
    Some(parts?.into_iter().fold(0, |all, part| all | part))
}

fn constant(name: &str) -> Option<i64> {
    let known = LIBC.iter().chain(KERNEL).find(|(known, _)| *known == name);
    known.map(|(_, value)| *value).or_else(|| literal(name))
}

/// `0x10`, `0600`, `7`, `-1`.
fn literal(text: &str) -> Option<i64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => i64::from_str_radix(octal, 8).ok(),
        _ => text.parse().ok(),
    }
}

/// The set of signals that a list of their names is, or also of their numbers: bit 0 is signal 1.
#[must_use]
pub fn signals(values: &[Value], numbers: bool) -> Option<u64> {
    let bit = |value: &Value| {
        let number = match value {
            Value::Symbol(name) => named(&format!("SIG{}", name.trim_start_matches("SIG")))?,
            Value::Number(number) if numbers => i64::try_from(*number).ok()?,
            _ => return None,
        };
        (1..=64).contains(&number).then(|| 1_u64 << (number - 1))
    };
    let bits: Option<Vec<_>> = values.iter().map(bit).collect();
    Some(bits?.into_iter().fold(0, |all, bit| all | bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbers() {
        let rows = [
            ("AT_FDCWD", Some(-100)),
            ("O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC", Some(655_554)),
            ("O_RDONLY|0x80000", Some(0x80000)),
            ("0600", Some(0o600)),
            ("SA_RESTORER|SA_RESTART", Some(0x1400_0000)),
            ("IOCB_CMD_PWRITE", Some(1)),
            ("O_NONSENSE", None),
            ("O_RDWR|O_NONSENSE", None),
            ("", None),
        ];
        for (text, value) in rows {
            assert_eq!(named(text), value, "{text}");
        }
        let set = ["ALRM", "SIGHUP"].map(|name| Value::Symbol(name.into()));
        assert_eq!(signals(&set, false), Some(1 << 13 | 1));
        assert_eq!(signals(&[Value::Symbol("NOPE".into())], false), None);
    }
}
