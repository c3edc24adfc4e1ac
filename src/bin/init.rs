//! init: the first process of a machine or of a container. Runs the fixtures that lie in the root
//! directory, or those that its arguments name, and reports in KTAP.
//!
//! The kernel hands its first process what it does not understand of its own command line: a word
//! as an argument, `NAME=value` as a variable. `EXIT_PORT=0xf4` is the port that takes the verdict,
//! `EXIT_FILE=/dev/ttyS1` the file.
#![no_std]
#![no_main]

ioworkload::program!(ioworkload::init::main);
