/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "trace/region_set.h"
#include "trace/regions.h"

#define TGID 100
#define TID  101
#define BASE 0x7f0000000000ULL

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Addresses and lengths in pages from BASE. */
static struct map_event event(enum map_operation op, uint64_t page,
			      uint64_t pages, uint32_t stack)
{
	return (struct map_event){
		.header = {.type = EVENT_MAP, .tgid = TGID},
		.operation = op,
		.stack = stack,
		.tid = TID,
		.address = BASE + page * page_size(),
		.length = pages * page_size(),
		.time_ns = 1000,
	};
}

static void apply(struct regions *r, enum map_operation op, uint64_t page,
		  uint64_t pages, uint32_t stack)
{
	struct map_event e = event(op, page, pages, stack);

	regions_apply(r, &e);
}

static void remap(struct regions *r, uint64_t from, uint64_t from_pages,
		  uint64_t to, uint64_t to_pages, uint32_t stack)
{
	struct map_event e = event(MAP_OP_REMAP, to, to_pages, stack);

	e.old_address = BASE + from * page_size();
	e.old_length = from_pages * page_size();
	regions_apply(r, &e);
}

struct listing {
	char text[4096];
	size_t size;
};

static void list_one(const struct region *region, void *context)
{
	struct listing *l = context;

	l->size += (size_t)snprintf(
		l->text + l->size, sizeof(l->text) - l->size, "%s%u:%d-%d",
		l->size ? " " : "", region->stack,
		(int)((int64_t)(region->start - BASE) / (int)page_size()),
		(int)((int64_t)(region->end - BASE) / (int)page_size()));
}

/* "stack:first page-end page", in order. */
static void assert_regions(const struct regions *r, const char *expected)
{
	struct listing l = {.size = 0};

	regions_each(r, list_one, &l);
	assert_string_equal(l.text, expected);
}

static const struct cohort_layout one_cohort = {.count = 1};

static void assert_stack(struct regions *r, uint32_t stack, uint64_t live_pages,
			 uint64_t freed_pages, uint64_t live_regions)
{
	struct stack_stats s = {0};
	uint64_t page = page_size();

	regions_add_stats(r, stack, &one_cohort, &s);
	assert_int_equal(s.alloc_bytes - s.freed_bytes, live_pages * page);
	assert_int_equal(s.freed_bytes, freed_pages * page);
	assert_int_equal((s.alloc_objects_q8 - s.freed_objects_q8) >> 8,
			 live_regions);
	assert_int_equal(s.alloc_samples - s.freed_samples, live_regions);
	assert_int_equal(s.cohort_bytes[0], live_pages * page);
	assert_int_equal(s.cohort_objects_q8[0], live_regions << 8);
	assert_int_equal(s.live_bytes_variance, 0);
}

static void a_mapping_counts_until_it_is_unmapped(void **state)
{
	struct regions *r = regions_new(100);

	apply(r, MAP_OP_MAP, 10, 5, 7);
	assert_regions(r, "7:10-15");
	assert_stack(r, 7, 5, 0, 1);
	assert_true(regions_uses_stack(r, 7));
	apply(r, MAP_OP_UNMAP, 10, 5, 0);
	assert_regions(r, "");
	assert_stack(r, 7, 0, 5, 0);
	assert_false(regions_uses_stack(r, 7));
	regions_free(r);
}

static void lengths_count_in_whole_pages(void **state)
{
	struct regions *r = regions_new(100);
	struct map_event e = event(MAP_OP_MAP, 10, 0, 7);

	e.length = 1;
	regions_apply(r, &e);
	assert_stack(r, 7, 1, 0, 1);
	e = event(MAP_OP_UNMAP, 10, 0, 0);
	e.length = 1;
	regions_apply(r, &e);
	assert_stack(r, 7, 0, 1, 0);
	regions_free(r);
}

