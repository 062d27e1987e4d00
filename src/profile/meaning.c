/* SPDX-License-Identifier: GPL-2.0-only */
#include "profile/meaning.h"

#include <string.h>

bool meaning_is_needed(const struct stack_frames *f)
{
	for (uint32_t i = 0; i < f->depth && i < STACK_FRAMES_MAX; i++)
		if (FRAME_IS_JS(f->frames[i]))
			return true;
	return false;
}

bool meaning_expand(const struct frame_meaning *m, const struct stack_frames *f,
		    struct stack_frames *out)
{
	bool known = true;

	memset(out, 0, sizeof(*out));
	out->end = f->end;
	for (uint32_t i = 0; i < f->depth && i < STACK_FRAMES_MAX; i++) {
		uint64_t meaning[STACK_FRAMES_MAX];
		size_t n = m->expand(m->context, f->frames[i], meaning,
				     STACK_FRAMES_MAX, &known);

		if (n > STACK_FRAMES_MAX - out->depth) {
			n = STACK_FRAMES_MAX - out->depth;
			out->end = STACK_END_DEPTH;
		}
		memcpy(out->frames + out->depth, meaning,
		       n * sizeof(meaning[0]));
		out->depth += (uint32_t)n;
	}
	return known;
}

/*
 * Writes the frames that make a difference; how many. Which functions of the
 * runtime allocate an object on its heap is no such difference: that depends on
 * the form of the code, and on where objects of this place turned out to live.
 */
static uint32_t essence(const struct frame_meaning *m,
			const struct stack_frames *f, uint32_t source,
			uint64_t out[STACK_FRAMES_MAX])
{
	bool heap = source == STACK_SOURCE_V8_HEAP;
	uint32_t own = 0, n = 0;

	while (own < f->depth && (!FRAME_IS_JS(f->frames[own]) ||
				  m->internal(m->context, f->frames[own])))
		own++;
	for (uint32_t i = 0; i < f->depth; i++)
		if (own == f->depth || i >= own ||
		    (!heap && !FRAME_IS_JS(f->frames[i])))
			out[n++] = f->frames[i];
	return n;
}

bool meaning_is_same(const struct frame_meaning *m,
		     const struct stack_frames *a, const struct stack_frames *b,
		     uint32_t source)
{
	uint64_t of_a[STACK_FRAMES_MAX], of_b[STACK_FRAMES_MAX];
	uint32_t n = essence(m, a, source, of_a);

	return essence(m, b, source, of_b) == n &&
	       !memcmp(of_a, of_b, n * sizeof(*of_a));
}

uint64_t meaning_key(const struct frame_meaning *m,
		     const struct stack_frames *f,
		     const struct stack_stats *stats)
{
	uint64_t key = (uint64_t)stats->source << 32 ^ stats->tgid ^
		       (uint64_t)f->end << 40;
	uint64_t frames[STACK_FRAMES_MAX];
	uint32_t depth = essence(m, f, stats->source, frames);

	for (uint32_t i = 0; i < depth; i++) {
		key = (key ^ frames[i]) * 0x9e3779b97f4a7c15u;
		key ^= key >> 29;
	}
	return key;
}
