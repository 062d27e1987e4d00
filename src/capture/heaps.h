/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture says of V8's heaps at one moment. */
#ifndef CAPTURE_HEAPS_H
#define CAPTURE_HEAPS_H

#include "capture/codec.h"

#define CAPTURE_HEAPS_MAX     64
#define CAPTURE_TYPES_MAX     4096
#define CAPTURE_TYPE_NAME_MAX 64

/* As struct report_heap (report/report.h). */
struct capture_heap {
	uint32_t pid, tid;
	uint64_t scavenges, full_gcs;
	double scavenge_seconds, full_gc_seconds, following_seconds;
	double live, live_seconds_ago, growth_per_minute;
	bool growth_known;
};

/* What objects a stack has, and their share of its bytes. */
struct capture_type {
	uint32_t stack;
	char name[CAPTURE_TYPE_NAME_MAX];
	double share;
};

struct capture_heaps {
	bool present; /* some target runs V8 */
	uint32_t survived;
	char refused[160]; /* "": nothing is */
	struct capture_heap heaps[CAPTURE_HEAPS_MAX];
	uint32_t heap_count;
	struct capture_type types[CAPTURE_TYPES_MAX];
	uint32_t type_count;
};

/* What does not fit is dropped. */
void code_heaps(struct codec *c, struct capture_heaps *h);

#endif
