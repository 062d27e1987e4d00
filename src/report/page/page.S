/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of the page, as they stand in this folder. */
	.section .rodata

	.macro part name, file
	.globl page_\name, page_\name\()_size
page_\name:
	.incbin "src/report/page/\file"
1:	.balign 8
page_\name\()_size:
	.quad 1b - page_\name
	.endm

	part css, page.css
	part body, body.html
	part model, model.js
	part graph, graph.js
	part chart, chart.js
	part table, table.js
	part v8, v8.js
	part main, main.js

	.section .note.GNU-stack, "", @progbits
