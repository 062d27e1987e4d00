/* SPDX-License-Identifier: GPL-2.0-only */
/* Setting and taking out the probes of a process and of those that share its
 * memory, and telling the programs. */
#ifndef TRACE_WINDOW_PROBES_H
#define TRACE_WINDOW_PROBES_H

#include "trace/probe_sets.h"

struct tracee;
struct tracer;

/* Here `e` may also stand for all that share probes (sharing.h). */
struct window_name {
	char text[48];
};
/* For messages: "process 12", "31 processes". */
struct window_name window_name(const struct tracer *t, const struct tracee *e);
/* Tells the programs what of it is observed now. */
void window_publish(struct tracer *t, struct tracee *e);
/* All of them, or none and -errno, which is reported. */
int window_set_probes(struct tracer *t, struct tracee *e);
void window_unset_phase(struct tracer *t, struct tracee *e,
			enum probe_phase phase);
void window_unset_probes(struct tracer *t, struct tracee *e);
/* The same, when `links`, to which theirs are appended, are closed; then
 * window_probes_unset is to be called. */
void window_take_probes(struct tracer *t, struct tracee *e,
			struct probe_links *links);
void window_probes_unset(struct tracer *t);

#endif
