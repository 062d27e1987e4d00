/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which processes are to be traced, when they are not named one by one. Of
 * criteria of one kind any must hold, of different kinds all.
 */
#ifndef TARGET_SELECTION_H
#define TARGET_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "target/containers.h"

/* Texts as the user gave them; the lists stay the caller's. */
struct selection_list {
	const char **list;
	size_t count;
};

struct selection_criteria {
	struct selection_list cgroups;	  /* see cgroup_find */
	struct selection_list containers; /* ids, their beginnings, names */
	struct selection_list pods;	  /* uids, names, NAMESPACE/NAME */
	struct selection_list comms;	  /* as in /proc/PID/comm */
	bool all;			  /* whatever runs */
	bool may_come; /* containers and pods that do not run yet are no error
			*/
};

bool selection_wanted(const struct selection_criteria *c);

struct selection;

/* 0; -EINVAL: a criterion makes no sense, or none of the running containers is
 * meant, and `error` says so in one line; -ENOMEM. */
int selection_new(const struct selection_criteria *c,
		  struct containers *containers, struct selection **out,
		  char *error, size_t error_size);
void selection_free(struct selection *s);

/* Whether a process belongs; to NULL none does. Kernel threads, this process
 * and others of its program never do. */
bool selection_holds(const struct selection *s, pid_t pid);

/* One line: what it waits for; NULL: "nothing". */
const char *selection_text(const struct selection *s);

#endif
