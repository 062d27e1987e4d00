/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call frame information (.eh_frame, else .debug_frame) compiled to compact
 * rows that a BPF program can search: sorted by address, one 32-bit rule each
 * (leakbpf/unwind_rule.h), equal neighbours merged. Formats: LSB Core
 * "Exception Frames", DWARF 5 section 6.4.
 *
 * Only the CFA and the frame pointer are compiled: with them, and the return
 * address at CFA - 8, a walk is complete. The input is untrusted: every read
 * is bounds-checked and the work is linear in the section's size.
 */
#ifndef UNWIND_UNWIND_TABLE_H
#define UNWIND_UNWIND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"
#include "leakbpf/unwind_rule.h"
#include "object/object.h"

struct unwind_table {
	struct unwind_row *rows; /* rows[i].pc relative to object->text_base */
	size_t row_count;
	/* Statistics, for --explain and tests. */
	size_t fde_count;
	/* Malformed: their range, if it could be read, has UNWIND_BAD. An
	 * unreadable section counts as one. */
	size_t bad_fdes;
	size_t ext_rows;
	size_t unsupported_rows; /* UNWIND_BAD because of the rule itself */
	size_t roomless_rows;	 /* ... because the pool, or the object's part
				  * of it, was full */
};

/* Rules that need more than 32 bits; one pool for all objects. Numbers are
 * given again when no table that is held uses them any more. */
struct unwind_rule_pool {
	struct unwind_rule_ext rules[UNWIND_RULES_EXT_MAX];
	uint16_t uses[UNWIND_RULES_EXT_MAX]; /* tables; 0: free */
	size_t used;
};

/* The rules of the pool that a table uses. */
struct unwind_rules_held {
	uint16_t *numbers;
	size_t count;
};

/* An address range whose rows get the UNWIND_ALLOCATOR mark (rows are split
 * at its edges; UNWIND_NONE rows are made where there is no CFI); or one that
 * is the outermost frame where there is no CFI. */
struct unwind_mark {
	uint64_t start, end; /* link-time */
	bool root;
};

/*
 * Compiles the CFI of `o`. An object without any yields a table with no rows
 * but those of the marks (and of known signal return stubs). Gaps of less than
 * 16 bytes are padding and keep the rule before; longer ones get UNWIND_NONE.
 * `row_limit` bounds the memory (8 bytes a row): with more rows -E2BIG. Also
 * -ENOMEM. Free with unwind_table_free.
 */
int unwind_table_build(const struct object *o, struct unwind_rule_pool *pool,
		       const struct unwind_mark *marks, size_t mark_count,
		       size_t row_limit, struct unwind_table *out);
/* The same for bare section bytes; for tests and fuzzing. `is_eh_frame`: else
 * .debug_frame. `address`: of the section. */
int unwind_table_build_section(const uint8_t *data, size_t size,
			       uint64_t address, bool is_eh_frame,
			       uint64_t text_base, uint64_t text_end,
			       struct unwind_rule_pool *pool, size_t row_limit,
			       struct unwind_table *out);
/* The rule at a link-time address, UNWIND_NONE where there is none. */
uint32_t unwind_table_find(const struct unwind_table *t, uint64_t text_base,
			   uint64_t address);
void unwind_table_free(struct unwind_table *t);

/* Keeps the rules of a table: before the next one is built, or this may write
 * over them. -ENOMEM: nothing is kept. */
int unwind_rules_hold(struct unwind_rule_pool *pool,
		      const struct unwind_table *t,
		      struct unwind_rules_held *held);
void unwind_rules_release(struct unwind_rule_pool *pool,
			  struct unwind_rules_held *held);

#endif
