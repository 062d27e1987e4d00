/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/leb128.h"

/* Figures of a stack: the counters and times, both cohort arrays, and what
 * observation windows know. */
#define COUNTS	11
#define SURELY	(COUNTS + 2 * COHORTS)
#define CHANCE	(SURELY + 1)
#define ERROR	(CHANCE + 1)
#define FIGURES (ERROR + 1)

/* ---- The table ------------------------------------------------------------
 */

void capture_stacks_free(struct capture_stacks *s)
{
	for (uint32_t i = 0; i < s->limit; i++)
		free(s->by_id[i]);
	free(s->by_id);
	*s = (struct capture_stacks){0};
}

struct capture_stack *capture_stacks_get(const struct capture_stacks *s,
					 uint32_t id)
{
	return id < s->limit ? s->by_id[id] : NULL;
}

static int reserve(struct capture_stacks *s, uint32_t id)
{
	uint32_t limit = s->limit ? s->limit : 256;
	struct capture_stack **by_id;

	if (id >= CAPTURE_STACK_ID_MAX)
		return -EINVAL;
	if (id < s->limit)
		return 0;
	while (limit <= id)
		limit *= 2;
	by_id = realloc(s->by_id, limit * sizeof(*by_id));
	if (!by_id)
		return -ENOMEM;
	memset(by_id + s->limit, 0, (limit - s->limit) * sizeof(*by_id));
	s->by_id = by_id;
	s->limit = limit;
	return 0;
}

int capture_stacks_define(struct capture_stacks *s, uint32_t id,
			  const struct stack_frames *f,
			  const struct stack_stats *stats)
{
	uint32_t depth =
		f->depth < STACK_FRAMES_MAX ? f->depth : STACK_FRAMES_MAX;
	size_t bytes = depth * sizeof(f->frames[0]);
	struct capture_stack *stack;
	int err = reserve(s, id);

	if (err)
		return err;
	stack = calloc(1, sizeof(*stack) + bytes);
	if (!stack)
		return -ENOMEM;
	stack->stats.tgid = stats->tgid;
	stack->stats.source = stats->source;
	stack->stats.index_key = stats->index_key;
	stack->identity = ++s->definitions;
	stack->end = f->end;
	stack->depth = depth;
	if (bytes)
		memcpy(stack->frames, f->frames, bytes);
	free(s->by_id[id]);
	s->by_id[id] = stack;
	return 0;
}

/* ---- Definitions ----------------------------------------------------------
 */

/* Frames of one stack mostly lie in few objects, near to each other. */
void capture_put_stack(struct text *t, uint32_t id,
		       const struct capture_stack *s)
{
	uint64_t before = 0;

	leb128_put(t, id);
	leb128_put(t, s->stats.tgid);
	leb128_put(t, s->stats.source);
	leb128_put(t, s->end);
	leb128_put(t, s->depth);
	for (uint32_t i = 0; i < s->depth; i++) {
		leb128_put_signed(t, (int64_t)(s->frames[i] - before));
		before = s->frames[i];
	}
}

static int take_stack(struct capture_stacks *s, struct cursor *in)
{
	struct stack_frames f = {0};
	struct stack_stats stats = {0};
	uint64_t id = cursor_uleb(in), frame = 0;
	uint64_t depth;

	stats.tgid = (uint32_t)cursor_uleb(in);
	stats.source = (uint32_t)cursor_uleb(in);
	f.end = (uint32_t)cursor_uleb(in);
	depth = cursor_uleb(in);
	if (in->failed || id >= CAPTURE_STACK_ID_MAX ||
	    depth > STACK_FRAMES_MAX)
		return -EINVAL;
	f.depth = (uint32_t)depth;
	for (uint32_t i = 0; i < f.depth; i++) {
		frame += (uint64_t)cursor_sleb(in);
		f.frames[i] = frame;
	}
	/* Stands for the kernel's, which says that the stack is another one. */
	stats.index_key = s->definitions + 1;
	return in->failed ? -EINVAL
			  : capture_stacks_define(s, (uint32_t)id, &f, &stats);
}

int capture_take_stacks(struct capture_stacks *s, struct cursor *in)
{
	int err = 0;

	while (!err && cursor_left(in))
		err = take_stack(s, in);
	return err;
}

/* ---- Changes --------------------------------------------------------------
 */

