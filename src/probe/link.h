/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Links: probes set in a file, for one process or for all. The shim for what
 * Debian's libbpf (1.1) does not have: BPF_LINK_CREATE for uprobe_multi and
 * session is called directly, and plain perf-event uprobes are opened without
 * tracefs.
 *
 * A link goes away when its descriptors are closed, also when this process is
 * killed: nothing is pinned, so nothing stays behind.
 */
#ifndef PROBE_LINK_H
#define PROBE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "probe/features.h"

/* Not in Debian's linux/bpf.h (6.1). Values: include/uapi/linux/bpf.h. */
#define LB_BPF_TRACE_UPROBE_MULTI   48
#define LB_BPF_TRACE_UPROBE_SESSION 57

struct probe_point {
	uint64_t file_offset;
	uint64_t cookie;
	/* File offset of a 16-bit counter that the kernel raises in the process
	 * as long as the probe is set (a USDT semaphore); 0: none. */
	uint64_t counter_offset;
};

struct probe_links {
	int *fds;
	size_t count;
	size_t perf_events; /* how many of them; slow to close */
};

/* Sets probes at all points of the file `fd` for process `pid` (all its
 * threads). `program_fd` was loaded for `kind`. `is_return`: at the return of
 * the function whose entry is the point (LINK_PERF and LINK_MULTI). All or
 * nothing: 0 or -errno. Appends to `links`. */
int probe_links_add(struct probe_links *links, enum link_kind kind,
		    int program_fd, int file_fd, pid_t pid, bool is_return,
		    const struct probe_point *points, size_t count);
/* The same for all processes that map the file, now and later: each of them
 * gets the breakpoints, and the program runs for whoever hits one. LINK_MULTI
 * and LINK_SESSION, at entries. */
int probe_links_add_shared(struct probe_links *links, enum link_kind kind,
			   int program_fd, int file_fd,
			   const struct probe_point *points, size_t count);
/*
 * Takes the probes at `points` out of the children that probed processes have
 * forked. A child inherits the breakpoints; those of LINK_MULTI and
 * LINK_SESSION stay, cost it a trap per call, and put a return probe on each
 * (no program runs for it, so no session declines it): a C++ exception thrown
 * through one ends the child. So call this soon after a fork, with what was
 * given to probe_links_add. It happens when `passing`, to which links are
 * appended, is closed; nothing to do for LINK_PERF, where the kernel removes
 * them at the first hit. 0 or -errno.
 */
int probe_links_sweep_forks(struct probe_links *passing, enum link_kind kind,
			    int program_fd, int file_fd,
			    const struct probe_point *points, size_t count);
/* Appends the links of `from`, which has none afterwards. */
void probe_links_take(struct probe_links *into, struct probe_links *from);
/* Closes everything; returns within a second. Closing a perf event takes the
 * kernel 0.1 s and more, one after the other: of many of them, those not done
 * by then are finished by short-lived child processes. */
void probe_links_close(struct probe_links *links);

#endif
