//! How wide an argument is, by the C type that the kernel declares it with, and which numbers are the
//! same value of that type.

use crate::syscalls;
use std::sync::LazyLock;

/// A C type, as far as a register matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CType {
    /// It is an address.
    pub pointer: bool,
    /// How many low bits of the register the kernel looks at.
    pub bits: u32,
}

impl CType {
    /// The whole register.
    pub const WORD: Self = Self::integer(64);

    /// A number of so many bits.
    #[must_use]
    pub const fn integer(bits: u32) -> Self {
        Self {
            pointer: false,
            bits,
        }
    }

    /// Whether a number as somebody wrote it is the value that the register has: the register
    /// itself, or its low bits, zero- or sign-extended.
    ///
    /// ```
    /// use ioworkload_check::ctype::of;
    /// let (int, long) = (of("int dfd").unwrap(), of("unsigned long addr").unwrap());
    /// assert!(int.same(0xffff_ff9c, -100));
    /// assert!(int.same(0xffff_ff9c, 0xffff_ffff_ffff_ff9c));
    /// assert!(!int.same(0xffff_ff9c, 0x1_ffff_ff9c));
    /// assert!(!long.same(0xffff_ff9c, -100));
    /// ```
    #[must_use]
    pub fn same(self, register: u64, number: i128) -> bool {
        let spelt = |value: u64| number == value.into() || number == (value as i64).into();
        spelt(register) || spelt(self.unsigned(register)) || spelt(self.signed(register))
    }

    /// The low bits, zero-extended.
    #[must_use]
    pub fn unsigned(self, register: u64) -> u64 {
        register & u64::MAX >> (64 - self.bits)
    }

    /// The low bits, sign-extended.
    #[must_use]
    pub fn signed(self, register: u64) -> u64 {
        let unused = 64 - self.bits;
        ((register << unused) as i64 >> unused) as u64
    }
}

/// The types and how many bits they have, `const` aside.
const TYPES: &[(u32, &[&str])] = &[
    (16, &["umode_t"]),
    (
        32,
        &[
            "int",
            "unsigned int",
            "unsigned",
            "u32",
            "__u32",
            "__s32",
            "mode_t",
            "pid_t",
            "uid_t",
            "gid_t",
            "key_t",
            "key_serial_t",
            "qid_t",
            "mqd_t",
            "timer_t",
            "clockid_t",
            "rwf_t",
            "enum landlock_rule_type",
        ],
    ),
    (
        64,
        &[
            "long",
            "unsigned long",
            "__u64",
            "size_t",
            "off_t",
            "loff_t",
            "aio_context_t",
        ],
    ),
];

/// The type in a declaration, `unsigned int fd`; `None` if it is not known.
#[must_use]
pub fn of(declaration: &str) -> Option<CType> {
    // Programs pass an int, and the kernel uses it as one, however it is declared there: mmap's.
    if declaration.ends_with(" fd") {
        return Some(CType::integer(32));
    }
    let pointers = ["cap_user_header_t", "cap_user_data_t"];
    let (name, _) = declaration.rsplit_once(' ')?;
    let name = name.trim().trim_start_matches("const ");
    if name.contains('*') || pointers.contains(&name) {
        return Some(CType {
            pointer: true,
            bits: 64,
        });
    }
    let row = TYPES.iter().find(|(_, names)| names.contains(&name));
    row.map(|(bits, _)| CType::integer(*bits))
}

/// The types of a call's arguments, by its number; empty for one that is not known.
#[must_use]
pub fn args(nr: u64) -> &'static [CType] {
    static ALL: LazyLock<Vec<Vec<CType>>> = LazyLock::new(|| {
        let last = syscalls::ALL.last().map_or(0, |call| call.nr);
        let each = (0..=last).map(|nr| {
            let args = syscalls::of(nr).map_or(&[][..], |call| &call.args);
            let types = args.iter().map(|arg| of(arg).unwrap_or(CType::WORD));
            types.collect()
        });
        each.collect()
    });
    ALL.get(nr as usize).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_known() {
        let args = syscalls::ALL.iter().flat_map(|call| &call.args);
        let unknown: Vec<_> = args.filter(|arg| of(arg).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(of("struct_t x"), None);
    }

    #[test]
    fn numbers_are_the_same_by_type() {
        const FDCWD: u64 = 0xffff_ff9c;
        const WIDE: u64 = 0xffff_ffff_ffff_ff9c;
        let rows: &[(&str, u64, i128, bool)] = &[
            ("int dfd", FDCWD, -100, true),
            ("int dfd", FDCWD, 4_294_967_196, true),
            ("int dfd", FDCWD, WIDE.into(), true),
            ("int dfd", WIDE, FDCWD.into(), true),
            ("int dfd", FDCWD, -101, false),
            ("int dfd", FDCWD, 0x1_ffff_ff9c, false),
            ("int dfd", FDCWD, 100, false),
            ("int dfd", FDCWD, -100 - (1 << 64), false),
            ("int dfd", 0xabcd_0000_0007, 0xabcd_0000_0007, true),
            ("int dfd", 0xabcd_0000_0007, 7, true),
            ("int dfd", 0xabcd_0000_0007, 0xabce_0000_0007, false),
            ("unsigned int fd", u64::MAX, -1, true),
            ("unsigned int fd", u64::MAX, 0xffff_ffff, true),
            ("umode_t mode", 0o600, 0o600, true),
            ("umode_t mode", 0o600, 0o601, false),
            ("unsigned long addr", FDCWD, -100, false),
            ("unsigned long addr", WIDE, -100, true),
            ("unsigned long addr", WIDE, WIDE.into(), true),
            ("unsigned long addr", WIDE, FDCWD.into(), false),
            ("char * buf", u64::MAX, -1, true),
            ("char * buf", u64::MAX, 0xffff_ffff, false),
            ("aio_context_t ctx_id", 0x7f00_1234_5000, 0x1234_5000, false),
        ];
        for (declaration, register, number, same) in rows {
            let ctype = of(declaration).expect("known");
            assert_eq!(
                ctype.same(*register, *number),
                *same,
                "{declaration} {register:#x} {number}"
            );
        }
    }
}
