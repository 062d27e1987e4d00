/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Go's garbage collections tell of which objects live. One marks while the
 * program runs, then what it has not marked is swept, also beside the program,
 * and before the next one begins. So what was born before a collection began,
 * and has not been freed when its sweeping is over, lives. Logic only.
 */
#ifndef TRACE_GO_COLLECTIONS_H
#define TRACE_GO_COLLECTIONS_H

#include <stdint.h>

#include "leakbpf/abi_user.h"

/* Sweeping is over that long after marking, at the latest when the next
 * collection begins. */
#define GO_SWEEP_NS 2000000000ULL

/* Since attach; times are CLOCK_MONOTONIC, ns, 0: none yet. */
struct go_collections {
	uint64_t count; /* that have ended */
	uint64_t begun_ns, ended_ns;
	uint64_t settled_ns; /* as of the last begin: see go_settled_ns */
};

/* Marking has begun or ended; each may be told twice. */
void go_collection_begun(struct go_collections *c, uint64_t ns);
void go_collection_ended(struct go_collections *c, uint64_t ns);

/* Of what was born before, it is known whether it lives; 0: of nothing. */
uint64_t go_settled_ns(const struct go_collections *c, uint64_t now_ns);

/* Counts as live only what is settled: the rest of a stack's totals counts as
 * freed. Whole cohorts, unless all is settled. */
void go_settle(struct stack_stats *s, const struct cohort_layout *cohorts,
	       uint64_t settled_ns);

#endif
