/* SPDX-License-Identifier: GPL-2.0-only */
/* The table behind js_names.h: frames of JavaScript, and the canonical frames
 * that each means. */
#ifndef SYMBOL_JS_MEANINGS_H
#define SYMBOL_JS_MEANINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/number_set.h"

struct js_meaning {
	uint64_t frame;	   /* 0: free */
	uint32_t first;	   /* its canonical frames: canonical[first...] */
	uint32_t count;	   /* 0: it is one itself, then `first` is flags */
	uint32_t function; /* then: its number (js_functions.h); 0: none */
};

struct js_meanings {
	struct js_meaning *table; /* open addressing, at most half full */
	size_t count, capacity;
	uint64_t *canonical;
	size_t canonical_count, canonical_capacity;
};

int js_meanings_init(struct js_meanings *m); /* 0 or -ENOMEM */
void js_meanings_free(struct js_meanings *m);

/* That of the frame, or a free one. */
struct js_meaning *js_meaning_of(const struct js_meanings *m, uint64_t frame);
/* False: there is no room. */
bool js_meanings_put(struct js_meanings *m, uint64_t frame, uint32_t first,
		     uint32_t count);
bool js_meanings_append(struct js_meanings *m, uint64_t canonical);

/* Most of the room is used. */
bool js_meanings_are_many(const struct js_meanings *m);
/* Forgets all but those in use and what these mean. 0, or -ENOMEM and nothing
 * has changed. */
int js_meanings_keep(struct js_meanings *m, const struct number_set *in_use);

#endif
