/*
 * The limit: a scenario's calls and nothing else, in assembly. Nothing is checked. One flat segment: the ELF header,
 * one program header, the code and the constants. Which scenario: -DSCENARIO=aio_submit, say; for the burst -DROUNDS.
 */
.intel_syntax noprefix

#define IO_SETUP 206
#define IO_DESTROY 207
#define IO_GETEVENTS 208
#define IO_SUBMIT 209
#define IO_CANCEL 210

.set BASE, 0x400000

.globl _start
header:
    .byte 0x7f
    .ascii "ELF"
    .byte 2, 1, 1, 0             /* 64 bits, little-endian, version 1, System V */
    .quad 0
    .short 2, 62                 /* ET_EXEC, EM_X86_64 */
    .long 1
    .quad BASE + _start - header
    .quad segment - header, 0
    .long 0
    .short 64, 56, 1, 0, 0, 0
segment:
    .long 1, 5                   /* PT_LOAD, R+X */
    .quad 0, BASE, BASE
    .quad end - header, end - header
    .quad 4096

.macro call nr
    mov eax, \nr
    syscall
.endm

/* openat(AT_FDCWD, path, O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600); the descriptor stays in ebx. */
.macro open_target
    .subsection 1
path:
    .ascii TARGET, "\0"
    .subsection 0
    mov edi, 0xffffff9c
    mov esi, BASE + path - header
    mov edx, 0xa00c2
    mov r10d, 0600
    call 257
    mov ebx, eax
.endm

/* io_setup(32, rsp); the context stays in rbp. */
.macro setup
    push 0
    mov edi, 32
    mov rsi, rsp
    call IO_SETUP
    mov rbp, [rsp]
.endm

/* io_submit(ctx, 1, &&iocb): a write of the payload. The iocb stands after its pointer at rsp. */
.macro submit data
    .subsection 1
payload:
    .ascii "ior-aio-submit\n"
    .subsection 0
    push 0                       /* aio_flags, aio_resfd */
    push 0                       /* aio_reserved2 */
    push 0                       /* aio_offset */
    push 15                      /* aio_nbytes */
    push BASE + payload - header /* aio_buf */
    mov rax, rbx
    shl rax, 32
    inc rax
    push rax                     /* aio_lio_opcode: PWRITE; aio_fildes */
    push 0                       /* aio_key, aio_rw_flags */
    mov eax, \data
    push rax                     /* aio_data */
    push rsp
    mov rdi, rbp
    mov esi, 1
    mov rdx, rsp
    call IO_SUBMIT
.endm

/* io_getevents(ctx, min, 1, &event, NULL), into the red zone. */
.macro getevents min
    mov rdi, rbp
    .if \min
    mov esi, \min
    .else
    xor esi, esi
    .endif
    mov edx, 1
    lea r10, [rsp - 32]
    xor r8d, r8d
    call IO_GETEVENTS
.endm

.macro destroy
    mov rdi, rbp
    call IO_DESTROY
.endm

.macro remove_target
    mov edi, ebx
    call 3
    mov edi, 0xffffff9c
    mov esi, BASE + path - header
    xor edx, edx
    call 263
.endm

_start:

.macro aio_setup
    setup
    destroy
.endm

/* A loop is the smaller file; without it there would be 11 instructions less. */
.macro aio_setup_einval
    push 0
    xor edi, edi
    mov rsi, rsp
    mov ebx, 5
1:  call IO_SETUP
    dec ebx
    jnz 1b
.endm

.macro aio_submit
    open_target
    setup
    submit 0xda7a0001
    destroy
    remove_target
.endm

.macro aio_getevents
    open_target
    setup
    submit 0xda7a0002
    getevents 1
    destroy
    remove_target
.endm

.macro aio_cancel
    open_target
    setup
    submit 0xda7a0003
    mov rdi, rbp
    mov rsi, [rsp]
    lea rdx, [rsp - 32]
    call IO_CANCEL
    getevents 0
    destroy
    remove_target
.endm

.macro exit
.endm

/* The loop of aio-burst: io_getevents(ctx, 0, n, NULL, NULL) for each n from 1 to ROUNDS. */
.macro aio_burst
    setup
    mov rdi, rbp
    xor esi, esi
    xor edx, edx
    xor r10d, r10d
    xor r8d, r8d
1:  inc edx
    call IO_GETEVENTS
    cmp edx, ROUNDS
    jne 1b
    destroy
.endm

SCENARIO
    xor edi, edi
    call 231                     /* exit_group */

.subsection 2
end:
