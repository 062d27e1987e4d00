// SPDX-License-Identifier: GPL-2.0-only
#include "trace/memory_plan.h"

#include <errno.h>

#include "leakbpf/abi_user.h"

/* An element of a preallocated BPF hash map: struct htab_elem (48 bytes,
 * kernel/bpf/hashtab.c), key, value; and a 16-byte bucket. */
#define HASH_ENTRY_BYTES(key, value) (48 + (key) + (value) + 16)

/* A line of the table of outstanding blocks, with the blocks themselves. At
 * most four of its seven entries are used, or lines would overflow into others
 * too often (bpf/block_table.h). */
#define LINE_BYTES                                                             \
	(sizeof(struct block_line) + BLOCK_LINE_KEYS * sizeof(struct block))
#define LINE_BLOCKS 4

#define STACK_BYTES                                                            \
	(sizeof(struct stack_frames) + sizeof(struct stack_stats) +            \
	 sizeof(struct stack_lives) + HASH_ENTRY_BYTES(8, 8) +                 \
	 sizeof(uint32_t))

#define JS_FRAME_BYTES HASH_ENTRY_BYTES(8, sizeof(struct js_frame_state))

static uint32_t power_of_two_below(uint64_t n, uint32_t low, uint32_t high)
{
	uint32_t p = low;

	while (p < high && (uint64_t)p * 2 <= n)
		p *= 2;
	return p;
}

int memory_plan_make(struct memory_plan *plan, uint64_t max_memory)
{
	if (max_memory < MEMORY_MIN_BYTES)
		return -E2BIG;
	/*
	 * A quarter for outstanding blocks (at the default sampling 131072 of
	 * them stand for 2 GiB), a fifth for stacks, a third for unwind rows:
	 * they are only taken as needed, but without them the stacks of a
	 * large binary are worthless. The rest is the loader's, plus the small
	 * fixed maps.
	 */
	plan->block_lines = power_of_two_below(
		max_memory * 25 / 100 / LINE_BYTES, 1024, 1u << 22);
	plan->outstanding_max = plan->block_lines * LINE_BLOCKS;
	plan->stacks = power_of_two_below(max_memory * 20 / 100 / STACK_BYTES,
					  512, 1u << 17);
	/* Taken as needed, as the rows are: none without V8. */
	plan->js_frames = power_of_two_below(
		max_memory * 3 / 100 / JS_FRAME_BYTES, 1024, 1u << 17);
	plan->unwind_rows_bytes = max_memory * 32 / 100;
	plan->threads = 4096;
	/* Each takes about 8 KiB for its ranges and names. */
	plan->targets = power_of_two_below(max_memory / 65536, 256, 4096);
	plan->regions = 16384;
	return 0;
}
