//! Must not link: it has a static that can be written and does not start as zeros.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU8, Ordering};
use ioworkload::rt::Stack;

ioworkload::program!(main);

static CODE: AtomicU8 = AtomicU8::new(1);

fn main(_: Stack) -> u8 {
    CODE.fetch_add(1, Ordering::Relaxed)
}
