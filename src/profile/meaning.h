/* SPDX-License-Identifier: GPL-2.0-only */
/* What the frames of a stack mean, and which stacks mean the same. */
#ifndef PROFILE_MEANING_H
#define PROFILE_MEANING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"

/* What frames stand for; `context` is handed through. */
struct frame_meaning {
	/* Writes the frames that `frame` means, innermost first, at most `max`
	 * of them, and returns how many: none for a frame that nobody wants to
	 * see, `frame` itself when it is not known yet (then *known is set to
	 * false). What it writes means itself. */
	size_t (*expand)(void *context, uint64_t frame, uint64_t *out,
			 size_t max, bool *known);
	/* A script of the runtime itself. What it does on behalf of the
	 * program's innermost function makes no difference: compiled code does
	 * not tell such calls apart reliably. */
	bool (*internal)(void *context, uint64_t frame);
	void *context;
};

/* Some frame is one that could mean another. */
bool meaning_is_needed(const struct stack_frames *f);
/* Fills `out` with what the frames mean. True: all are known. */
bool meaning_expand(const struct frame_meaning *m, const struct stack_frames *f,
		    struct stack_frames *out);
/* Of stacks that are expanded, and of one enum stack_source. */
bool meaning_is_same(const struct frame_meaning *m,
		     const struct stack_frames *a, const struct stack_frames *b,
		     uint32_t source);
/* Alike for stacks that mean the same in the same process. */
uint64_t meaning_key(const struct frame_meaning *m,
		     const struct stack_frames *f,
		     const struct stack_stats *stats);

#endif
