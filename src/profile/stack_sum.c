/* SPDX-License-Identifier: GPL-2.0-only */
#include "profile/stack_sum.h"

#include <stdint.h>

void stack_flow_add(struct stack_flow *to, const struct stack_flow *from)
{
	to->samples += from->samples;
	to->bytes += from->bytes;
	to->objects_q8 += from->objects_q8;
}

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void stack_stats_add(struct stack_stats *sum, const struct stack_stats *s)
{
	sum->alloc_samples += s->alloc_samples;
	sum->freed_samples += s->freed_samples;
	sum->alloc_bytes += s->alloc_bytes;
	sum->freed_bytes += s->freed_bytes;
	sum->alloc_objects_q8 += s->alloc_objects_q8;
	sum->freed_objects_q8 += s->freed_objects_q8;
	sum->live_bytes_variance += s->live_bytes_variance;
	sum->live_objects_variance_q4 += s->live_objects_variance_q4;
	sum->last_alloc_ns = later(sum->last_alloc_ns, s->last_alloc_ns);
	sum->last_free_ns = later(sum->last_free_ns, s->last_free_ns);
	for (int i = 0; i < COHORTS; i++) {
		sum->cohort_bytes[i] += s->cohort_bytes[i];
		sum->cohort_objects_q8[i] += s->cohort_objects_q8[i];
	}
	sum->surely_live_bytes += s->surely_live_bytes;
	sum->windows_variance += s->windows_variance;
	sum->windows_error_bytes += s->windows_error_bytes;
}

void stack_stats_add_gone(struct stack_stats *sum,
			  const struct stack_flow *gone)
{
	sum->alloc_samples += gone->samples;
	sum->freed_samples += gone->samples;
	sum->alloc_bytes += gone->bytes;
	sum->freed_bytes += gone->bytes;
	sum->alloc_objects_q8 += gone->objects_q8;
	sum->freed_objects_q8 += gone->objects_q8;
}
