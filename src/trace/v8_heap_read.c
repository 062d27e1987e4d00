// SPDX-License-Identifier: GPL-2.0-only
/* Reading what the BPF programs know of V8's heap. */
#include "trace/tracer_internal.h"

int v8_heap_read(struct tracer *t)
{
	struct v8_survivors *s = &t->v8_survivors;
	uint32_t least = t->options.v8_survived;
	int err;

	v8_survivors_clear(s);
	err = v8_survivors_add(s, t->v8_young, V8_YOUNG_SAMPLES, least);
	if (!err)
		err = v8_survivors_add(s, t->v8_old, V8_OLD_SAMPLES, least);
	v8_survivors_sort(s);
	v8_survivors_clear(&t->v8_promoted);
	if (!err)
		err = v8_survivors_add(&t->v8_promoted, t->v8_old,
				       V8_OLD_SAMPLES, 0);
	v8_survivors_sort(&t->v8_promoted);
	return err;
}

double tracer_v8_promoted(const struct tracer *t, const uint32_t *stacks,
			  size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += v8_survivors_bytes(&t->v8_promoted, stacks[i]);
	return sum;
}
