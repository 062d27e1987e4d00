/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The executable ranges of processes, as the programs look them up: an inner
 * map for each in `process_ranges`. Each change of such a map of maps waits for
 * an RCU grace period (kernel/bpf/syscall.c, maybe_wait_bpf_programs), some 20
 * ms, but a batch of them only once: so changes for many processes are
 * gathered.
 */
#ifndef TRACE_RANGE_MAPS_H
#define TRACE_RANGE_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "leakbpf/abi_user.h"

#define RANGE_MAPS_AT_ONCE 64

struct range_maps {
	int fd; /* map process_ranges */
	bool gathers;
	uint32_t coming[RANGE_MAPS_AT_ONCE];
	int coming_fds[RANGE_MAPS_AT_ONCE]; /* inner maps */
	size_t coming_count;
	uint32_t gone[RANGE_MAPS_AT_ONCE];
	size_t gone_count;
};

void range_maps_init(struct range_maps *r, int fd);
/* Lets go of what was gathered. */
void range_maps_free(struct range_maps *r);
/* From now on new ranges wait for the flush. */
void range_maps_gather(struct range_maps *r);
/* Replaces the ranges of a process at once; `ranges` sorted, without the
 * header element. 0, 1 when that waits for the flush, or -errno. */
int range_maps_publish(struct range_maps *r, pid_t tgid,
		       const struct exec_range *ranges, size_t count);
/* Some time before it is flushed, too, but at once for a new process with that
 * number. */
void range_maps_forget(struct range_maps *r, pid_t tgid);
/* Publishes what was gathered, and gathers no more; removes what is to be
 * forgotten. 0 or -errno of the first that could not be published. */
int range_maps_flush(struct range_maps *r);

#endif
