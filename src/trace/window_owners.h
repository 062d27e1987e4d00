/* SPDX-License-Identifier: GPL-2.0-only */
/* Whose stacks a window is about: one process's, or those of all that share
 * probes (sharing.h). */
#ifndef TRACE_WINDOW_OWNERS_H
#define TRACE_WINDOW_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stack_stats;
struct tracee;
struct tracer;

struct window_owners {
	uint32_t *list; /* sorted pids */
	size_t count;
};

/* 0 or -ENOMEM: there is none. */
int window_owners_find(const struct tracer *t, const struct tracee *e,
		       struct window_owners *out);
void window_owners_free(struct window_owners *o);
/* Of one of them, from its allocator. */
bool window_owners_have(const struct window_owners *o,
			const struct stack_stats *s);

#endif
