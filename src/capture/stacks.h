/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stacks of a capture as of one snapshot, on either side of the file. A
 * snapshot says only what has changed since the one before.
 */
#ifndef CAPTURE_STACKS_H
#define CAPTURE_STACKS_H

#include "base/cursor.h"
#include "base/text.h"
#include "leakbpf/abi_user.h"

/* The kernel's table of stacks is smaller (src/trace/memory_plan.c). */
#define CAPTURE_STACK_ID_MAX (1u << 20)

struct capture_stack {
	struct stack_stats stats; /* times since attach */
	uint64_t identity; /* changes when the id is given to another stack */
	bool live;	   /* in the last snapshot */
	bool seen;	   /* in the one being written */
	bool named;	   /* writing: all its frames have names */
	uint32_t end, depth;
	uint64_t frames[]; /* leaf first */
};

struct capture_stacks {
	struct capture_stack **by_id; /* NULL: not defined */
	uint32_t limit;		      /* ids are below that */
	uint64_t definitions;
};

void capture_stacks_free(struct capture_stacks *s);
struct capture_stack *capture_stacks_get(const struct capture_stacks *s,
					 uint32_t id);
/* Defines the id anew: nothing is live. 0, -EINVAL, -ENOMEM. */
int capture_stacks_define(struct capture_stacks *s, uint32_t id,
			  const struct stack_frames *f,
			  const struct stack_stats *stats);

/* ---- Definitions: CAPTURE_STACKS ------------------------------------------
 */

void capture_put_stack(struct text *t, uint32_t id,
		       const struct capture_stack *s);
/* Reads a record of them. 0, -EINVAL, -ENOMEM. */
int capture_take_stacks(struct capture_stacks *s, struct cursor *in);

/* ---- Changes: the second half of CAPTURE_SNAPSHOT --------------------------
 */

/* Notes the stack as seen, and appends how it differs from before. */
void capture_put_change(struct text *t, struct capture_stack *s, uint32_t id,
			const struct stack_stats *now);
/* Ends the changes: appends which stacks are gone. */
void capture_put_gone(struct text *t, struct capture_stacks *s);
/* Reads both. 0 or -EINVAL. */
int capture_take_changes(struct capture_stacks *s, struct cursor *in);

#endif