static void an_unmap_may_take_the_head_the_tail_or_the_middle(void **state)
{
	struct regions *r = regions_new(100);

	apply(r, MAP_OP_MAP, 10, 20, 7);
	apply(r, MAP_OP_UNMAP, 5, 7, 0);
	assert_regions(r, "7:12-30");
	apply(r, MAP_OP_UNMAP, 28, 10, 0);
	assert_regions(r, "7:12-28");
	assert_stack(r, 7, 16, 4, 1);
	apply(r, MAP_OP_UNMAP, 15, 5, 0);
	assert_regions(r, "7:12-15 7:20-28");
	assert_stack(r, 7, 11, 9, 2);
	regions_free(r);
}

static void an_unmap_may_take_several_regions(void **state)
{
	struct regions *r = regions_new(100);

	for (uint32_t i = 0; i < 5; i++)
		apply(r, MAP_OP_MAP, 10 * i, 5, 10 + i);
	apply(r, MAP_OP_UNMAP, 12, 30, 0);
	assert_regions(r, "10:0-5 11:10-12 14:42-45");
	regions_free(r);
}

static void a_fixed_mapping_replaces_what_it_covers(void **state)
{
	struct regions *r = regions_new(100);

	apply(r, MAP_OP_MAP, 10, 10, 7);
	apply(r, MAP_OP_MAP, 13, 4, 8);
	assert_regions(r, "7:10-13 8:13-17 7:17-20");
	assert_stack(r, 7, 6, 4, 2);
	assert_stack(r, 8, 4, 0, 1);
	apply(r, MAP_OP_MAP, 0, 100, 9);
	assert_regions(r, "9:0-100");
	assert_stack(r, 7, 0, 10, 0);
	regions_free(r);
}

static void a_failed_unmap_restores_what_it_removed(void **state)
{
	struct regions *r = regions_new(100);

	apply(r, MAP_OP_MAP, 10, 10, 7);
	apply(r, MAP_OP_MAP, 30, 10, 8);
	apply(r, MAP_OP_UNMAP, 15, 20, 0);
	assert_regions(r, "7:10-15 8:35-40");
	apply(r, MAP_OP_UNMAP_FAILED, 15, 20, 0);
	assert_regions(r, "7:10-20 8:30-40");
	assert_stack(r, 7, 10, 0, 1);
	assert_stack(r, 8, 10, 0, 1);
	regions_free(r);
}

static void a_failed_unmap_of_a_middle_leaves_one_region(void **state)
{
	struct regions *r = regions_new(100);

	apply(r, MAP_OP_MAP, 10, 10, 7);
	apply(r, MAP_OP_UNMAP, 12, 3, 0);
	apply(r, MAP_OP_UNMAP_FAILED, 12, 3, 0);
	assert_regions(r, "7:10-20");
	assert_stack(r, 7, 10, 0, 1);
	regions_free(r);
}

static void a_failed_unmap_restores_nothing_of_an_earlier_one(void **state)
{
	struct regions *r = regions_new(100);

	apply(r, MAP_OP_MAP, 10, 10, 7);
	apply(r, MAP_OP_UNMAP, 10, 5, 0);
	apply(r, MAP_OP_UNMAP, 50, 5, 0);
	apply(r, MAP_OP_UNMAP_FAILED, 50, 5, 0);
	assert_regions(r, "7:15-20");
	apply(r, MAP_OP_UNMAP_FAILED, 50, 5, 0);
	assert_regions(r, "7:15-20");
	regions_free(r);
}

static void a_failed_unmap_does_not_restore_what_was_mapped_since(void **state)
{
	struct regions *r = regions_new(100);
	struct map_event e;

	apply(r, MAP_OP_MAP, 10, 10, 7);
	apply(r, MAP_OP_UNMAP, 10, 10, 0);
	e = event(MAP_OP_MAP, 13, 3, 8);
	e.tid = TID + 1;
	regions_apply(r, &e);
	e.operation = MAP_OP_UNMAP;
	regions_apply(r, &e);
	apply(r, MAP_OP_UNMAP_FAILED, 10, 10, 0);
	assert_regions(r, "7:10-13 7:16-20");
	regions_free(r);
}

static void a_remap_moves_known_parts_and_books_growth_anew(void **state)
{
	struct regions *r = regions_new(100);

	apply(r, MAP_OP_MAP, 10, 10, 7);
	remap(r, 10, 10, 50, 15, 8);
	assert_regions(r, "7:50-60 8:60-65");
	assert_stack(r, 7, 10, 0, 1);
	assert_stack(r, 8, 5, 0, 1);
	regions_free(r);
}

