/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Large blocks of targets in observation windows are seen at all times: the C
 * library maps each on its own, and such calls are few (bpf/large_blocks.h).
 * They are kept as regions and booked to the stacks of their mallocs. Once
 * begun it goes on, also when the target is observed all the time again: who
 * was there to see them mapped must be there to see them unmapped.
 */
#ifndef TRACE_LARGE_BLOCKS_H
#define TRACE_LARGE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

struct tracee;
struct tracer;

/* Begins, for a process and those that share its memory. Without that large
 * blocks are seen like all others: what goes wrong is only noted. */
void large_blocks_follow(struct tracer *t, struct tracee *e);
/* What probes on memory maps have cost since the last time, ns of CPU: ends it
 * for a target that maps all the time. */
void large_blocks_charge(struct tracer *t, struct tracee *e, uint64_t now_ns,
			 double spent_ns);
/* Once a second, by the main thread, which reads the regions: takes off the
 * books what is not followed any more. */
void large_blocks_tidy(struct tracer *t, struct tracee *e);
/* Targets alive of which that is done. */
size_t large_blocks_targets(const struct tracer *t);

#endif
