/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/regions.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trace/cohorts.h"
#include "trace/region_set.h"
#include "trace/region_undo.h"
#include "base/stack_table.h"

/* Stacks told apart; what comes beyond is booked to STACK_ID_OVERFLOW. */
#define STACKS_MAX 4096
/* User addresses end below this on every supported machine. */
#define ADDRESS_END (1ULL << 56)

/* Totals of one stack. Allocated = live + freed. */
struct region_stack {
	uint32_t id;
	uint32_t tgid;
	uint64_t live_bytes, live_regions;
	uint64_t freed_bytes, freed_regions;
	uint64_t first_alloc_ns, last_alloc_ns, last_free_ns;
	int64_t cohort_bytes[COHORTS]; /* as of aged_at */
	int64_t cohort_regions[COHORTS];
};

struct regions {
	struct region_set set;
	struct region_undo undo;
	struct region_stack *stacks;
	size_t stack_count;
	struct stack_table index; /* stack id -> position in stacks */
	uint64_t page;
	uint64_t serial;
	uint64_t now_ns; /* of the event being applied */
	uint64_t lost, malformed;
	/* The cohort_* arrays are of this state and layout. */
	uint64_t changes, aged_at;
	struct cohort_layout aged_with;
};

struct regions *regions_new(size_t max)
{
	struct regions *r = calloc(1, sizeof(*r));
	long page = sysconf(_SC_PAGESIZE);

	if (!r)
		return NULL;
	r->set.max = max;
	r->page = page > 0 ? (uint64_t)page : 4096;
	r->stacks = calloc(STACKS_MAX, sizeof(r->stacks[0]));
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

/* ---- Totals ------------------------------------------------------------- */

static struct region_stack *stack_find(const struct regions *r, uint32_t id)
{
	uint32_t at;

	return stack_table_get(&r->index, id, &at) ? &r->stacks[at] : NULL;
}

/* Never NULL: the overflow entry when there is no room. */
static struct region_stack *stack_of(struct regions *r, uint32_t id,
				     uint32_t tgid)
{
	struct region_stack *s = stack_find(r, id);

	if (s)
		return s;
	if (id == STACK_ID_NONE || r->stack_count == STACKS_MAX ||
	    stack_table_put(&r->index, id, (uint32_t)r->stack_count))
		return &r->stacks[0];
	s = &r->stacks[r->stack_count++];
	*s = (struct region_stack){.id = id, .tgid = tgid};
	return s;
}

static uint64_t size_of(const struct region *region)
{
	return region->end - region->start;
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
	stack_of(r, region->stack, region->tgid)->live_regions--;
	region_set_erase(&r->set, at);
	return true;
}

/* Puts a piece where nothing is. False: no room, the piece is lost. */
static bool put(struct regions *r, const struct region *piece)
{
	struct region_place at =
		region_set_find(&r->set, piece->tgid, piece->start);
	struct region_stack *s = stack_of(r, piece->stack, piece->tgid);
	struct region booked = *piece;

	booked.stack = s->id;
	if (region_set_insert(&r->set, at, &booked)) {
		r->lost++;
		return false;
	}
	if (!s->first_alloc_ns)
		s->first_alloc_ns = piece->birth_ns;
	s->live_bytes += size_of(piece);
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
		struct region_stack *s = stack_of(r, tail.stack, tail.tgid);

		r->lost++;
		s->live_bytes -= size_of(&tail);
		s->freed_bytes += size_of(&tail);
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
		struct region_stack *s = stack_of(r, region->stack, tgid);
		struct region piece = *region;
		size_t before = r->set.count;

		if (piece.start < start)
			piece.start = start;
		if (piece.end > end)
			piece.end = end;
		at = cut(r, at, start, end);
		s->live_regions += r->set.count - before; /* -1, 0 or 1 */
		s->live_bytes -= size_of(&piece);
		if (out)
			region_pieces_add(out, &piece, out_max);
		if (moves)
			continue;
		s->freed_bytes += size_of(&piece);
		s->freed_regions += r->set.count < before;
		s->last_free_ns = r->now_ns;
	}
}

