/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/regions.h"

#include <stdlib.h>
#include <unistd.h>

#include "trace/regions_internal.h"

/* User addresses end below this on every supported machine. */
#define ADDRESS_END (1ULL << 56)

struct regions *regions_new(size_t max)
{
	struct regions *r = calloc(1, sizeof(*r));
	long page = sysconf(_SC_PAGESIZE);

	if (!r)
		return NULL;
	r->set.max = max;
	r->page = page > 0 ? (uint64_t)page : 4096;
	r->stacks = calloc(REGION_STACKS_MAX, sizeof(r->stacks[0]));
	if (!r->stacks || stack_table_put(&r->index, STACK_ID_OVERFLOW, 0)) {
		regions_free(r);
		return NULL;
	}
	r->stacks[0].id = STACK_ID_OVERFLOW;
	r->stack_count = 1;
	return r;
}

void regions_free(struct regions *r)
{
	if (!r)
		return;
	region_set_free(&r->set);
	region_undo_free(&r->undo);
	stack_table_free(&r->index);
	free(r->stacks);
	free(r);
}

static void minus(uint64_t *from, uint64_t what)
{
	*from -= what < *from ? what : *from;
}

/* ---- Pieces into and out of the set ------------------------------------- */

/* Joins the region at `at` with the one before it if they are neighbouring
 * pieces of one mapping. */
static bool join_before(struct regions *r, struct region_place at)
{
	struct region *region = region_set_at(&r->set, at);
	struct region *before = region_set_before(&r->set, at);

	if (!region || !before || before->tgid != region->tgid ||
	    before->end != region->start || before->serial != region->serial ||
	    before->stack != region->stack)
		return false;
	before->end = region->end;
	region_stack_of(r, region->stack, region->tgid)->live_regions--;
	region_set_erase(&r->set, at);
	return true;
}

/* Puts a piece where nothing is. False: no room, the piece is lost. */
static bool put(struct regions *r, const struct region *piece)
{
	struct region_place at =
		region_set_find(&r->set, piece->tgid, piece->start);
	struct region_stack *s = region_stack_of(r, piece->stack, piece->tgid);
	struct region booked = *piece;

	booked.stack = s->id;
	if (region_set_insert(&r->set, at, &booked)) {
		r->lost++;
		return false;
	}
	if (!s->first_alloc_ns)
		s->first_alloc_ns = piece->birth_ns;
	s->live_bytes += region_size(piece);
	s->live_regions++;
	at = region_set_find(&r->set, piece->tgid, piece->start);
	join_before(r, at);
	at = region_set_find(&r->set, piece->tgid, piece->end);
	join_before(r, at);
	return true;
}

/* Cuts the overlap with [start, end) out of the region at `at`; returns the
 * place after what is left of it in front of the hole. */
static struct region_place cut(struct regions *r, struct region_place at,
			       uint64_t start, uint64_t end)
{
	struct region *region = region_set_at(&r->set, at);
	struct region tail = *region;

	if (region->start >= start && region->end <= end)
		return region_set_erase(&r->set, at);
	if (region->start >= start) {
		region->start = end;
		return at;
	}
	region->end = start;
	at = region_set_next(&r->set, at);
	if (tail.end <= end)
		return at;
	tail.start = end;
	if (region_set_insert(&r->set, at, &tail)) {
		struct region_stack *s =
			region_stack_of(r, tail.stack, tail.tgid);

		r->lost++;
		s->live_bytes -= region_size(&tail);
		s->freed_bytes += region_size(&tail);
		return at;
	}
	return region_set_find(&r->set, tail.tgid, tail.start);
}

/*
 * Takes [start, end) out of the set. What was there goes to `out` (may be
 * NULL), and to the freed totals unless it only moves.
 */
static void take(struct regions *r, uint32_t tgid, uint64_t start, uint64_t end,
		 struct region_pieces *out, size_t out_max, bool moves)
{
	struct region_place at = region_set_find(&r->set, tgid, start);
	struct region *region;

	while ((region = region_set_at(&r->set, at)) != NULL &&
	       region->tgid == tgid && region->start < end) {
		struct region_stack *s =
			region_stack_of(r, region->stack, tgid);
		struct region piece = *region;
		size_t before = r->set.count;

		if (piece.start < start)
			piece.start = start;
		if (piece.end > end)
			piece.end = end;
		at = cut(r, at, start, end);
		s->live_regions += r->set.count - before; /* -1, 0 or 1 */
		s->live_bytes -= region_size(&piece);
		if (out)
			region_pieces_add(out, &piece, out_max);
		if (moves)
			continue;
		s->freed_bytes += region_size(&piece);
		s->freed_regions += r->set.count < before;
		s->last_free_ns = r->now_ns;
	}
}

static void allocate(struct regions *r, uint32_t tgid, uint32_t stack,
		     uint64_t start, uint64_t end)
{
	struct region_stack *s = region_stack_of(r, stack, tgid);
	struct region piece = {
		.start = start,
		.end = end,
		.birth_ns = r->now_ns,
		.serial = ++r->serial,
		.tgid = tgid,
		.stack = s->id,
	};

	if (put(r, &piece))
		s->last_alloc_ns = r->now_ns;
}

