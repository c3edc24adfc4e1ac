//! The memory functions that the compiler may call by name, whatever the source says: it makes
//! `memcpy` of an assignment and `strlen` of a loop. String instructions keep them a few bytes
//! long, and out of its reach.

/// Defines `memcpy`, `memmove`, `memset`, `memcmp`, `bcmp` and `strlen` as C has them. The
/// direction flag is clear, as the ABI demands on entry to every function.
#[macro_export]
macro_rules! memory_symbols {
    () => {
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn memcpy(_to: *mut u8, _from: *const u8, _len: usize) -> *mut u8 {
            ::core::arch::naked_asm!(
                "mov rax, rdi", // the result
                "mov rcx, rdx",
                "rep movsb",
                "ret",
            )
        }

        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn memmove(_to: *mut u8, _from: *const u8, _len: usize) -> *mut u8 {
            ::core::arch::naked_asm!(
                "mov rax, rdi", // the result
                "mov rcx, rdx",
                "mov rdx, rdi",
                "sub rdx, rsi", // to - from, unsigned: less than len if `to` starts inside `from`
                "cmp rdx, rcx",
                "jb 2f",
                "rep movsb",
                "ret",
                "2:", // the last byte first
                "lea rdi, [rdi + rcx - 1]",
                "lea rsi, [rsi + rcx - 1]",
                "std",
                "rep movsb",
                "cld",
                "ret",
            )
        }

        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn memset(_to: *mut u8, _byte: i32, _len: usize) -> *mut u8 {
            ::core::arch::naked_asm!(
                "mov r8, rdi", // the result
                "mov eax, esi",
                "mov rcx, rdx",
                "rep stosb",
                "mov rax, r8",
                "ret",
            )
        }

        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn memcmp(_one: *const u8, _two: *const u8, _len: usize) -> i32 {
            ::core::arch::naked_asm!(
                "xor eax, eax", // equal, as nothing is
                "mov rcx, rdx",
                "cmp rcx, rcx", // sets the zero flag, which repe leaves alone when len is 0
                "repe cmpsb",
                "je 2f",
                "movzx eax, byte ptr [rdi - 1]", // the pair that differs, one step back
                "movzx ecx, byte ptr [rsi - 1]",
                "sub eax, ecx",
                "2:",
                "ret",
            )
        }

        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn bcmp(_one: *const u8, _two: *const u8, _len: usize) -> i32 {
            ::core::arch::naked_asm!("jmp memcmp")
        }

        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        unsafe extern "C" fn strlen(_text: *const u8) -> usize {
            ::core::arch::naked_asm!(
                "xor eax, eax", // what to look for: NUL
                "mov rcx, -1",
                "repne scasb",
                "not rcx", // the bytes read, the NUL among them
                "lea rax, [rcx - 1]",
                "ret",
            )
        }
    };
}