static void to_figures(const struct stack_stats *s, int64_t to[FIGURES])
{
	const uint64_t counts[COUNTS] = {
		s->alloc_samples,	s->freed_samples,
		s->alloc_bytes,		s->freed_bytes,
		s->alloc_objects_q8,	s->freed_objects_q8,
		s->live_bytes_variance, s->live_objects_variance_q4,
		s->first_alloc_ns,	s->last_alloc_ns,
		s->last_free_ns,
	};

	memcpy(to, counts, sizeof(counts));
	memcpy(to + COUNTS, s->cohort_bytes, sizeof(s->cohort_bytes));
	memcpy(to + COUNTS + COHORTS, s->cohort_objects_q8,
	       sizeof(s->cohort_objects_q8));
	to[SURELY] = (int64_t)s->surely_live_bytes;
	to[CHANCE] = (int64_t)s->windows_variance;
	to[ERROR] = (int64_t)s->windows_error_bytes;
}

static void from_figures(const int64_t from[FIGURES], struct stack_stats *s)
{
	uint64_t counts[COUNTS];

	memcpy(counts, from, sizeof(counts));
	s->alloc_samples = counts[0];
	s->freed_samples = counts[1];
	s->alloc_bytes = counts[2];
	s->freed_bytes = counts[3];
	s->alloc_objects_q8 = counts[4];
	s->freed_objects_q8 = counts[5];
	s->live_bytes_variance = counts[6];
	s->live_objects_variance_q4 = counts[7];
	s->first_alloc_ns = counts[8];
	s->last_alloc_ns = counts[9];
	s->last_free_ns = counts[10];
	memcpy(s->cohort_bytes, from + COUNTS, sizeof(s->cohort_bytes));
	memcpy(s->cohort_objects_q8, from + COUNTS + COHORTS,
	       sizeof(s->cohort_objects_q8));
	s->surely_live_bytes = (uint64_t)from[SURELY];
	s->windows_variance = (uint64_t)from[CHANCE];
	s->windows_error_bytes = (uint64_t)from[ERROR];
}

static int64_t wrapping_difference(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

void capture_put_change(struct text *t, struct capture_stack *s, uint32_t id,
			const struct stack_stats *now)
{
	int64_t before[FIGURES], after[FIGURES];
	uint64_t changed = 0;

	to_figures(&s->stats, before);
	to_figures(now, after);
	for (int i = 0; i < FIGURES; i++)
		if (before[i] != after[i])
			changed |= 1ull << i;
	s->seen = true;
	if (!changed && s->live)
		return;
	leb128_put(t, id + 1ull);
	leb128_put(t, changed);
	for (int i = 0; i < FIGURES; i++)
		if (changed >> i & 1)
			leb128_put_signed(
				t, wrapping_difference(after[i], before[i]));
	from_figures(after, &s->stats);
}

void capture_put_gone(struct text *t, struct capture_stacks *s)
{
	leb128_put(t, 0);
	for (uint32_t id = 0; id < s->limit; id++) {
		struct capture_stack *stack = s->by_id[id];

		if (!stack)
			continue;
		if (stack->live && !stack->seen)
			leb128_put(t, id + 1ull);
		stack->live = stack->seen;
		stack->seen = false;
	}
	leb128_put(t, 0);
}

static int take_change(struct capture_stack *s, struct cursor *in)
{
	uint64_t changed = cursor_uleb(in);
	int64_t figures[FIGURES];

	if (!s || changed >> FIGURES)
		return -EINVAL;
	to_figures(&s->stats, figures);
	for (int i = 0; i < FIGURES; i++)
		if (changed >> i & 1)
			figures[i] = (int64_t)((uint64_t)figures[i] +
					       (uint64_t)cursor_sleb(in));
	from_figures(figures, &s->stats);
	s->live = true;
	return 0;
}

/* The stack of the next number; *out NULL at the end of a list. */
static int take_id(const struct capture_stacks *s, struct cursor *in,
		   struct capture_stack **out)
{
	uint64_t number = cursor_uleb(in);

	*out = NULL;
	if (in->failed || number > CAPTURE_STACK_ID_MAX)
		return -EINVAL;
	if (number)
		*out = capture_stacks_get(s, (uint32_t)number - 1);
	return number && !*out ? -EINVAL : 0;
}

int capture_take_changes(struct capture_stacks *s, struct cursor *in)
{
	struct capture_stack *stack;
	int err;

	while (!(err = take_id(s, in, &stack)) && stack) {
		err = take_change(stack, in);
		if (err)
			return err;
	}
	while (!err && !(err = take_id(s, in, &stack)) && stack)
		stack->live = false;
	return err;
}
