//! The stack as the kernel leaves it at the entry point: arguments and environment.

use core::ffi::{CStr, c_char};
use core::iter::from_fn;

/// What stands at the stack pointer when a program starts (System V ABI for x86_64, section 3.4.1),
/// in words:
///
/// ```text
///     argc
///     argv[0] … argv[argc-1]   NULL
///     envp[0] …                NULL
///     type, value …            AT_NULL, 0
/// ```
#[derive(Clone, Copy)]
pub struct Stack {
    argc: *const usize,
}

impl Stack {
    /// # Safety
    /// `top` points to a stack of the form above that stays as it is while the program
    /// runs: the one at `_start`.
    #[must_use]
    pub const unsafe fn new(top: *const usize) -> Self {
        Self { argc: top }
    }

    /// The arguments, the program's name first. There can be none at all.
    pub fn args(self) -> impl Iterator<Item = &'static CStr> {
        // SAFETY: argc is followed by argc pointers and a NULL.
        strings(unsafe { self.argc.add(1) })
    }

    /// The environment's strings, `NAME=value`.
    pub fn envs(self) -> impl Iterator<Item = &'static CStr> {
        strings(self.envp())
    }

    /// The value of the first environment string that starts with `name`, which ends in `=`.
    #[must_use]
    pub fn env(self, name: &[u8]) -> Option<&'static CStr> {
        let of_name = |string: &&CStr| string.to_bytes().starts_with(name);
        let string = self.envs().find(of_name)?;
        tail(string, name.len())
    }

    fn envp(self) -> *const usize {
        // SAFETY: argc is followed by argc pointers, a NULL and the environment.
        unsafe { self.argc.add(1 + *self.argc + 1) }
    }
}

/// The strings of a list of pointers that ends in NULL.
fn strings(mut next: *const usize) -> impl Iterator<Item = &'static CStr> {
    from_fn(move || {
        // SAFETY: `next` is inside the list, and does not move past its NULL.
        let string = unsafe { *next } as *const c_char;
        if string.is_null() {
            return None;
        }
        // SAFETY: a string's pointer is followed by another or by the NULL.
        next = unsafe { next.add(1) };
        // SAFETY: the kernel ends each string with a NUL, above the stack, where nothing is
        // written.
        Some(unsafe { CStr::from_ptr(string) })
    })
}

/// What follows the first `len` bytes of `text`.
#[must_use]
pub fn tail(text: &CStr, len: usize) -> Option<&CStr> {
    CStr::from_bytes_with_nul(text.to_bytes_with_nul().get(len..)?).ok()
}
