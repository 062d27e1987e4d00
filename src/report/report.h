/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reports: one file per format (formats.h), all fed the same. Writers only
 * format; they get everything through this structure.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "profile/profile.h"
#include "symbol/names.h"
#include "target/container.h"
#include "target/process.h"
#include "trace/tracer.h"
#include "v8/heap_summary.h"
#include "verdict/diagnosis.h"

struct report_target {
	pid_t pid;
	const char *comm;
	const char *command_line;   /* NULL: not known */
	struct container container; /* empty: none, or not known */
	struct process_memory memory;
	bool alive;
};

#define REPORT_NOT_TRACED_MAX 8

/* Why a process is not traced: a key, and the end of "N processes ...". */
struct not_traced_text {
	const char *key, *text;
};

/* A selection whose processes come and go. */
struct report_following {
	const char *selection; /* what was asked for */
	uint64_t attached;     /* processes so far */
	uint64_t let_go;       /* of these, not shown any more */
	uint64_t waiting;      /* to be attached, just now */
	uint64_t no_room;      /* not traced: too many at once */
	uint64_t starts_missed;
	/* Processes so far that are not traced, by reason. */
	size_t reason_count;
	const struct not_traced_text *reasons;
	uint64_t not_traced[REPORT_NOT_TRACED_MAX];
};

#define REPORT_HEAP_TYPES 4

struct report_v8 {
	const struct heap_summary *heaps;
	size_t heap_count;
	unsigned survived;     /* full GCs that an object must have survived */
	const char *refused;   /* why a heap is not followed; NULL: all are */
	double promoted_bytes; /* of all stacks; these have most of it */
	struct heap_promoted promoted[HEAP_PROMOTED];
	size_t promoted_count;
	/* What the objects of a stack are, most bytes first; how many. */
	size_t (*types)(void *context, uint32_t stack,
			struct heap_type out[REPORT_HEAP_TYPES]);
	void *context;
};

/* The heap of a Go program, which samples it itself. */
struct report_go_heap {
	pid_t pid;
	uint64_t collections; /* since attach */
	/* Of what is older it is known whether it lives; negative: of nothing
	 * yet. */
	double settled_seconds_ago;
	bool rate_known;
	double rate; /* mean bytes between samples; 0: it does not sample */
};

struct report_go {
	const struct report_go_heap *heaps;
	size_t heap_count;
	bool all; /* every target is a Go program */
};

/* What leakbpf itself takes, besides its tables and programs in the kernel. */
struct report_self {
	uint64_t resident_bytes; /* 0: not known, as of an old capture */
	double cpu_seconds;
};

struct report {
	const struct report_target *targets;
	size_t target_count;
	uint64_t started_ns;	 /* time of attaching, ns since 1970 */
	double elapsed_seconds;	 /* since attach */
	double interval_seconds; /* growth window */
	bool final;
	/* Processes of one name count as one: for comparisons. */
	bool pids_alike;
	bool colour;	      /* of the text: it goes to a terminal */
	size_t top;	      /* stacks to show; 0: all */
	bool allocated_first; /* pprof: shows what was allocated, not what is
			       * outstanding, unless asked otherwise */
	struct profile *profile;
	const struct diagnosis *diagnosis; /* of this snapshot */
	const struct names *names;
	struct tracer_status status;
	const uint64_t *counters;   /* COUNTER_COUNT */
	const struct report_v8 *v8; /* NULL: no target runs V8 */
	const struct report_go *go; /* NULL: no target is a Go program */
	const struct report_following *following; /* NULL: none */
	uint64_t dead_sites; /* probes that never fired though others did */
	/* Between the run before and this one nobody watched these targets, for
	 * so long at most; 0: there is nothing known to have been missed. */
	uint64_t unwatched_seconds;
	/* Processes, heaps and types that the capture had no room for. */
	uint64_t left_out;
	struct report_self self;
	/* As of the report before, so that rates are recent ones; NULL: rates
	 * are averages since attach. */
	const uint64_t *counters_before;
	double elapsed_before;
	uint64_t overhead_ns_before;
};

static inline const struct symbol *report_symbol(const struct report *r,
						 uint64_t frame)
{
	return r->names->get(r->names->context, frame);
}

/* Top leakers for people. 0 or -errno. */
int report_text(FILE *out, const struct report *r);

#endif
