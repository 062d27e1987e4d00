/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture says of one moment, besides its stacks. */
#ifndef CAPTURE_SNAPSHOT_H
#define CAPTURE_SNAPSHOT_H

#include "capture/codec.h"
#include "capture/heaps.h"
#include "capture/programs.h"
#include "leakbpf/abi_user.h"
#include "target/process.h"
#include "trace/tracer.h"

struct capture_target {
	struct process_memory memory;
	bool alive;
	bool gone; /* not followed any more: no part of reports */
};

struct capture_snapshot {
	uint64_t elapsed_ns; /* since attach, like all times in a capture */
	bool final;
	struct tracer_status status;
	struct cohort_layout cohorts;
	uint64_t counters[COUNTER_COUNT];
	uint64_t dead_sites;
	uint32_t objects_given_up;
	uint64_t resident_bytes; /* anonymous memory of all targets */
	/* The memory limit of the targets and what is used of it; 0: none is
	 * known. */
	uint64_t limit_bytes, limit_used_bytes;
	bool limit_is_group;  /* of a control group; else the machine's RAM */
	uint32_t collections; /* full garbage collections since attach */
	struct capture_heaps heaps;
	struct capture_following following;
	struct capture_go go;
	uint64_t settled_ns; /* since attach: verdict/births.h */
	/* report/report.h */
	uint64_t unwatched_seconds, own_resident_bytes;
	double own_cpu_seconds;
	uint64_t left_out;
	struct capture_target *targets; /* in the order of the processes */
	size_t target_count;
};

/* docs/capture-format.md and tests/e2e/capture_file.py say the same: a change
 * here is one there. Reading: `targets` has room for `target_count`; others are
 * dropped. */
void code_snapshot(struct codec *c, struct capture_snapshot *s);

#endif
