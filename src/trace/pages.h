/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory growth: the pages that processes come to hold, by who touches them
 * first (bpf/pages.h). Included by tracer_internal.h.
 *
 * A page on the books stays there until it is looked for and not found in the
 * page table: munmap, brk, madvise, a shrinking heap, all alike.
 */
#ifndef TRACE_PAGES_H
#define TRACE_PAGES_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct tracer;
struct tracee;

#define PAGES_LINKS 5

struct pages {
	/* The same BPF object again, with programs for pages only and the other
	 * one's maps: loaded when the first target needs it. */
	struct trace_bpf *skel;
	struct bpf_link *links[PAGES_LINKS];
	/* Maps of the BPF object, shared with it. */
	const struct block_line *lines;
	const struct block *blocks;
	uint64_t *gone; /* GONE_PAGES_MAX */
	/* What the last look at the page tables cost, and when it ended. */
	uint64_t check_ns, checked_ns;
	/* Of samples, as of the last tick; and a moving average of their share
	 * of one CPU. */
	uint64_t sample_ns;
	double cost;
};

/* Whether this kernel tells what has to be known. Takes 30 ms the first time.
 */
bool pages_possible(const struct tracer *t);
void pages_free(struct tracer *t);

/* Counts the pages of a tracee from now on. 0 or -errno; reported. */
int pages_follow(struct tracer *t, struct tracee *e);
/* The same of one that is observed in windows, beside these. */
int pages_follow_beside(struct tracer *t, struct tracee *e);
/* Takes off the books what targets do not hold any more. Does nothing when the
 * last time was so short ago that it would cost too much. */
void pages_check(struct tracer *t);
/* Once a second: samples more coarsely when that costs too much. */
void pages_limit_cost(struct tracer *t, uint64_t seconds_ns);
/* Pages that the programs missed, as they were interrupted by themselves. */
uint64_t pages_missed(const struct tracer *t);
/* Targets that are followed this way. */
size_t pages_targets(const struct tracer *t);

#endif
