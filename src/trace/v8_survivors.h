/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is live on V8's heap. Objects just allocated are mostly garbage that
 * nobody has found dead yet; those that have survived some full collections
 * are held by the program. So of a stack of V8's heap those alone count as
 * live.
 */
#ifndef TRACE_V8_SURVIVORS_H
#define TRACE_V8_SURVIVORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"

struct v8_survivor {
	struct v8_sample sample;       /* as it was */
	const struct v8_sample *where; /* as it is now, if still the same */
};

struct v8_survivors {
	struct v8_survivor *list; /* by stack */
	size_t count, capacity;
};

/* Whether a sample has survived at least `least` full collections. One that was
 * old already counts as two: what is allocated while V8 marks survives that
 * collection anyhow, what is old was looked for. */
bool v8_survived(const struct v8_sample *s, uint32_t least);

/* Keeps a copy of those samples of a table (mapped, changing) of which
 * v8_survived is true; of no collection (`least` 0) those that none has looked
 * at yet. 0 or -ENOMEM. */
int v8_survivors_add(struct v8_survivors *s, const struct v8_sample *table,
		     size_t size, uint32_t least);
/* Bytes that the samples of one stack stand for. */
double v8_survivors_bytes(const struct v8_survivors *s, uint32_t stack);
/* Empties it. */
void v8_survivors_clear(struct v8_survivors *s);
void v8_survivors_free(struct v8_survivors *s);
/* After the last v8_survivors_add. */
void v8_survivors_sort(struct v8_survivors *s);

/* The samples of one stack; *count of them. */
const struct v8_survivor *v8_survivors_of(const struct v8_survivors *s,
					  uint32_t stack, size_t *count);

/* Rewrites the totals of a stack: live is what has survived, all else that was
 * allocated counts as freed. */
void v8_survivors_apply(const struct v8_survivors *s, uint32_t stack,
			const struct cohort_layout *cohorts,
			uint32_t variance_shift, struct stack_stats *stats);

#endif
