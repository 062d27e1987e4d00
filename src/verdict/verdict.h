/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the past of one call path says about it: does it leak? Pure functions on
 * series; no I/O, no clock. How it is decided, and how well: docs/verdicts.md.
 */
#ifndef VERDICT_VERDICT_H
#define VERDICT_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "profile/profile.h"
#include "profile/series.h"

enum verdict_kind {
	VERDICT_UNKNOWN,  /* too little evidence, see verdict_doubt */
	VERDICT_LEAK,	  /* grows and grows, and keeps what it got */
	VERDICT_PLATEAU,  /* allocates and frees on an even level: a cache */
	VERDICT_STARTUP,  /* allocated once, kept, nothing since */
	VERDICT_SAWTOOTH, /* grows, and lets go again: batches */
	VERDICT_KINDS
};

/* Why there is no verdict yet. */
enum verdict_doubt {
	DOUBT_NONE,
	DOUBT_TIME,	/* watched for too short a time */
	DOUBT_SAMPLES,	/* too few samples */
	DOUBT_NOISE,	/* neither growth nor its absence can be shown */
	DOUBT_SLOWING,	/* grows, but slower and slower: a cache that fills? */
	DOUBT_DROPPED,	/* rises, and fell from such heights before */
	DOUBT_TURNOVER, /* more is live, but old blocks do go: more load? */
	DOUBT_COLLECTIONS, /* no full garbage collection, or too early */
	DOUBT_WINDOWS,	   /* observed in too few windows */
	DOUBT_UNSEEN, /* grows, resident memory does not: frees not seen? */
};

/* Shorter than that nothing is called a leak: programs start up. */
#define VERDICT_SECONDS_MIN 30.0
/* Live samples below which nothing is said of a stack. */
#define VERDICT_SAMPLES_MIN 6.0
/* Of memory that is observed in windows: what a few of them happened to see
 * says nothing of how memory grew. */
#define VERDICT_WINDOWS_MIN 6
/* Of a garbage-collected heap only full collections tell what is live. */
#define VERDICT_COLLECTIONS_MIN 1

struct verdict_input {
	const struct series_point *points; /* oldest first; the last is now */
	size_t count;
	/* Oldest first, without gaps; none: survival is not known. */
	const struct series_cohort *cohorts;
	size_t cohort_count;
	double sample_bytes;	 /* mean bytes per sample; 0: every block */
	double samples;		 /* live ones */
	double bytes_per_sample; /* mean of all so far */
	/* Stacks judged together: the more, the stronger must the evidence be
	 * for each, or one of them would leak by chance. At least 1. */
	size_t tested;
	/* Live means "full collections have shown it" (V8): how many there were
	 * since attach. `collected` false: memory that is freed by hand. */
	bool collected;
	unsigned collections;
};

/* A share or a time that is not known is negative. */
struct verdict {
	enum verdict_kind kind;
	enum verdict_doubt doubt; /* VERDICT_UNKNOWN only */
	/* Of a leak: the chance that it is growth indeed, times the chance that
	 * it goes on (rule of succession over the parts below); 0..1. */
	double confidence;

	/* Bytes per minute with its 95 % interval, over the last
	 * `window_seconds`; and the median slope between points, which a single
	 * jump does not move. */
	struct estimate growth;
	double robust_growth;
	double window_seconds;
	/* The window in equal parts: in so many of them the lowest level rose
	 * over that of the part before. */
	unsigned parts, parts_grown;
	/* A leak that is seen by what outlives the blocks that are freed; then
	 * the parts above are births that still live. */
	bool by_survivors;
	/* Judged by the births of what survived full collections: births.h. */
	bool by_births;
	unsigned collections; /* how many of them there were */
	/* Falls by at least 40 % of the whole range. */
	unsigned drops;
	double low, high; /* range of live bytes since attach */

	/* Of what was allocated at least `survival_seconds` ago the share that
	 * is still live. */
	double survival;
	double survival_seconds;
	/* Mean life of what was freed. */
	double freed_lifetime_seconds;
	double mean_age_seconds; /* of live bytes */
	/* Of a leak that is observed in windows: what lives for certain by the
	 * deaths that they have seen. */
	double surely_live;
	/* Share of all bytes allocated that came in the second half of the
	 * time watched. */
	double late_share;

	/* What would settle it; 0: would not help or is not known. Watch until
	 * so many seconds after attach, or sample every so many bytes. */
	double settle_seconds;
	double settle_sample_bytes;
	/* No leak seen: the slowest one that would have been seen, bytes per
	 * minute. */
	double detectable;
};

void verdict_judge(const struct verdict_input *in, struct verdict *out);

/* "leak", "plateau", "start-up", "sawtooth", "unclear": stable names, for
 * formats. */
const char *verdict_name(enum verdict_kind kind);

#endif
