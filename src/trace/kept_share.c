// SPDX-License-Identifier: GPL-2.0-only
#include "trace/kept_share.h"

#include <stdint.h>

#include "leakbpf/abi_user.h"

void stack_stats_keep(struct stack_stats *s, double bytes, double objects)
{
	double live = (double)(s->alloc_samples - s->freed_samples);

	s->freed_samples = s->alloc_samples - (uint64_t)(live * objects + 0.5);
	s->live_bytes_variance =
		(uint64_t)((double)s->live_bytes_variance * bytes);
	s->live_objects_variance_q4 =
		(uint64_t)((double)s->live_objects_variance_q4 * objects);
}