static void a_remap_in_place_grows_or_shrinks(void **state)
{
	struct regions *r = regions_new(100);

	apply(r, MAP_OP_MAP, 10, 10, 7);
	remap(r, 10, 10, 10, 12, 8);
	assert_regions(r, "7:10-20 8:20-22");
	remap(r, 10, 12, 10, 4, 9);
	assert_regions(r, "7:10-14");
	assert_stack(r, 7, 4, 6, 1);
	assert_stack(r, 8, 0, 2, 0);
	regions_free(r);
}

static void a_remap_of_unknown_memory_counts_only_its_growth(void **state)
{
	struct regions *r = regions_new(100);

	remap(r, 10, 10, 50, 10, 8);
	assert_regions(r, "");
	remap(r, 50, 10, 80, 13, 8);
	assert_regions(r, "8:90-93");
	regions_free(r);
}

static void processes_do_not_share_addresses(void **state)
{
	struct regions *r = regions_new(100);
	struct map_event e = event(MAP_OP_MAP, 10, 10, 8);

	apply(r, MAP_OP_MAP, 10, 10, 7);
	e.header.tgid = TGID - 1;
	regions_apply(r, &e);
	apply(r, MAP_OP_UNMAP, 0, 100, 0);
	assert_regions(r, "8:10-20");
	apply(r, MAP_OP_MAP, 10, 10, 7);
	regions_drop_process(r, TGID - 1);
	assert_regions(r, "7:10-20");
	assert_stack(r, 8, 0, 10, 0);
	regions_free(r);
}

static void a_region_belongs_to_the_cohort_of_its_birth(void **state)
{
	struct regions *r = regions_new(100);
	struct cohort_layout l = {
		.count = 2, .start_ns = {0, 5000}, .slot = {3, 9}};
	struct stack_stats s = {0};
	struct map_event e = event(MAP_OP_MAP, 10, 2, 7);

	e.time_ns = 4999;
	regions_apply(r, &e);
	e = event(MAP_OP_MAP, 20, 3, 7);
	e.time_ns = 5000;
	regions_apply(r, &e);
	remap(r, 10, 2, 40, 2, 8); /* keeps its birth */
	regions_add_stats(r, 7, &l, &s);
	assert_int_equal(s.cohort_bytes[3], 2 * page_size());
	assert_int_equal(s.cohort_bytes[9], 3 * page_size());
	assert_int_equal(s.first_alloc_ns, 4999);
	assert_int_equal(s.last_alloc_ns, 5000);
	l.slot[0] = 5;
	memset(&s, 0, sizeof(s));
	regions_add_stats(r, 7, &l, &s);
	assert_int_equal(s.cohort_bytes[5], 2 * page_size());
	assert_int_equal(s.cohort_bytes[3], 0);
	regions_free(r);
}

static void impossible_events_change_nothing_and_are_counted(void **state)
{
	struct regions *r = regions_new(100);
	struct map_event e;
	struct regions_stats s;

	apply(r, MAP_OP_MAP, 10, 10, 7);
	e = event(MAP_OP_MAP, 0, 1, 8);
	e.length = UINT64_MAX;
	regions_apply(r, &e);
	e.length = UINT64_MAX - e.address;
	regions_apply(r, &e);
	e.address = BASE + 1;
	e.length = page_size();
	regions_apply(r, &e);
	e = event(99, 10, 10, 8);
	regions_apply(r, &e);
	regions_stats(r, &s);
	assert_int_equal(s.malformed, 4);
	/* The kernel refuses these; the failure event then restores nothing. */
	e = event(MAP_OP_UNMAP, 10, 10, 0);
	e.address++;
	regions_apply(r, &e);
	e.operation = MAP_OP_UNMAP_FAILED;
	regions_apply(r, &e);
	assert_regions(r, "7:10-20");
	regions_free(r);
}

