/* A program whose instructions can be counted by hand: 1 + 2 * ROUNDS + 2 + BYTES + 2 + 3. */
#ifndef ROUNDS
#define ROUNDS 1000
#endif
#ifndef BYTES
#define BYTES 100
#endif
#ifndef CODE
#define CODE 0
#endif

.intel_syntax noprefix
.globl _start
_start:
#ifdef FORK
    mov eax, 57              /* fork: both go on, and all is counted twice but these two */
    syscall
#endif
#ifdef PAGE
    mov byte ptr [rsp - 8192], 0  /* a page of the stack that nobody needs */
#endif
    mov ebx, ROUNDS
1:  dec ebx                  /* ROUNDS times, as the jump */
    jnz 1b
    lea rdi, [rsp - BYTES - 8]
    mov ecx, BYTES           /* al is 0 */
    rep stosb                /* BYTES rounds */
    mov eax, 39              /* getpid */
    syscall
#ifdef TRAP
    ud2
#endif
    mov edi, CODE
    mov eax, 231             /* exit_group */
    syscall
.section .note.GNU-stack, "", @progbits
