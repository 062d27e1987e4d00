/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes waiting to be attached, and the time that may be spent on it: a
 * share of each second, given to the group (a container) that has had least of
 * it in this second, so that one that forks all the time does not keep the
 * others waiting.
 */
#ifndef CLI_ATTACH_QUEUE_H
#define CLI_ATTACH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ATTACH_QUEUE_MAX   1024
#define ATTACH_GROUPS_MAX  64
#define ATTACH_NS_A_SECOND 400000000

struct attach_queue {
	struct attach_waiting {
		pid_t pid;
		bool grouped;
		uint64_t group;
		uint64_t due_ns;
	} list[ATTACH_QUEUE_MAX];
	size_t count;
	bool overflowed; /* some were left out: they must be looked for */

	uint64_t second_ns; /* when the share was last renewed */
	int64_t left_ns;
	uint64_t group; /* of the last one */
	struct {
		uint64_t group, spent_ns;
	} groups[ATTACH_GROUPS_MAX];
	size_t group_count;
};

/* Once: one that waits already is left as it is. */
void attach_queue_add(struct attach_queue *q, pid_t pid, uint64_t due_ns);
/* The next one that is due, taken out; 0: none, or no time is left for it.
 * `group_of` says where it belongs. */
pid_t attach_queue_next(struct attach_queue *q,
			uint64_t (*group_of)(void *context, pid_t pid),
			void *context);
/* How many are due. */
size_t attach_queue_due(const struct attach_queue *q);
/* What the last one has taken. */
void attach_queue_spent(struct attach_queue *q, uint64_t ns);
/* A new second begins. */
void attach_queue_refill(struct attach_queue *q);

#endif