static void what_does_not_fit_is_counted_as_lost(void **state)
{
	struct regions *r = regions_new(3);
	struct regions_stats s;

	for (uint32_t i = 0; i < 5; i++)
		apply(r, MAP_OP_MAP, 10 * i, 5, 7);
	assert_regions(r, "7:0-5 7:10-15 7:20-25");
	assert_stack(r, 7, 15, 0, 3);
	regions_stats(r, &s);
	assert_int_equal(s.lost, 2);
	/* No room for the second half. */
	apply(r, MAP_OP_UNMAP, 11, 1, 0);
	assert_regions(r, "7:0-5 7:10-11 7:20-25");
	assert_stack(r, 7, 11, 4, 3);
	regions_stats(r, &s);
	assert_int_equal(s.lost, 3);
	regions_free(r);
}

static void a_forgotten_stack_starts_at_zero(void **state)
{
	struct regions *r = regions_new(100);

	for (uint32_t i = 2; i < 12; i++) {
		apply(r, MAP_OP_MAP, 10 * i, i, i);
		if (i % 2)
			apply(r, MAP_OP_UNMAP, 10 * i, i, 0);
	}
	for (uint32_t i = 2; i < 12; i++)
		regions_forget_stack(r, i);
	for (uint32_t i = 2; i < 12; i++)
		assert_stack(r, i, i % 2 ? 0 : i, 0, i % 2 ? 0 : 1);
	regions_free(r);
}

static void stacks_beyond_the_table_go_to_the_overflow_stack(void **state)
{
	struct regions *r = regions_new(10000);

	for (uint32_t i = 0; i < 6000; i++)
		apply(r, MAP_OP_MAP, 2 * i, 1, 2 + i);
	assert_stack(r, STACK_ID_OVERFLOW, 6000 - 4095, 0, 6000 - 4095);
	apply(r, MAP_OP_UNMAP, 0, 12000, 0);
	assert_stack(r, STACK_ID_OVERFLOW, 0, 6000 - 4095, 0);
	regions_free(r);
}

/* ---- Against a page array ------------------------------------------------ */

#define PAGES	  400
#define PROCESSES 2
#define THREADS	  3
#define STACKS	  6
#define STEPS	  100000

struct naive_page {
	uint64_t serial; /* 0: not mapped */
	uint32_t stack;
	uint64_t birth;
	/* What a failing munmap of this thread would bring back. */
	uint32_t undo_tid;
	uint64_t undo_serial;
	uint32_t undo_stack;
	uint64_t undo_birth;
};

struct naive {
	struct naive_page pages[PROCESSES][PAGES];
	uint64_t serial;
	uint64_t freed_pages[STACKS + 2];
};

static void naive_clear(struct naive *n, struct naive_page *p, bool freed)
{
	if (p->serial && freed)
		n->freed_pages[p->stack]++;
	p->serial = 0;
	p->undo_tid = 0;
}

static void naive_map(struct naive *n, int proc, const struct map_event *e,
		      size_t first, size_t count)
{
	n->serial++;
	for (size_t i = first; i < first + count; i++) {
		struct naive_page *p = &n->pages[proc][i];

		naive_clear(n, p, true);
		p->serial = n->serial;
		p->stack = e->stack;
		p->birth = e->time_ns;
	}
}

static void naive_unmap(struct naive *n, int proc, const struct map_event *e,
			size_t first, size_t count)
{
	for (size_t i = 0; i < PAGES; i++)
		if (n->pages[proc][i].undo_tid == e->tid)
			n->pages[proc][i].undo_tid = 0;
	for (size_t i = first; i < first + count; i++) {
		struct naive_page *p = &n->pages[proc][i];
		struct naive_page old = *p;

		naive_clear(n, p, true);
		if (!old.serial)
			continue;
		p->undo_tid = e->tid;
		p->undo_serial = old.serial;
		p->undo_stack = old.stack;
		p->undo_birth = old.birth;
	}
}

static void naive_failed(struct naive *n, int proc, const struct map_event *e)
{
	for (size_t i = 0; i < PAGES; i++) {
		struct naive_page *p = &n->pages[proc][i];

		if (p->undo_tid != e->tid)
			continue;
		p->serial = p->undo_serial;
		p->stack = p->undo_stack;
		p->birth = p->undo_birth;
		p->undo_tid = 0;
		n->freed_pages[p->stack]--;
	}
}

