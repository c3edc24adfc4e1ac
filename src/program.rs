//! What makes a program of a function: the entry point, and the two ends, an exit code or a panic.

/// Makes a program of the function `main`: it gets the start-up [`Stack`](crate::rt::Stack) and
/// returns the exit code.
#[macro_export]
macro_rules! program {
    ($main:path) => {
        /// The first instruction. The kernel enters with a stack pointer that is a multiple of 16
        /// and points to argc; `call` pushes eight bytes, which is the alignment that a function of
        /// the ABI expects.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn _start() -> ! {
            ::core::arch::naked_asm!(
                "xor ebp, ebp", // no frame is further out: stack walkers stop here
                "mov rdi, rsp", // the argument: the stack as the kernel made it
                "call {enter}",
                "ud2", // not reached
                enter = sym enter,
            )
        }

        unsafe extern "C" fn enter(top: *const usize) -> ! {
            // SAFETY: `_start` passes the stack pointer it was entered with, and nobody writes
            // above it.
            let stack = unsafe { $crate::rt::Stack::new(top) };
            $crate::sys::exit_group($main(stack))
        }

        /// A panic is a bug: it says so and exits with 101.
        #[panic_handler]
        fn panic(_: &::core::panic::PanicInfo<'_>) -> ! {
            let mut line = $crate::text::Line::default();
            line.text(env!("CARGO_BIN_NAME")).text(": panic: this is a bug").print($crate::sys::STDERR);
            $crate::sys::exit_group(101)
        }

        $crate::memory_symbols!();
    };
}
