/* SPDX-License-Identifier: GPL-2.0-only */
/* The formats that go to files: each an option of its name that takes a file.
 */
#ifndef REPORT_FORMATS_H
#define REPORT_FORMATS_H

#include <stdio.h>

#include "report/report.h"

enum report_format {
	REPORT_FOLDED,
	REPORT_PPROF,
	REPORT_JSON,
	REPORT_SVG,
	REPORT_HTML,
	REPORT_METRICS,
	REPORT_FORMATS
};

/* "folded": --folded */
const char *report_format_name(enum report_format format);
/* 0 or -errno. */
int report_write(enum report_format format, FILE *out, const struct report *r);

/*
 * Folded stacks, root first, `;` between frames, value = estimated outstanding
 * bytes: for flamegraph.pl, inferno, speedscope. `;` and line breaks inside
 * names are replaced.
 */
int report_folded(FILE *out, const struct report *r);
/* profile.proto of pprof, compressed with gzip. */
int report_pprof(FILE *out, const struct report *r);
/* The samples of `after`, and those of `before` with negative values, as go
 * tool pprof -diff_base makes them. */
int report_pprof_difference(FILE *out, const struct report *before,
			    const struct report *after);
/* docs/report.schema.json */
int report_json(FILE *out, const struct report *r);
/* A flame graph, without scripts. */
int report_svg(FILE *out, const struct report *r);
/* One page with everything in it: it loads nothing. */
int report_html(FILE *out, const struct report *r);
/* Prometheus' text format. */
int report_metrics(FILE *out, const struct report *r);

#endif
