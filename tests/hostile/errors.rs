//! The wrong answers that a call can get.

use ioworkload_tests::expected::{Call, Ret};
use nix::errno::Errno::{
    self, EACCES, EAGAIN, EBADF, EBUSY, ECHILD, EDQUOT, EEXIST, EFAULT, EFBIG, EINPROGRESS, EINTR,
    EINVAL, EIO, EISDIR, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENODEV, ENOENT, ENOMEM, ENOSPC,
    ENOSYS, ENOTDIR, ENXIO, EOPNOTSUPP, EOVERFLOW, EPERM, EPIPE, EROFS, ESRCH, ETXTBSY,
};

/// What each call may answer, by its man page. ENOSYS and EPERM come to all.
const ERRORS: &[(&str, &[Errno])] = &[
    ("close", &[EBADF, EINTR, EIO, ENOSPC, EDQUOT]),
    ("eventfd2", &[EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM]),
    ("fork", &[EAGAIN, ENOMEM]),
    ("getpid", &[]),
    ("io_cancel", &[EAGAIN, EFAULT, EINPROGRESS, EINVAL]),
    ("io_destroy", &[EFAULT, EINVAL]),
    ("io_getevents", &[EFAULT, EINTR, EINVAL]),
    ("io_pgetevents", &[EFAULT, EINTR, EINVAL]),
    ("io_setup", &[EAGAIN, EFAULT, EINVAL, ENOMEM]),
    ("io_submit", &[EAGAIN, EBADF, EFAULT, EINVAL, EOPNOTSUPP]),
    ("kill", &[EINVAL, ESRCH]),
    (
        "mmap",
        &[EACCES, EAGAIN, EBADF, EINVAL, ENFILE, ENODEV, ENOMEM],
    ),
    ("mprotect", &[EACCES, EINVAL, ENOMEM]),
    ("mremap", &[EAGAIN, EFAULT, EINVAL, ENOMEM]),
    ("munmap", &[EINVAL, ENOMEM]),
    (
        "openat",
        &[
            EACCES,
            EBUSY,
            EDQUOT,
            EFAULT,
            EFBIG,
            EINTR,
            EINVAL,
            EISDIR,
            ELOOP,
            EMFILE,
            ENAMETOOLONG,
            ENFILE,
            ENODEV,
            ENOENT,
            ENOMEM,
            ENOSPC,
            ENOTDIR,
            ENXIO,
            EOPNOTSUPP,
            EOVERFLOW,
            EROFS,
            ETXTBSY,
            EAGAIN,
            EBADF,
            EEXIST,
        ],
    ),
    ("pipe2", &[EFAULT, EINVAL, EMFILE, ENFILE]),
    ("ppoll", &[EFAULT, EINTR, EINVAL, ENOMEM]),
    (
        "pread64",
        &[EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EIO, EISDIR],
    ),
    ("read", &[EAGAIN, EBADF, EFAULT, EINTR, EINVAL, EIO, EISDIR]),
    (
        "pwrite64",
        &[
            EAGAIN, EBADF, EDQUOT, EFAULT, EFBIG, EINTR, EINVAL, EIO, ENOSPC,
        ],
    ),
    ("rt_sigaction", &[EFAULT, EINVAL]),
    ("rt_sigprocmask", &[EFAULT, EINVAL]),
    ("setitimer", &[EFAULT, EINVAL]),
    (
        "unlinkat",
        &[
            EACCES,
            EBADF,
            EBUSY,
            EFAULT,
            EIO,
            EISDIR,
            ELOOP,
            ENAMETOOLONG,
            ENOENT,
            ENOMEM,
            ENOTDIR,
            EROFS,
            EINVAL,
        ],
    ),
    ("vfork", &[EAGAIN, ENOMEM]),
    ("wait4", &[ECHILD, EINTR, EINVAL]),
    (
        "write",
        &[
            EAGAIN, EBADF, EDQUOT, EFAULT, EFBIG, EINTR, EINVAL, EIO, ENOSPC, EPIPE,
        ],
    ),
];

/// Those whose names are in every program at least.
const NAMED: &[Errno] = &[
    EPERM,
    ENOENT,
    EINTR,
    EIO,
    EBADF,
    ECHILD,
    EAGAIN,
    ENOMEM,
    EACCES,
    EFAULT,
    EEXIST,
    ENOTDIR,
    EISDIR,
    EINVAL,
    ENFILE,
    EMFILE,
    ENOSPC,
    EROFS,
    EPIPE,
    ENOSYS,
    ELOOP,
    EOPNOTSUPP,
    EINPROGRESS,
    EDQUOT,
];

/// What a line calls an error: its name, or `unknown` for some.
pub fn word(errno: Errno) -> String {
    let name = format!("{errno:?}");
    let known = ioworkload::sys::Errno::check(-(errno as isize) as usize);
    let mut told = String::new();
    let known = known.expect_err("an error");
    known.name(&mut |byte| told.push(byte.into()));
    let fine = told == name || told == "unknown" && !NAMED.contains(&errno);
    assert!(fine, "{name} is called {told}");
    told
}

/// The answers to try: errors, and numbers that are not the right one.
pub fn answers(call: &Call) -> Vec<i64> {
    match call.name.as_str() {
        "exit_group" => return vec![-(EPERM as i64)],
        // It answers what the interrupted call does, and nobody looks: without it there is no way on.
        "rt_sigreturn" => return Vec::new(),
        _ => {}
    }
    let row = ERRORS.iter().find(|(name, _)| *name == call.name);
    let (_, errors) = row.unwrap_or_else(|| panic!("{}: no row in ERRORS", call.name));
    let errors = errors.iter().chain(&[ENOSYS, EPERM]);
    let mut answers: Vec<_> = errors.map(|errno| -(*errno as i64)).collect();
    if let Some(Ret::Number(right)) = call.ret {
        let short = [0, right - 1, right + 1];
        answers.extend(
            short
                .iter()
                .filter(|wrong| **wrong >= 0 && **wrong != right),
        );
    }
    answers.retain(|answer| !is_right(call, *answer));
    answers.dedup();
    answers
}

fn is_right(call: &Call, answer: i64) -> bool {
    matches!(call.ret, Some(Ret::Number(right)) if right == answer)
}
