//! The wrong answers that a call can get.

use ioworkload_check::expected::{Call, Ret};
use nix::errno::Errno::{
    self, EACCES, EAGAIN, EBADF, EBUSY, ECHILD, EDQUOT, EEXIST, EFAULT, EFBIG, EINPROGRESS, EINTR,
    EINVAL, EIO, EISDIR, ELOOP, EMFILE, ENFILE, ENODEV, ENOENT, ENOMEM, ENOSPC, ENOSYS, ENOTCONN,
    ENOTDIR, ENXIO, EOPNOTSUPP, EPERM, EPIPE, EROFS, ESTALE, ETIMEDOUT,
};

/// What each call may answer, by its man page, on a file system that may be a server's, and with the
/// arguments that scenarios pass. ENOSYS and EPERM come to all, EACCES to those of AIO.
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
    ("kill", &[EINVAL]),
    (
        "mmap",
        &[EACCES, EAGAIN, EBADF, EINVAL, ENFILE, ENODEV, ENOMEM],
    ),
    (
        "memfd_create",
        &[EACCES, EFAULT, EINVAL, EMFILE, ENFILE, ENOMEM],
    ),
    ("mprotect", &[EACCES, EINVAL, ENOMEM]),
    ("mremap", &[EAGAIN, EFAULT, EINVAL, ENOMEM]),
    ("munmap", &[EINVAL, ENOMEM]),
    (
        "openat",
        &[
            EACCES, EBUSY, EDQUOT, EFAULT, EINTR, EINVAL, EIO, EISDIR, ELOOP, EMFILE, ENFILE,
            ENODEV, ENOENT, ENOMEM, ENOSPC, ENOTCONN, ENOTDIR, ENXIO, EOPNOTSUPP, EROFS, ESTALE,
            ETIMEDOUT, EAGAIN, EBADF, EEXIST,
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
            EACCES, EBADF, EBUSY, EFAULT, EIO, EISDIR, ELOOP, ENOENT, ENOMEM, ENOTDIR, EROFS,
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

/// What a line calls an error: those that a call may answer have their names.
pub fn word(errno: Errno) -> String {
    let mut expected = ERRORS.iter().flat_map(|(_, errors)| *errors);
    if [ENOSYS, EPERM].contains(&errno) || expected.any(|one| *one == errno) {
        format!("{errno:?}")
    } else {
        "unknown".into()
    }
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
    // A kernel without the call, and sandboxes.
    let io = call.name.starts_with("io_");
    let refused = [ENOSYS, EPERM, EACCES];
    let errors = errors.iter().chain(&refused[..if io { 3 } else { 2 }]);
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