/* ---- Events ------------------------------------------------------------- */

/* [address, +length) in whole pages; false when no kernel would map it. */
static bool pages(const struct regions *r, uint64_t address, uint64_t length,
		  uint64_t *end)
{
	if (address & (r->page - 1) || length >= ADDRESS_END ||
	    address >= ADDRESS_END)
		return false;
	*end = address + ((length + r->page - 1) & ~(r->page - 1));
	return *end < ADDRESS_END;
}

static void apply_map(struct regions *r, const struct map_event *e)
{
	uint32_t tgid = e->header.tgid;
	uint64_t end;

	if (!pages(r, e->address, e->length, &end) || end == e->address) {
		r->malformed++;
		return;
	}
	region_undo_cut(&r->undo, tgid, e->address, end);
	take(r, tgid, e->address, end, NULL, 0, false);
	allocate(r, tgid, e->stack, e->address, end);
}

static void apply_unmap(struct regions *r, const struct map_event *e)
{
	uint32_t tgid = e->header.tgid;
	struct undo_record *record = region_undo_begin(&r->undo, tgid, e->tid);
	uint64_t end;

	/* The kernel will refuse it: remembered as nothing removed. */
	if (!pages(r, e->address, e->length, &end))
		return;
	region_undo_cut(&r->undo, tgid, e->address, end);
	take(r, tgid, e->address, end, &record->pieces, UNDO_PIECES, false);
}

static void restore(struct regions *r, const struct region *piece)
{
	struct region_stack *s = region_stack_of(r, piece->stack, piece->tgid);
	uint64_t before = s->live_regions;

	if (!put(r, piece))
		return;
	minus(&s->freed_bytes, region_size(piece));
	if (s->live_regions > before)
		minus(&s->freed_regions, 1);
}

static void apply_unmap_failed(struct regions *r, const struct map_event *e)
{
	struct undo_record *record =
		region_undo_find(&r->undo, e->header.tgid, e->tid);

	if (!record) {
		r->lost++;
		return;
	}
	for (size_t i = 0; i < record->pieces.count; i++)
		restore(r, &record->pieces.list[i]);
	r->lost += record->pieces.incomplete;
	region_undo_drop(record);
}

/* Puts a piece that was at [old, ...) to [new, ...), as far as it is before
 * new_end. */
static void move_piece(struct regions *r, const struct region *piece,
		       uint64_t old, uint64_t new, uint64_t new_end)
{
	struct region_stack *s = region_stack_of(r, piece->stack, piece->tgid);
	struct region moved = *piece;
	uint64_t kept = 0, before = s->live_regions;

	moved.start = piece->start - old + new;
	moved.end = piece->end - old + new;
	if (moved.end > new_end)
		moved.end = new_end;
	if (moved.start < moved.end && put(r, &moved))
		kept = region_size(&moved);
	if (kept < region_size(piece)) {
		s->freed_bytes += region_size(piece) - kept;
		s->freed_regions += s->live_regions == before && !kept;
		s->last_free_ns = r->now_ns;
	}
}

static void apply_remap(struct regions *r, const struct map_event *e)
{
	uint32_t tgid = e->header.tgid;
	struct region_pieces moving = {0};
	uint64_t old_end, end, grown;

	if (!pages(r, e->address, e->length, &end) || end == e->address ||
	    !pages(r, e->old_address, e->old_length, &old_end)) {
		r->malformed++;
		return;
	}
	region_undo_cut(&r->undo, tgid, e->old_address, old_end);
	region_undo_cut(&r->undo, tgid, e->address, end);
	take(r, tgid, e->old_address, old_end, &moving, SIZE_MAX, true);
	take(r, tgid, e->address, end, NULL, 0, false);
	for (size_t i = 0; i < moving.count; i++)
		move_piece(r, &moving.list[i], e->old_address, e->address, end);
	grown = e->address + (old_end - e->old_address);
	if (grown < end)
		allocate(r, tgid, e->stack, grown, end);
	r->lost += moving.incomplete;
	region_pieces_free(&moving);
}

void regions_apply(struct regions *r, const struct map_event *e)
{
	r->now_ns = e->time_ns;
	r->changes++;
	switch (e->operation) {
	case MAP_OP_MAP:
		apply_map(r, e);
		break;
	case MAP_OP_UNMAP:
		apply_unmap(r, e);
		break;
	case MAP_OP_UNMAP_FAILED:
		apply_unmap_failed(r, e);
		break;
	case MAP_OP_REMAP:
		apply_remap(r, e);
		break;
	default:
		r->malformed++;
	}
}

void regions_drop_process(struct regions *r, uint32_t tgid)
{
	r->changes++;
	region_undo_drop_process(&r->undo, tgid);
	take(r, tgid, 0, ADDRESS_END, NULL, 0, false);
}
