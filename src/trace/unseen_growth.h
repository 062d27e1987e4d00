/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets that grow while windows tell too little of it: the books grow by less
 * than half of what resident memory does, and windows come seldom. They are
 * followed by the pages they come to hold (pages.h) from then on, beside
 * windows. Included by tracer_internal.h.
 */
#ifndef TRACE_UNSEEN_GROWTH_H
#define TRACE_UNSEEN_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tracer;

/* Of one target, as of the last look. */
struct unseen_growth {
	uint64_t looked_ns; /* 0: not yet */
	uint64_t resident_bytes, booked_bytes;
	uint64_t opened, observed_ns; /* of its windows */
	bool refused;		      /* its pages cannot be followed */
	unsigned looks; /* one after the other that have found such growth */
};

/* Now and then. */
void unseen_growth_follow(struct tracer *t, uint64_t now_ns);
/* Targets alive that are followed by pages beside windows. */
size_t unseen_growth_targets(const struct tracer *t);

#endif
