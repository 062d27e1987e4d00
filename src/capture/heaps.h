/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture says of V8's heaps at one moment. */
#ifndef CAPTURE_HEAPS_H
#define CAPTURE_HEAPS_H

#include "capture/codec.h"
#include "v8/heap_summary.h"

#define CAPTURE_HEAPS_MAX 64
#define CAPTURE_TYPES_MAX 4096

struct capture_type {
	uint32_t stack;
	struct heap_type type;
};

struct capture_heaps {
	bool present; /* some target runs V8 */
	uint32_t survived;
	char refused[160]; /* "": nothing is */
	struct heap_summary heaps[CAPTURE_HEAPS_MAX];
	uint32_t heap_count;
	struct capture_type types[CAPTURE_TYPES_MAX];
	uint32_t type_count;
	double promoted_bytes;
	struct heap_promoted promoted[HEAP_PROMOTED];
	uint32_t promoted_count;
};

/* What does not fit is dropped. */
void code_heaps(struct codec *c, struct capture_heaps *h);
/* Of the same heaps; at the end of a snapshot. Captures of before have none. */
void code_sampled_shares(struct codec *c, struct capture_heaps *h);

#endif
