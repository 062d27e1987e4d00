/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verdicts of all stacks of a profile, and the one sentence about the
 * program: does it leak, how fast, and does that explain the growth of its
 * resident memory?
 */
#ifndef VERDICT_DIAGNOSIS_H
#define VERDICT_DIAGNOSIS_H

#include "verdict/verdict.h"

enum diagnosis_kind {
	DIAGNOSIS_UNKNOWN, /* watched for too short a time, or too seldom */
	DIAGNOSIS_LEAK,	   /* some stacks leak */
	/* Resident memory grows, and what leaks hardly explains it. */
	DIAGNOSIS_UNEXPLAINED,
	DIAGNOSIS_GROWTH,    /* memory grows, but no stack can be blamed yet */
	DIAGNOSIS_RETENTION, /* resident memory grows, outstanding does not */
	DIAGNOSIS_HEALTHY,   /* no leak was seen */
};

/* "leak", "unexplained", "growth", "retention", "healthy", "unclear": stable
 * names. */
const char *diagnosis_name(enum diagnosis_kind kind);

/* What the profile does not know. */
struct diagnosis_facts {
	/* The memory limit of the targets and what of it is used, bytes;
	 * limit 0: not known. */
	double limit_bytes, limit_used_bytes;
	bool limit_is_group; /* of a control group; else the machine's RAM */
	/* Of V8's or Go's heap: full garbage collections since attach, and
	 * since when (seconds since attach) it is not known yet whether what
	 * was born lives; births.h. */
	unsigned collections;
	double settled_seconds;
	/* Of the time, the share in which native memory was not observed: what
	 * is freed then counts as live until its address is used again. */
	double unobserved_share;
	uint64_t windows; /* in which it was observed, of all targets */
};

struct diagnosis_summary {
	enum diagnosis_kind kind;
	double seconds; /* watched */
	bool seldom;	/* ... in fewer windows than a verdict takes */
	uint64_t windows;
	size_t counts[VERDICT_KINDS]; /* stacks, and their live bytes */
	double live[VERDICT_KINDS];
	/* All rates in bytes per minute, with 95 % intervals. */
	struct estimate leak;		     /* all leaking stacks together */
	struct estimate outstanding;	     /* growth of all live bytes */
	struct estimate resident;	     /* growth of resident memory */
	bool resident_known, resident_grows; /* for certain, and notably */
	double confidence;		     /* of the surest leak */
	bool by_pages; /* leaks are told by pages: windows are too rare */
	/* Leak as a share of the growth of resident memory; negative: that is
	 * not known, or does not grow. */
	double share_of_resident;
	double seconds_to_limit; /* at that rate; negative: not known */
	double limit_bytes;
	bool limit_is_group;
	/* The slowest leak that would have been seen, from a call path that
	 * does nothing else; 0: any. */
	double detectable;
	double settle_seconds; /* see verdict.h: the soonest of the unclear */
};

struct diagnosis;

/* Judges the last snapshot of the profile; NULL when out of memory. Valid until
 * the next profile_begin. */
struct diagnosis *diagnosis_new(struct profile *p,
				const struct diagnosis_facts *facts);
void diagnosis_free(struct diagnosis *d);

const struct diagnosis_summary *diagnosis_summary(const struct diagnosis *d);
/* Of a stack of profile_sorted; NULL for any other. */
const struct verdict *diagnosis_verdict(const struct diagnosis *d,
					const struct profile_stack *s);
/* The stacks that leak, fastest first. */
const struct profile_stack *const *diagnosis_leaks(const struct diagnosis *d,
						   size_t *count);

#endif
