/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames no compiler makes: each calls the function it is given. */
	.text

/* As OpenSSL does it: rbp holds something else than a frame pointer at first,
 * then carries the CFA, the stack is realigned. */
	.globl asm_with_cfi
	.type asm_with_cfi, @function
asm_with_cfi:
	.cfi_startproc
	push %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	push %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	push %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	lea 16(%rsp), %rbp
	.cfi_def_cfa %rbp, 16
	sub $0x1230, %rsp
	and $-64, %rsp
	call *%rdi
	lea -16(%rbp), %rsp
	.cfi_def_cfa %rsp, 32
	pop %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	pop %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	pop %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	ret
	.cfi_endproc
	.size asm_with_cfi, . - asm_with_cfi

/* Correctly described, but by a register other than rsp and rbp: to follow it
 * would mean to carry all registers through a walk. */
	.globl asm_with_odd_cfi
	.type asm_with_odd_cfi, @function
asm_with_odd_cfi:
	.cfi_startproc
	push %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	mov %rsp, %rbx
	.cfi_def_cfa_register %rbx
	sub $0x1230, %rsp
	and $-64, %rsp
	call *%rdi
	mov %rbx, %rsp
	.cfi_def_cfa_register %rsp
	pop %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	ret
	.cfi_endproc
	.size asm_with_odd_cfi, . - asm_with_odd_cfi

/* As JIT code: no unwind information, but a frame pointer. */
	.globl asm_with_frame_pointer
	.type asm_with_frame_pointer, @function
asm_with_frame_pointer:
	push %rbp
	mov %rsp, %rbp
	sub $0x40, %rsp
	call *%rdi
	leave
	ret
	.size asm_with_frame_pointer, . - asm_with_frame_pointer

/* Nobody can walk this one. The profiler must end the stack and say so. */
	.globl asm_without_anything
	.type asm_without_anything, @function
asm_without_anything:
	push %rbp
	xor %ebp, %ebp
	sub $0x1230, %rsp
	call *%rdi
	add $0x1230, %rsp
	pop %rbp
	ret
	.size asm_without_anything, . - asm_without_anything

	.section .note.GNU-stack, "", @progbits
