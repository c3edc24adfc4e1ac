//! aio-submit with a fault, named when it is compiled: `--cfg=fault="…"`. It is what the witnesses
//! must not take for aio-submit.
#![no_std]
#![no_main]

use core::arch::asm;
use core::ffi::CStr;
use ioworkload::rt::Stack;
use ioworkload::story::*;

const TARGET: &CStr = c"/tmp/ioworkload-aio-submit";

ioworkload::program!(main);

fn main(_: Stack) -> u8 {
    u8::from(run().is_err())
}

fn run() -> Outcome {
    let target = Target::create(TARGET)?;
    let mut iocb = pwrite(target.fd(), 0xda7a_0001);
    let iocbpp = [&raw mut iocb];
    let mut ctx = Context::default();
    let nr_events = if cfg!(fault = "nr_events") { 33 } else { 32 };
    // SAFETY: as in aio-submit.
    unsafe {
        call!(io_setup(nr_events, &raw mut ctx.id) = 0);
        call!(io_submit(ctx.id, 1, iocbpp.as_ptr()) = 1);
    }
    if cfg!(fault = "one-more") {
        let _ = getpid();
    }
    if cfg!(fault = "thread") {
        thread();
    }
    let ctx = ctx.release();
    if cfg!(fault = "order") {
        target.remove()?;
        call!(io_destroy(ctx) = 0);
        return Ok(());
    }
    if !cfg!(fault = "one-less") {
        call!(io_destroy(ctx) = 0);
    }
    target.remove()
}

/// A thread that ends at once, and the end of which is waited for.
fn thread() {
    // CLONE_VM, _FS, _FILES, _SIGHAND, _THREAD, _CHILD_CLEARTID
    const FLAGS: u64 = 0x0021_0f00;
    let mut lives = 1_u32;
    // SAFETY: the thread runs in registers only, from `test` to exit, so it may have
    // this stack; the kernel clears `lives`, in this frame, when it has gone.
    unsafe {
        asm!(
            "syscall", // clone
            "test eax, eax",
            "jnz 2f",
            "mov eax, 60", // exit
            "syscall",
            "2: pause",
            "cmp dword ptr [r10], 0",
            "jne 2b",
            inout("rax") 56_u64 => _, in("rdi") FLAGS, in("rsi") 0, in("rdx") 0,
            in("r10") &raw mut lives, in("r8") 0, out("rcx") _, out("r11") _,
        );
    }
}
