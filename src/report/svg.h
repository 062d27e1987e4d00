/* SPDX-License-Identifier: GPL-2.0-only */
/* A flame graph as one picture without scripts: outermost functions at the
 * bottom, widths in proportion to live bytes, numbers in the tooltips. */
#ifndef REPORT_SVG_H
#define REPORT_SVG_H

#include <stdbool.h>
#include <stdio.h>

#include "report/document.h"

struct svg_graph {
	const struct document *document;
	const char *title, *subtitle;
	bool comparison; /* red: grew, blue: shrank */
};

/* 0 or -ENOMEM; errors of writing stay with the stream. */
int svg_write(FILE *out, const struct svg_graph *g);

#endif