static void naive_remap(struct naive *n, int proc, const struct map_event *e,
			size_t from, size_t from_count, size_t to,
			size_t to_count)
{
	struct naive_page moving[PAGES];

	memcpy(moving, &n->pages[proc][from], from_count * sizeof(moving[0]));
	for (size_t i = from; i < from + from_count; i++)
		naive_clear(n, &n->pages[proc][i], false);
	for (size_t i = to; i < to + to_count; i++)
		naive_clear(n, &n->pages[proc][i], true);
	for (size_t i = 0; i < from_count; i++) {
		struct naive_page *p;

		if (!moving[i].serial)
			continue;
		if (i >= to_count) {
			n->freed_pages[moving[i].stack]++;
			continue;
		}
		p = &n->pages[proc][to + i];
		p->serial = moving[i].serial;
		p->stack = moving[i].stack;
		p->birth = moving[i].birth;
	}
	if (from_count < to_count)
		naive_map(n, proc, e, to + from_count, to_count - from_count);
}

struct comparison {
	const struct naive *naive;
	size_t pages; /* covered by the regions seen */
	int step;
};

/* Every page of the region is mapped by that stack at that time, and the region
 * does not end before its mapping's contiguous piece does. */
static void compare_region(const struct region *region, void *context)
{
	struct comparison *c = context;
	const struct naive_page *pages = c->naive->pages[region->tgid - TGID];
	size_t first = (region->start - BASE) / page_size();
	size_t end = (region->end - BASE) / page_size();

	for (size_t i = first; i < end; i++) {
		if (pages[i].serial != pages[first].serial ||
		    !pages[i].serial || pages[i].stack != region->stack ||
		    pages[i].birth != region->birth_ns)
			fail_msg("step %d: page %zu in %zu-%zu: expected stack "
				 "%u born %llu, seen stack %u born %llu",
				 c->step, i, first, end,
				 pages[i].serial ? pages[i].stack : 0,
				 (unsigned long long)pages[i].birth,
				 region->stack,
				 (unsigned long long)region->birth_ns);
	}
	if ((end < PAGES && pages[end].serial == pages[first].serial) ||
	    (first && pages[first - 1].serial == pages[first].serial))
		fail_msg("step %d: region %zu-%zu is not whole", c->step, first,
			 end);
	c->pages += end - first;
}

static void compare_totals(struct regions *r, const struct naive *n)
{
	uint64_t live[STACKS + 2] = {0}, pieces[STACKS + 2] = {0};

	for (int proc = 0; proc < PROCESSES; proc++)
		for (size_t i = 0; i < PAGES; i++) {
			const struct naive_page *p = &n->pages[proc][i];

			if (!p->serial)
				continue;
			live[p->stack]++;
			pieces[p->stack] += !i || p[-1].serial != p->serial;
		}
	for (uint32_t s = 2; s < STACKS + 2; s++)
		assert_stack(r, s, live[s], n->freed_pages[s], pieces[s]);
}

static void compare(struct regions *r, const struct naive *n, int step)
{
	struct comparison c = {.naive = n, .step = step};
	size_t pages = 0;

	regions_each(r, compare_region, &c);
	for (int proc = 0; proc < PROCESSES; proc++)
		for (size_t i = 0; i < PAGES; i++)
			pages += n->pages[proc][i].serial != 0;
	if (pages != c.pages)
		fail_msg("step %d: expected %zu pages, seen %zu", step, pages,
			 c.pages);
	compare_totals(r, n);
}

static uint32_t pick(uint64_t *seed, uint32_t below)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*seed >> 33) % below;
}

