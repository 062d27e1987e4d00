/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 100 MB of program: 250,000 functions, each with a symbol and call frame
 * information of its own, like the text of a large C++ service.
 */
	.text

	.macro function
big_function_\@:
	.cfi_startproc
	push	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset %rbp, -16
	push	%rbx
	.cfi_def_cfa_offset 24
	.cfi_offset %rbx, -24
	sub	$(8 + (\@ & 63) * 16), %rsp
	.cfi_def_cfa_offset 32 + (\@ & 63) * 16
	.fill	280, 1, 0x90
	add	$(8 + (\@ & 63) * 16), %rsp
	.cfi_def_cfa_offset 24
	pop	%rbx
	.cfi_def_cfa_offset 16
	pop	%rbp
	.cfi_def_cfa_offset 8
	ret
	.cfi_endproc
	.type	big_function_\@, @function
	.size	big_function_\@, . - big_function_\@
	.endm

	.rept	250000
	function
	.endr

	.section .note.GNU-stack, "", @progbits
