//! Do the memory functions that the compiler may call by name do what C's do? Prints the checks
//! that fail.
#![no_std]
#![no_main]

use core::arch::asm;
use core::ffi::CStr;
use core::hint::black_box;
use ioworkload::rt::Stack;
use ioworkload::text::Line;

ioworkload::program!(main);

type Copy = unsafe extern "C" fn(*mut u8, *const u8, usize) -> *mut u8;
type Compare = unsafe extern "C" fn(*const u8, *const u8, usize) -> i32;

/// One line per check; what a function answers must be so for the check to hold.
const CHECKS: &[(&str, fn() -> bool)] = &[
    ("memcpy", || copied(memcpy, 8, 0, 5) == *b"abcdefghabcdenop"),
    ("memcpy, len 0", || copied(memcpy, 8, 0, 0) == *BUFFER),
    ("memcpy, all", || {
        copied(memcpy, 8, 0, 8) == *b"abcdefghabcdefgh"
    }),
    ("memmove, apart, up", || {
        copied(memmove, 8, 0, 5) == *b"abcdefghabcdenop"
    }),
    ("memmove, apart, down", || {
        copied(memmove, 0, 8, 5) == *b"ijklmfghijklmnop"
    }),
    ("memmove, overlapping, up by 1", || {
        copied(memmove, 1, 0, 15) == *b"aabcdefghijklmno"
    }),
    ("memmove, overlapping, down by 1", || {
        copied(memmove, 0, 1, 15) == *b"bcdefghijklmnopp"
    }),
    ("memmove, overlapping, up by 6", || {
        copied(memmove, 8, 2, 7) == *b"abcdefghcdefghip"
    }),
    ("memmove, overlapping, down by 6", || {
        copied(memmove, 2, 8, 7) == *b"abijklmnojklmnop"
    }),
    ("memmove, touching, up", || {
        copied(memmove, 8, 4, 4) == *b"abcdefghefghmnop"
    }),
    ("memmove, onto itself", || {
        copied(memmove, 3, 3, 9) == *BUFFER
    }),
    ("memmove, len 0, up", || copied(memmove, 8, 0, 0) == *BUFFER),
    ("memmove, len 0, down", || {
        copied(memmove, 0, 8, 0) == *BUFFER
    }),
    ("memmove, len 0, onto itself", || {
        copied(memmove, 4, 4, 0) == *BUFFER
    }),
    ("memmove, the direction flag afterwards", || {
        direction_flag() == 0
    }),
    ("memset", || {
        filled(4, i32::from(b'*'), 8) == *b"abcd********mnop"
    }),
    ("memset, len 0", || filled(4, i32::from(b'*'), 0) == *BUFFER),
    ("memset, the low byte counts", || {
        filled(0, 0x7fff_ff2a, 2) == *b"**cdefghijklmnop"
    }),
    ("memset, a byte above 127", || {
        filled(15, -1, 1) == *b"abcdefghijklmno\xff"
    }),
    ("memcmp, equal", || compared(memcmp, b"abc", b"abc", 3) == 0),
    ("memcmp, less at the end", || {
        compared(memcmp, b"abb", b"abc", 3) < 0
    }),
    ("memcmp, greater at the end", || {
        compared(memcmp, b"abd", b"abc", 3) > 0
    }),
    ("memcmp, less at the start", || {
        compared(memcmp, b"azz", b"baa", 3) < 0
    }),
    ("memcmp, greater at the start", || {
        compared(memcmp, b"baa", b"azz", 3) > 0
    }),
    ("memcmp, differs behind len", || {
        compared(memcmp, b"abb", b"abc", 2) == 0
    }),
    ("memcmp, len 0", || compared(memcmp, b"a", b"b", 0) == 0),
    ("memcmp, no NUL ends it", || {
        compared(memcmp, b"a\0b", b"a\0c", 3) < 0
    }),
    ("memcmp, 128 above 127", || {
        compared(memcmp, b"\x80", b"\x7f", 1) > 0
    }),
    ("memcmp, 0 below 255", || {
        compared(memcmp, b"\0", b"\xff", 1) < 0
    }),
    ("bcmp, equal", || compared(bcmp, b"abc", b"abc", 3) == 0),
    ("bcmp, different", || compared(bcmp, b"abc", b"abd", 3) != 0),
    ("bcmp, len 0", || compared(bcmp, b"a", b"b", 0) == 0),
    ("strlen, empty", || length(c"") == 0),
    ("strlen, 1", || length(c"a") == 1),
    ("strlen, bytes above 127", || length(c"\x80\xff\x01") == 3),
    ("strlen, the first NUL ends it", || length(after_nul()) == 3),
];

const BUFFER: &[u8; 16] = b"abcdefghijklmnop";

fn main(_: Stack) -> u8 {
    let mut code = 0;
    for (name, holds) in CHECKS {
        if !holds() {
            Line::default().text(name).print(2);
            code = 1;
        }
    }
    code
}

/// The buffer after a change. Compared as a number: an array would be compared by what is tested.
struct Bytes(u128);

impl PartialEq<[u8; 16]> for Bytes {
    fn eq(&self, other: &[u8; 16]) -> bool {
        self.0 == u128::from_le_bytes(*other)
    }
}

/// What a function leaves in the buffer, if it returns the address of its destination.
fn changed(change: impl FnOnce(*mut u8) -> *mut u8, to: usize) -> Bytes {
    let mut buffer = black_box(*BUFFER);
    let start = buffer.as_mut_ptr();
    let returned = change(start) == start.wrapping_add(to);
    Bytes(if returned {
        u128::from_le_bytes(black_box(buffer))
    } else {
        0
    })
}

/// `black_box` keeps the compiler, which knows these functions by name, from doing it all itself.
fn copied(copy: Copy, to: usize, from: usize, len: usize) -> Bytes {
    let copy = black_box(copy);
    // SAFETY: each row stays within the 16 bytes of the buffer.
    changed(
        |start| unsafe { copy(start.add(to), start.add(from), len) },
        to,
    )
}

fn filled(to: usize, byte: i32, len: usize) -> Bytes {
    let memset = black_box(memset as unsafe extern "C" fn(_, _, _) -> _);
    // SAFETY: as above.
    changed(|start| unsafe { memset(start.add(to), byte, len) }, to)
}

fn compared(compare: Compare, one: &[u8], two: &[u8], len: usize) -> i32 {
    // SAFETY: no row has a len beyond its texts.
    unsafe { black_box(compare)(one.as_ptr(), two.as_ptr(), len) }
}

fn length(text: &CStr) -> usize {
    let strlen = black_box(strlen as unsafe extern "C" fn(_) -> _);
    // SAFETY: a CStr ends in a NUL.
    unsafe { strlen(text.as_ptr().cast()) }
}

/// A text with another behind its NUL.
fn after_nul() -> &'static CStr {
    // SAFETY: there is a NUL.
    unsafe { CStr::from_ptr(b"abc\0def\0".as_ptr().cast()) }
}

/// The flag after a copy from the last byte down.
fn direction_flag() -> u64 {
    let flags: u64;
    let _ = copied(memmove, 1, 0, 15);
    // SAFETY: reads the flags by way of the stack.
    unsafe { asm!("pushfq", "pop {}", out(reg) flags) };
    flags & 0x400
}
