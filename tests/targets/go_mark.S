/* SPDX-License-Identifier: GPL-2.0-only */
/* The header of Go's build information (src/debug/buildinfo). */
	.section .go.buildinfo, "aw", @progbits
	.balign 16
	.ascii "\377 Go buildinf:"
	.byte 8, 2
	.zero 16
	.section .note.go.buildid, "a", @note
	.balign 4
	.long 4, 8, 4
	.ascii "Go\0\0"
	.ascii "abcdefgh"
	.section .note.GNU-stack, "", @progbits
