/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks that mean the same place in a source, made one before they reach the
 * profile. A function of JavaScript is interpreted first and compiled later,
 * once or more often, each time with other frames; its growth is that of all of
 * them together.
 *
 * What a frame means may become known after its first snapshot. Its stack then
 * takes its past along: nothing looks like growth that was there before.
 *
 * Costs nothing for stacks without such frames: they are passed on as they are.
 */
#ifndef PROFILE_MERGE_H
#define PROFILE_MERGE_H

#include "profile/meaning.h"
#include "profile/profile.h"

struct stack_merge;

struct stack_merge *stack_merge_new(const struct frame_meaning *meaning);
void stack_merge_free(struct stack_merge *m);

/* Where stacks go: profile_add, or what ends there. 0 or -errno. */
typedef int (*stack_sink_fn)(void *context, uint32_t id,
			     const struct stack_frames *frames,
			     const struct stack_stats *stats);

/* One snapshot: after profile_begin begin, every stack, end. Merged stacks have
 * ids of their own and keep them while they last: above those of the kernel
 * (src/trace/memory_plan.c), below CAPTURE_STACK_ID_MAX. */
#define STACK_ID_MERGED	    (1u << 17)
#define STACK_ID_MERGED_END (1u << 20)
void stack_merge_begin(struct stack_merge *m, struct profile *p,
		       stack_sink_fn sink, void *context);
/* 0, -ENOMEM, or what the sink returned. */
int stack_merge_add(struct stack_merge *m, uint32_t id,
		    const struct stack_frames *frames,
		    const struct stack_stats *stats);
int stack_merge_end(struct stack_merge *m);

/* The stacks of the kernel that make up stack `id`, as of the last snapshot;
 * itself when it is not merged. Writes up to `max`, returns how many. */
size_t stack_merge_members(const struct stack_merge *m, uint32_t id,
			   uint32_t *out, size_t max);

#endif
