/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Experiments on ourselves: the programs of bpf/features.bpf.c, attached to
 * functions of our own. Part of features.h's implementation, and of its tests.
 */
#ifndef PROBE_FEATURE_LAB_H
#define PROBE_FEATURE_LAB_H

#include <stdbool.h>
#include <linux/types.h>

#include "probe/link.h"
#include "probe/own_function.h"

#include "../../bpf/feature_counts.h"

#define LAB_PROGRAMS_MAX 16

struct features_bpf; /* the skeleton */

struct lab_program {
	struct features_bpf *skeleton;
	int fd;
	volatile struct feature_counts *counts; /* shared with the program */
};

struct lab {
	int executable;		    /* ours, open */
	unsigned functions_used[2]; /* by enum own_function_kind */
	struct lab_program programs[LAB_PROGRAMS_MAX];
	size_t program_count;
	/* Closed all at once by lab_close: that is where the time goes. */
	struct probe_links links;
};

int lab_open(struct lab *lab);
void lab_close(struct lab *lab);

/* Loads one program by its name, for links of `kind`; the lab owns it. */
int lab_load(struct lab *lab, const char *name, enum link_kind kind,
	     struct lab_program **out);
/* A function that has no probe yet, NULL when all are taken. */
own_function lab_function(struct lab *lab, enum own_function_kind kind);
/* Probes `f`, in process `pid`, which runs this executable. */
int lab_attach(struct lab *lab, const struct lab_program *program,
	       enum link_kind kind, pid_t pid, bool is_return, uint64_t cookie,
	       own_function f);

#endif
