/* SPDX-License-Identifier: GPL-2.0-only */
/* What reports say of V8's heaps, to a capture and back. */
#ifndef CLI_HEAP_FACTS_H
#define CLI_HEAP_FACTS_H

#include "capture/heaps.h"
#include "report/report.h"

/* `h` must be zeroes. Returns how many heaps and types there was no room for.
 */
size_t heap_facts_take(struct capture_heaps *h, const struct report *r);

/* A report's view of them. */
struct heap_facts {
	const struct capture_heaps *from;
	struct report_v8 report;
};
/* NULL when no target runs V8; valid as long as both arguments are. */
const struct report_v8 *heap_facts_show(struct heap_facts *f,
					const struct capture_heaps *from);

#endif
