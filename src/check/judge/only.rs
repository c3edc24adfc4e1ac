//! Which calls are compared, where a tracer is made to see only some.

use crate::syscalls;

/// Families of calls, named as strace names its classes.
const FAMILIES: &[(&str, &[&str])] = &[
    (
        "aio",
        &[
            "io_setup",
            "io_destroy",
            "io_submit",
            "io_cancel",
            "io_getevents",
            "io_pgetevents",
        ],
    ),
    ("signal", &["rt_sig*", "kill", "tkill", "tgkill", "*alarm"]),
    (
        "memory",
        &["mmap", "munmap", "mremap", "mprotect", "madvise", "brk"],
    ),
    (
        "process",
        &[
            "fork", "vfork", "clone", "clone3", "exec*", "exit*", "wait*",
        ],
    ),
    (
        "file",
        &["open*", "unlink*", "stat*", "access", "faccessat*"],
    ),
];

/// Whether a name is one of those meant by a pattern: a name, a glob, or a family.
///
/// ```
/// use ioworkload_check::judge::matches;
/// assert!(matches("io_setup", "io_*") && matches("io_setup", "aio") && matches("close", "close"));
/// assert!(!matches("close", "aio") && !matches("close", "clos"));
/// ```
#[must_use]
pub fn matches(name: &str, pattern: &str) -> bool {
    let family = FAMILIES.iter().find(|(family, _)| *family == pattern);
    match family {
        Some((_, patterns)) => patterns.iter().any(|glob| globs(name, glob)),
        None => globs(name, pattern),
    }
}

/// Whether a pattern means any call at all.
#[must_use]
pub fn known(pattern: &str) -> bool {
    let mut names = syscalls::ALL.iter().map(|call| &call.name);
    names.any(|name| matches(name, pattern))
}

/// `*` is any text, `?` any character.
fn globs(name: &str, glob: &str) -> bool {
    let Some(first) = glob.chars().next() else {
        return name.is_empty();
    };
    let rest = &glob[first.len_utf8()..];
    let mut chars = name.chars();
    match (first, chars.next()) {
        ('*', None) => globs(name, rest),
        ('*', Some(_)) => globs(name, rest) || globs(chars.as_str(), glob),
        (_, Some(next)) => (first == '?' || first == next) && globs(chars.as_str(), rest),
        (_, None) => false,
    }
}
