//! Panics: its `main` looks for an argument that nobody gives.
#![no_std]
#![no_main]

use ioworkload::rt::Stack;

ioworkload::program!(main);

fn main(stack: Stack) -> u8 {
    stack.args().nth(1000).unwrap().to_bytes()[0]
}