static void allocate(struct regions *r, uint32_t tgid, uint32_t stack,
		     uint64_t start, uint64_t end)
{
	struct region_stack *s = stack_of(r, stack, tgid);
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
	struct region_stack *s = stack_of(r, piece->stack, piece->tgid);
	uint64_t before = s->live_regions;

	if (!put(r, piece))
		return;
	minus(&s->freed_bytes, size_of(piece));
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
	struct region_stack *s = stack_of(r, piece->stack, piece->tgid);
	struct region moved = *piece;
	uint64_t kept = 0, before = s->live_regions;

	moved.start = piece->start - old + new;
	moved.end = piece->end - old + new;
	if (moved.end > new_end)
		moved.end = new_end;
	if (moved.start < moved.end && put(r, &moved))
		kept = size_of(&moved);
	if (kept < size_of(piece)) {
		s->freed_bytes += size_of(piece) - kept;
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

/* ---- Reading ------------------------------------------------------------ */

/* Distributes the live regions to cohorts anew, if anything has changed. */
static void age(struct regions *r, const struct cohort_layout *layout)
{
	struct region_place at = {0, 0};
	struct region *region;

	if (r->aged_at == r->changes &&
	    !memcmp(layout, &r->aged_with, sizeof(*layout)))
		return;
	for (size_t i = 0; i < r->stack_count; i++) {
		struct region_stack *s = &r->stacks[i];

		memset(s->cohort_bytes, 0, sizeof(s->cohort_bytes));
		memset(s->cohort_regions, 0, sizeof(s->cohort_regions));
	}
	for (; (region = region_set_at(&r->set, at)) != NULL;
	     at = region_set_next(&r->set, at)) {
		struct region_stack *s =
			stack_of(r, region->stack, region->tgid);
		uint32_t i = cohort_index(layout, region->birth_ns);
		uint32_t slot = layout->slot[i] % COHORTS;

		s->cohort_bytes[slot] += (int64_t)size_of(region);
		s->cohort_regions[slot]++;
	}
	r->aged_at = r->changes;
	r->aged_with = *layout;
}

static void widen(struct stack_stats *st, const struct region_stack *s)
{
	if (!st->first_alloc_ns || s->first_alloc_ns < st->first_alloc_ns)
		st->first_alloc_ns = s->first_alloc_ns;
	if (s->last_alloc_ns > st->last_alloc_ns)
		st->last_alloc_ns = s->last_alloc_ns;
	if (s->last_free_ns > st->last_free_ns)
		st->last_free_ns = s->last_free_ns;
	if (!st->tgid)
		st->tgid = s->tgid;
}

void regions_add_stats(struct regions *r, uint32_t stack,
		       const struct cohort_layout *layout,
		       struct stack_stats *st)
{
	const struct region_stack *s = stack_find(r, stack);

	if (!s || !(s->live_regions + s->freed_regions))
		return;
	age(r, layout);
	st->alloc_samples += s->live_regions + s->freed_regions;
	st->freed_samples += s->freed_regions;
	st->alloc_bytes += s->live_bytes + s->freed_bytes;
	st->freed_bytes += s->freed_bytes;
	st->alloc_objects_q8 += (s->live_regions + s->freed_regions) << 8;
	st->freed_objects_q8 += s->freed_regions << 8;
	for (uint32_t i = 0; i < COHORTS; i++) {
		st->cohort_bytes[i] += s->cohort_bytes[i];
		st->cohort_objects_q8[i] += s->cohort_regions[i] * 256;
	}
	widen(st, s);
}

uint64_t regions_live_bytes(const struct regions *r, uint32_t tgid)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->stack_count; i++)
		if (r->stacks[i].tgid == tgid)
			sum += r->stacks[i].live_bytes;
	return sum;
}

bool regions_uses_stack(const struct regions *r, uint32_t stack)
{
	const struct region_stack *s = stack_find(r, stack);

	return s && s->live_regions;
}

void regions_forget_stack(struct regions *r, uint32_t stack)
{
	struct region_stack *s = stack_find(r, stack);

	if (!s || s->live_regions || s == &r->stacks[0])
		return;
	*s = r->stacks[--r->stack_count];
	stack_table_clear(&r->index);
	/* Fewer than before: no memory is needed, so it cannot fail. */
	for (size_t i = 0; i < r->stack_count; i++)
		stack_table_put(&r->index, r->stacks[i].id, (uint32_t)i);
}

void regions_stats(const struct regions *r, struct regions_stats *out)
{
	*out = (struct regions_stats){
		.live = r->set.count,
		.lost = r->lost,
		.malformed = r->malformed,
	};
	for (size_t i = 0; i < r->stack_count; i++)
		out->live_bytes += r->stacks[i].live_bytes;
}

void regions_each(const struct regions *r,
		  void (*each)(const struct region *region, void *context),
		  void *context)
{
	struct region_place at = {0, 0};
	const struct region *region;

	for (; (region = region_set_at(&r->set, at)) != NULL;
	     at = region_set_next(&r->set, at))
		each(region, context);
}
