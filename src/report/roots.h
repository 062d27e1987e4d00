/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames that stand above a stack's own in every format: which process it is
 * of, when there are several, what kind of memory it holds, when there are
 * several, and what is missing of it. */
#ifndef REPORT_ROOTS_H
#define REPORT_ROOTS_H

#include "report/report.h"

#define REPORT_ROOTS_MAX 3

struct report_root {
	char name[64]; /* as the target gave it: not made safe yet */
};

/* Outermost first; how many. */
size_t report_roots(const struct report *r, const struct profile_stack *s,
		    struct report_root roots[REPORT_ROOTS_MAX]);
/* "native", "v8 heap", "memory growth" */
const char *report_source_text(const struct profile_stack *s);
/* What stands in place of the function to blame for a stack without frames. */
const char *report_nobody_text(const struct profile_stack *s);
/* Why the walk of a stack ended: a text of leakbpf/abi.h. */
const char *report_end_text(const struct profile_stack *s);

#endif
