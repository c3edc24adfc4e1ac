//! The calls about the address space.

use super::{Answer, Errno};
use sc::syscall;

/// `mmap` protection (`include/uapi/asm-generic/mman-common.h`, as the next ones).
pub const PROT_READ: u32 = 0x1;
/// `mmap` protection.
pub const PROT_WRITE: u32 = 0x2;
/// `mmap` flag: writes reach the file.
pub const MAP_SHARED: u32 = 0x01;
/// `mmap` flag: writes stay here.
pub const MAP_PRIVATE: u32 = 0x02;
/// `mmap` flag: no file, zeros.
pub const MAP_ANONYMOUS: u32 = 0x20;

/// `mremap` flag (`include/uapi/linux/mman.h`, as the next one): the address may change.
pub const MREMAP_MAYMOVE: u32 = 1;
/// `mremap` flag: to this address, and away with what was there.
pub const MREMAP_FIXED: u32 = 2;

/// The size of a page.
pub const PAGE: usize = 4096;

/// `mmap(2)`, 9, where the kernel likes: returns the address.
///
/// # Errors
/// EBADF, ENODEV, ENOMEM and more.
pub fn mmap(len: usize, prot: u32, flags: u32, fd: u32, off: usize) -> Answer {
    const MAP_FIXED: u32 = 0x10;
    // SAFETY: with address 0, and never with MAP_FIXED, the kernel takes what nobody has.
    Errno::check(unsafe { syscall!(MMAP, 0, len, prot, flags & !MAP_FIXED, fd, off) })
}

/// `mprotect(2)`, 10: sets what may be done with pages.
///
/// # Errors
/// EACCES, EINVAL, ENOMEM.
///
/// # Safety
/// Nobody will use the memory otherwise, unless to be refused by the kernel.
pub unsafe fn mprotect(start: usize, len: usize, prot: u32) -> Answer {
    // SAFETY: the caller's promise.
    Errno::check(unsafe { syscall!(MPROTECT, start, len, prot) })
}

/// `munmap(2)`, 11.
///
/// # Errors
/// EINVAL.
///
/// # Safety
/// Nobody uses the memory again, unless to be refused by the kernel.
pub unsafe fn munmap(addr: usize, len: usize) -> Answer {
    // SAFETY: the caller's promise.
    Errno::check(unsafe { syscall!(MUNMAP, addr, len) })
}

/// `mremap(2)`, 25: moves pages, and returns their new address.
///
/// # Errors
/// EFAULT, EINVAL, ENOMEM.
///
/// # Safety
/// Nobody uses the memory at the old address again, unless to be refused by the kernel, and nobody
/// uses what was at the new one.
pub unsafe fn mremap(addr: usize, old: usize, new: usize, flags: u32, new_addr: usize) -> Answer {
    // SAFETY: the caller's promise.
    Errno::check(unsafe { syscall!(MREMAP, addr, old, new, flags, new_addr) })
}

unsafe extern "C" {
    /// The end of the program in memory, by the linker.
    static _end: u8;
}

/// The first address after the program: of a page that is not mapped.
#[must_use]
pub fn guard() -> usize {
    (&raw const _end as usize).next_multiple_of(PAGE)
}
