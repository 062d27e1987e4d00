/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that map a file and are not traced: shared probes would cost them a
 * trap per call (sharing.h). */
#ifndef TRACE_BYSTANDERS_H
#define TRACE_BYSTANDERS_H

#include <stddef.h>

#include "object/object.h"

struct tracer;

struct mapping_processes {
	size_t bystanders; /* without processes of this program */
	size_t coming;	   /* to be traced soon (tracer_options.selected) */
};

/* Those that map the object and are not traced; goes no further when there are
 * `most` bystanders. Reads the maps of all processes that are not traced. */
struct mapping_processes bystanders_count(struct tracer *t,
					  const struct object *o, size_t most);
/* The same file, as far as can be told: the files of containers with a common
 * image are one to the kernel's probes, but have devices of their own. */
bool bystanders_same_file(const struct object *a, const struct object *b);

#endif
