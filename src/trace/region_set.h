/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Disjoint address ranges of several processes in order of (tgid, start), in
 * chunks: a search is two binary searches, a change moves at most one chunk and
 * the list of chunks. Neighbours are joined when both are nearly empty, so a
 * chunk is at least a quarter full on average.
 */
#ifndef TRACE_REGION_SET_H
#define TRACE_REGION_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGION_CHUNK 128

struct region {
	uint64_t start; /* end exclusive */
	uint64_t end;
	uint64_t birth_ns;
	uint64_t serial; /* same for all pieces of one mapping */
	uint32_t tgid;
	uint32_t stack;
};

struct region_chunk {
	uint32_t count; /* never 0 */
	struct region list[REGION_CHUNK];
};

struct region_set {
	struct region_chunk **chunks;
	size_t chunk_count, chunk_capacity;
	size_t count, max;
};

/* A place in the set; any change but those through it makes it invalid. */
struct region_place {
	size_t chunk;
	size_t index;
};

void region_set_free(struct region_set *s);
/* The first region of `tgid` or a later process that ends after `address`. */
struct region_place region_set_find(const struct region_set *s, uint32_t tgid,
				    uint64_t address);
/* NULL: past the last. */
struct region *region_set_at(const struct region_set *s,
			     struct region_place at);
struct region_place region_set_next(const struct region_set *s,
				    struct region_place at);
/* NULL: nothing before. */
struct region *region_set_before(const struct region_set *s,
				 struct region_place at);
/* Puts `r` in front of `at`, where it must belong. 0, -ENOSPC, -ENOMEM. */
int region_set_insert(struct region_set *s, struct region_place at,
		      const struct region *r);
/* Removes the region at `at`; returns the place of the one after it. */
struct region_place region_set_erase(struct region_set *s,
				     struct region_place at);

#endif
