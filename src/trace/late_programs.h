/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that few targets need: the kernel takes a tenth of a second and more
 * to verify each, so they are loaded when the first such target comes. Included
 * by tracer_internal.h. */
#ifndef TRACE_LATE_PROGRAMS_H
#define TRACE_LATE_PROGRAMS_H

struct trace_bpf; /* the skeleton */

struct tracer;

enum late_group { LATE_V8, LATE_GO, LATE_USDT, LATE_MAPS, LATE_GROUPS };

struct late_programs {
	struct trace_bpf *skel[LATE_GROUPS]; /* NULL: not needed so far */
};

/* Where the programs of a group are, loaded; NULL: they cannot be, which is
 * reported. */
const struct trace_bpf *late_programs(struct tracer *t, enum late_group group);
void late_programs_free(struct tracer *t);

/* A second instance of the BPF object, to be loaded with other programs, works
 * on the maps of the first. 0 or -errno. */
int tracer_share_maps(const struct tracer *t, struct trace_bpf *skel);

#endif
