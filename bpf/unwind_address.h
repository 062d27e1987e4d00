/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* From an address to the frame it stands for and to its unwind rule. Binary
 * searches touch user-controlled nothing: only tables of the loader. */
#ifndef BPF_UNWIND_ADDRESS_H
#define BPF_UNWIND_ADDRESS_H

#include "leakbpf/unwind_rule.h"
#include "walk.h"

/* 2^12 ranges, 2^22 rows: what a binary search of that many steps covers. */
#define RANGE_SEARCH_STEPS 13
#define ROW_SEARCH_STEPS   23

/* The row that covers `offset`: the last one with pc <= offset; *start is its
 * pc. */
static __always_inline __u32 row_rule(__u32 object, __u32 rows, __u32 offset,
				      __u64 *start)
{
	void *table = bpf_map_lookup_elem(&unwind_objects, &object);
	__u32 low = 0, high = rows, rule = UNWIND_NONE;
	int i;

	if (!table)
		return UNWIND_NONE;
	for (i = 0; i < ROW_SEARCH_STEPS; i++) {
		__u32 middle = low + (high - low) / 2;
		struct unwind_row *row;

		if (low >= high)
			break;
		row = bpf_map_lookup_elem(table, &middle);
		if (!row)
			break;
		if (row->pc <= offset) {
			rule = row->rule;
			*start = row->pc;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return rule;
}

/* Fills frame, rule and found for the look-up address. Slow path. */
__noinline int walk_search(struct walk *w, __u64 address)
{
	struct exec_range *range = NULL;
	__u32 low = 1, high, zero = 0, tgid;
	void *ranges;
	int i;

	if (!w)
		return 0;
	w->found = 0;
	w->rule = UNWIND_NONE;
	w->frame = address & FRAME_ADDRESS_MASK;
	tgid = w->tgid; /* keys must be on the stack up to Linux 6.1 */
	ranges = bpf_map_lookup_elem(&process_ranges, &tgid);
	if (!ranges)
		return 0;
	range = bpf_map_lookup_elem(ranges, &zero);
	if (!range)
		return 0;
	high = range->rows + 1;
	for (i = 0; i < RANGE_SEARCH_STEPS; i++) {
		__u32 middle = low + (high - low) / 2;

		if (low >= high)
			return 0;
		range = bpf_map_lookup_elem(ranges, &middle);
		if (!range)
			return 0;
		if (address < range->start)
			high = middle;
		else if (address >= range->end)
			low = middle + 1;
		else
			break;
	}
	if (!range || address < range->start || address >= range->end)
		return 0;
	w->found = 1;
	if (range->object) {
		__u64 link_time = address - range->bias;

		w->frame = (__u64)range->object << FRAME_OBJECT_SHIFT |
			   (link_time & FRAME_ADDRESS_MASK);
		w->leaf = w->frame;
		if (range->rows)
			w->rule = row_rule(range->object, range->rows,
					   link_time - range->text_base,
					   &w->leaf);
	}
	return 0;
}

static __always_inline __u64 pc_cache_mix(__u64 key, __u64 frame, __u64 rule)
{
	return key ^ frame * 0x9e3779b97f4a7c15ULL ^ rule << 32 ^ 1;
}

static __always_inline void walk_resolve(struct walk *w)
{
	__u64 address = w->exact ? w->pc : w->pc - 1;
	__u64 key = address ^ w->space;
	__u32 slot =
		(key * 0x9e3779b97f4a7c15ULL >> 40) & (PC_CACHE_ENTRIES - 1);
	struct pc_cache_entry *e = bpf_map_lookup_elem(&pc_cache, &slot);
	__u64 frame, rule;

	if (!e)
		return;
	frame = *(volatile __u64 *)&e->frame;
	rule = *(volatile __u64 *)&e->rule;
	if (*(volatile __u64 *)&e->check == pc_cache_mix(key, frame, rule)) {
		w->frame = frame;
		w->rule = rule;
		w->found = 1;
		return;
	}
	walk_search(w, address);
	if (!w->found)
		return;
	frame = w->frame;
	rule = w->rule;
	e->frame = frame;
	e->rule = rule;
	e->check = pc_cache_mix(key, frame, rule);
}

#endif