static void random_step(struct regions *r, struct naive *n, uint64_t *seed,
			int step)
{
	int proc = (int)pick(seed, PROCESSES);
	uint32_t longest = pick(seed, 20) ? 12 : PAGES / 2;
	size_t count = 1 + pick(seed, longest);
	size_t first = pick(seed, (uint32_t)(PAGES - count));
	size_t old_count = 1 + pick(seed, longest);
	size_t old = pick(seed, (uint32_t)(PAGES - old_count));
	struct map_event e =
		event(MAP_OP_MAP, first, count, 2 + pick(seed, STACKS));
	uint32_t what = pick(seed, 100);

	e.header.tgid = TGID + (uint32_t)proc;
	e.tid = 1 + pick(seed, THREADS) + 100 * (uint32_t)proc;
	e.time_ns = 1000 + (uint64_t)step;
	if (what < 45) {
		naive_map(n, proc, &e, first, count);
	} else if (what < 75) {
		e.operation = MAP_OP_UNMAP;
		naive_unmap(n, proc, &e, first, count);
	} else if (what < 85) {
		e.operation = MAP_OP_UNMAP_FAILED;
		naive_failed(n, proc, &e);
	} else {
		if (what < 92)
			old = first; /* in place */
		if (old + old_count > PAGES)
			old_count = PAGES - old;
		/* The kernel refuses a destination over the source. */
		if (old != first && old < first + count &&
		    first < old + old_count)
			return;
		e.operation = MAP_OP_REMAP;
		e.old_address = BASE + old * page_size();
		e.old_length = old_count * page_size();
		naive_remap(n, proc, &e, old, old_count, first, count);
	}
	regions_apply(r, &e);
}

static void agrees_with_a_page_array_over_100000_operations(void **state)
{
	static struct naive n;
	struct regions *r = regions_new(PAGES * PROCESSES);
	struct regions_stats s;
	uint64_t seed = 12345;

	for (int step = 0; step < STEPS; step++) {
		random_step(r, &n, &seed, step);
		if (step % 10 == 0)
			compare(r, &n, step);
	}
	compare(r, &n, STEPS);
	regions_stats(r, &s);
	assert_int_equal(s.malformed, 0);
	regions_free(r);
}

/* Enough regions to split and join chunks many times. */
static void fifty_thousand_regions_stay_in_order(void **state)
{
	struct regions *r = regions_new(50000);
	struct regions_stats s;
	uint64_t seed = 1;

	for (uint32_t i = 0; i < 50000; i++)
		apply(r, MAP_OP_MAP, 2 * ((i * 17389ULL) % 50000), 1, 7);
	regions_stats(r, &s);
	assert_int_equal(s.live, 50000);
	assert_int_equal(s.lost, 0);
	for (uint32_t i = 0; i < 300000; i++) {
		uint32_t at = 2 * pick(&seed, 50000);

		apply(r, i % 3 ? MAP_OP_UNMAP : MAP_OP_MAP, at, 1, 7);
	}
	apply(r, MAP_OP_UNMAP, 0, 99999, 0);
	assert_regions(r, "");
	regions_stats(r, &s);
	assert_int_equal(s.live, 0);
	assert_int_equal(s.live_bytes, 0);
	regions_free(r);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_mapping_counts_until_it_is_unmapped),
		T(lengths_count_in_whole_pages),
		T(an_unmap_may_take_the_head_the_tail_or_the_middle),
		T(an_unmap_may_take_several_regions),
		T(a_fixed_mapping_replaces_what_it_covers),
		T(a_failed_unmap_restores_what_it_removed),
		T(a_failed_unmap_of_a_middle_leaves_one_region),
		T(a_failed_unmap_restores_nothing_of_an_earlier_one),
		T(a_failed_unmap_does_not_restore_what_was_mapped_since),
		T(a_remap_moves_known_parts_and_books_growth_anew),
		T(a_remap_in_place_grows_or_shrinks),
		T(a_remap_of_unknown_memory_counts_only_its_growth),
		T(processes_do_not_share_addresses),
		T(a_region_belongs_to_the_cohort_of_its_birth),
		T(impossible_events_change_nothing_and_are_counted),
		T(what_does_not_fit_is_counted_as_lost),
		T(a_forgotten_stack_starts_at_zero),
		T(stacks_beyond_the_table_go_to_the_overflow_stack),
		T(agrees_with_a_page_array_over_100000_operations),
		T(fifty_thousand_regions_stay_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
