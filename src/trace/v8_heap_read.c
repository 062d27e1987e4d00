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
	return err;
}
