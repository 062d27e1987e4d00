/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each thread's last munmap removed, until it is known not to have
 * failed: there is no event for success, so a record stays until the thread
 * unmaps again or it is the oldest of UNDO_THREADS. Whatever happens to a range
 * meanwhile is cut out of the records.
 */
#ifndef TRACE_REGION_UNDO_H
#define TRACE_REGION_UNDO_H

#include "trace/region_set.h"

#define UNDO_THREADS 64
/* A munmap that fails concerns few regions: it fails because it would split
 * one too many (mm/mmap.c). */
#define UNDO_PIECES 1024

/* Removed pieces in order of address. */
struct region_pieces {
	struct region *list;
	size_t count, capacity;
	bool incomplete; /* some did not fit or got lost */
};

/* `max` pieces at most; more set `incomplete`. */
void region_pieces_add(struct region_pieces *p, const struct region *r,
		       size_t max);
void region_pieces_free(struct region_pieces *p);

struct undo_record {
	uint32_t tid; /* 0: unused */
	uint32_t tgid;
	uint64_t age; /* sequence number */
	struct region_pieces pieces;
};

struct region_undo {
	struct undo_record records[UNDO_THREADS];
	uint64_t sequence;
};

/* An empty record for the thread, in place of its last one. */
struct undo_record *region_undo_begin(struct region_undo *u, uint32_t tgid,
				      uint32_t tid);
/* The thread's record, or NULL. */
struct undo_record *region_undo_find(struct region_undo *u, uint32_t tgid,
				     uint32_t tid);
void region_undo_drop(struct undo_record *record);
void region_undo_drop_process(struct region_undo *u, uint32_t tgid);
/* [start, end) has been mapped or unmapped since. */
void region_undo_cut(struct region_undo *u, uint32_t tgid, uint64_t start,
		     uint64_t end);
void region_undo_free(struct region_undo *u);

#endif
