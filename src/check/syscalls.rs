//! The system calls of x86_64: number, name, and the kernel's own declaration of each argument.

use serde::Deserialize;
use std::sync::LazyLock;

/// All of which the kernel's tracepoints tell the arguments (syscalls.json).
pub static ALL: LazyLock<Vec<Syscall>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("syscalls.json")).expect("syscalls.json is sound")
});

/// One system call.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Syscall {
    /// As in `asm/unistd_64.h`, without `__NR_`.
    pub name: String,
    /// The number there.
    pub nr: u64,
    /// `unsigned int fd`: C type and name, as in `events/syscalls/sys_enter_…/format` of tracefs.
    pub args: Vec<String>,
}

/// The call of this number.
#[must_use]
pub fn of(nr: u64) -> Option<&'static Syscall> {
    let place = ALL.binary_search_by_key(&nr, |call| call.nr);
    place.ok().map(|place| &ALL[place])
}

/// The call of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Syscall> {
    ALL.iter().find(|call| call.name == name)
}
