/* SPDX-License-Identifier: GPL-2.0-only */
/* What captures and reports say of a heap of V8. */
#ifndef V8_HEAP_SUMMARY_H
#define V8_HEAP_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

/* The heap of an isolate. Times in seconds, sizes in bytes. */
struct heap_summary {
	uint32_t pid;
	uint32_t tid; /* 0: not known yet; the pid: the main thread's */
	uint64_t scavenges, full_gcs;
	double scavenge_seconds, full_gc_seconds; /* sums of pauses */
	double following_seconds; /* of these, spent on samples */
	double following_most;	  /* at once, in one pause at most twice that */
	double sampled_share;	  /* of the time, objects were sampled */
	double live;		  /* after the last full GC; 0: not known */
	double live_seconds_ago;
	double growth_per_minute; /* between full GCs */
	bool growth_known;
	/* Buffers and what else lies outside of the heap and is held by objects
	 * on it, as V8 counts it, now; negative: not known. And between full
	 * GCs. */
	double external, external_per_minute;
	bool external_growth_known;
};

/* What objects are of a type, of all that a stack has allocated. */
struct heap_type {
	char name[64]; /* as the target gave it: not made safe yet */
	double share;  /* of the stack's bytes */
};

/* What a stack has in V8's old space that no full collection has looked at. */
struct heap_promoted {
	uint32_t stack;
	double bytes;
};
#define HEAP_PROMOTED 3 /* stacks that are told, most bytes first */

#endif
