/* SPDX-License-Identifier: GPL-2.0-only */
/* What changed between two reports: `leakbpf diff`. */
#ifndef REPORT_DIFF_H
#define REPORT_DIFF_H

#include "report/document.h"
#include "report/formats.h"

struct diff {
	const struct report *before, *after;
	struct document document; /* document_compare of them */
	size_t top;		  /* stacks in the text; 0: all */
};

/* 0 or -ENOMEM; diff_free in every case. The reports must outlive it. */
int diff_make(struct diff *d, const struct report *before,
	      const struct report *after);
void diff_free(struct diff *d);

/* 0 or -errno; -EINVAL for metrics, which are of one moment. Folded lines have
 * two numbers, before and after, which flamegraph.pl shows as a difference;
 * JSON: docs/diff.schema.json. */
int diff_write(enum report_format format, FILE *out, const struct diff *d);
int diff_text(FILE *out, const struct diff *d);

#endif
