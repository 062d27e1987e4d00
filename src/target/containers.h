/* SPDX-License-Identifier: GPL-2.0-only */
/* The containers of processes; what was found out is remembered by group, as
 * many processes share one. */
#ifndef TARGET_CONTAINERS_H
#define TARGET_CONTAINERS_H

#include <stdint.h>
#include <sys/types.h>

#include "target/container.h"

struct containers;

/* NULL: no memory. */
struct containers *containers_new(void);
void containers_free(struct containers *c);

/* The container of a process, empty when it is in none (or gone). Returns a
 * number that stands for its container, or else its group. */
uint64_t containers_of_process(struct containers *c, pid_t pid,
			       struct container *out);

#endif
