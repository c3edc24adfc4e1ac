//! Must not link: its writable static stands in a section that linker.ld doesn't know.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU8, Ordering};
use ioworkload::rt::Stack;

ioworkload::program!(main);

#[unsafe(link_section = ".stranger")]
static CODE: AtomicU8 = AtomicU8::new(1);

fn main(_: Stack) -> u8 {
    CODE.fetch_add(1, Ordering::Relaxed)
}
