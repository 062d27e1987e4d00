/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/region_undo.h"

#include <stdlib.h>
#include <string.h>

void region_pieces_add(struct region_pieces *p, const struct region *r,
		       size_t max)
{
	if (p->count == p->capacity) {
		size_t capacity = p->capacity ? 2 * p->capacity : 4;
		struct region *list;

		if (p->count >= max) {
			p->incomplete = true;
			return;
		}
		list = realloc(p->list, capacity * sizeof(*list));
		if (!list) {
			p->incomplete = true;
			return;
		}
		p->list = list;
		p->capacity = capacity;
	}
	p->list[p->count++] = *r;
}

void region_pieces_free(struct region_pieces *p)
{
	free(p->list);
	memset(p, 0, sizeof(*p));
}

void region_undo_drop(struct undo_record *record)
{
	region_pieces_free(&record->pieces);
	record->tid = 0;
}

struct undo_record *region_undo_find(struct region_undo *u, uint32_t tgid,
				     uint32_t tid)
{
	for (size_t i = 0; tid && i < UNDO_THREADS; i++)
		if (u->records[i].tid == tid && u->records[i].tgid == tgid)
			return &u->records[i];
	return NULL;
}

struct undo_record *region_undo_begin(struct region_undo *u, uint32_t tgid,
				      uint32_t tid)
{
	struct undo_record *record = region_undo_find(u, tgid, tid);

	if (!record) {
		record = &u->records[0];
		for (size_t i = 1; i < UNDO_THREADS; i++)
			if (u->records[i].age < record->age)
				record = &u->records[i];
	}
	region_undo_drop(record);
	record->tid = tid;
	record->tgid = tgid;
	record->age = ++u->sequence;
	return record;
}

void region_undo_drop_process(struct region_undo *u, uint32_t tgid)
{
	for (size_t i = 0; i < UNDO_THREADS; i++)
		if (u->records[i].tgid == tgid)
			region_undo_drop(&u->records[i]);
}

/* Cuts [start, end) out of the pieces; they stay in order. */
static void cut_pieces(struct region_pieces *p, uint64_t start, uint64_t end)
{
	struct region tail = {0};
	size_t kept = 0, split_at = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct region r = p->list[i];

		if (r.start < start && r.end > end) {
			tail = r;
			tail.start = end;
			r.end = start;
			split_at = kept + 1;
		} else if (r.start >= start && r.end <= end) {
			continue;
		} else if (r.start < end && r.end > end) {
			r.start = end;
		} else if (r.start < start && r.end > start) {
			r.end = start;
		}
		p->list[kept++] = r;
	}
	p->count = kept;
	if (!split_at)
		return;
	region_pieces_add(p, &tail, 2 * UNDO_PIECES);
	if (p->count == kept)
		return; /* lost; marked incomplete */
	memmove(&p->list[split_at + 1], &p->list[split_at],
		(kept - split_at) * sizeof(p->list[0]));
	p->list[split_at] = tail;
}

void region_undo_cut(struct region_undo *u, uint32_t tgid, uint64_t start,
		     uint64_t end)
{
	for (size_t i = 0; i < UNDO_THREADS; i++) {
		struct undo_record *record = &u->records[i];
		struct region_pieces *p = &record->pieces;

		if (record->tgid == tgid && p->count &&
		    p->list[0].start < end && p->list[p->count - 1].end > start)
			cut_pieces(p, start, end);
	}
}

void region_undo_free(struct region_undo *u)
{
	for (size_t i = 0; i < UNDO_THREADS; i++)
		region_undo_drop(&u->records[i]);
}
