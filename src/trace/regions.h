/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory maps (--mmap): which address ranges are mapped, by which stack, since
 * when. Exact: a range that is unmapped, moved or mapped over in part keeps
 * what is left of it. Fed with struct map_event in the order of the ring
 * buffer; ranges mapped before that are unknown and stay so.
 *
 *   MAP           [address, +length) replaces whatever was known there
 *   UNMAP         removed; remembered for the thread's ...
 *   UNMAP_FAILED  ... which restores exactly what that thread's last UNMAP
 *                 removed, except what was mapped or unmapped since
 *   REMAP         known parts move and keep stack and birth; growth belongs to
 *                 the caller of mremap
 *
 * Lengths count in whole pages. An object is a contiguous piece of one mapping:
 * unmapping its middle makes two.
 */
#ifndef TRACE_REGIONS_H
#define TRACE_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"

struct regions;

/* Holds at most `max` regions. NULL without memory. */
struct regions *regions_new(size_t max);
void regions_free(struct regions *r);

void regions_apply(struct regions *r, const struct map_event *e);
/* The process is gone or has a new image: all its regions are freed. */
void regions_drop_process(struct regions *r, uint32_t tgid);

/* Adds to `stats` what the stack has mapped: all exact, so no variance. Cheap
 * as long as neither regions nor layout change between calls. */
void regions_add_stats(struct regions *r, uint32_t stack,
		       const struct cohort_layout *layout,
		       struct stack_stats *stats);
/* Whether any live region carries the stack: its id must not be reused. */
bool regions_uses_stack(const struct regions *r, uint32_t stack);
/* Bytes that a process has mapped, as far as they are known. */
uint64_t regions_live_bytes(const struct regions *r, uint32_t tgid);
/* The id will be reused: forgets its totals. */
void regions_forget_stack(struct regions *r, uint32_t stack);

struct regions_stats {
	size_t live;
	uint64_t live_bytes;
	/* Regions not recorded, or given up: too many, or out of memory. */
	uint64_t lost;
	uint64_t malformed; /* events that no kernel would allow */
};
void regions_stats(const struct regions *r, struct regions_stats *out);

/* Live regions in order of (tgid, address), for tests and listings. */
struct region;
void regions_each(const struct regions *r,
		  void (*each)(const struct region *region, void *context),
		  void *context);

#endif
