/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/attach_queue.h"

#include "base/clock.h"

void attach_queue_add(struct attach_queue *q, pid_t pid, uint64_t due_ns)
{
	for (size_t i = 0; i < q->count; i++)
		if (q->list[i].pid == pid)
			return;
	if (q->count == ATTACH_QUEUE_MAX) {
		q->overflowed = true;
		return;
	}
	q->list[q->count++] = (struct attach_waiting){
		.pid = pid,
		.due_ns = due_ns,
	};
}

static uint64_t spent_by(const struct attach_queue *q, uint64_t group)
{
	for (size_t i = 0; i < q->group_count; i++)
		if (q->groups[i].group == group)
			return q->groups[i].spent_ns;
	return 0;
}

void attach_queue_refill(struct attach_queue *q)
{
	q->second_ns = monotonic_ns();
	q->left_ns = ATTACH_NS_A_SECOND;
	q->group_count = 0;
}

pid_t attach_queue_next(struct attach_queue *q,
			uint64_t (*group_of)(void *context, pid_t pid),
			void *context)
{
	uint64_t now = monotonic_ns(), least = UINT64_MAX;
	size_t best = q->count;
	pid_t pid;

	if (now - q->second_ns >= 1000000000)
		attach_queue_refill(q);
	if (q->left_ns <= 0)
		return 0;
	for (size_t i = 0; i < q->count && least; i++) {
		struct attach_waiting *w = &q->list[i];
		uint64_t spent;

		if (w->due_ns > now)
			continue;
		if (!w->grouped)
			w->group = group_of(context, w->pid);
		w->grouped = true;
		spent = spent_by(q, w->group);
		if (spent >= least)
			continue;
		least = spent;
		best = i;
	}
	if (best == q->count)
		return 0;
	pid = q->list[best].pid;
	q->group = q->list[best].group;
	/* In order: who came first is attached first. */
	for (size_t i = best + 1; i < q->count; i++)
		q->list[i - 1] = q->list[i];
	q->count--;
	return pid;
}

size_t attach_queue_due(const struct attach_queue *q)
{
	uint64_t now = monotonic_ns();
	size_t due = 0;

	for (size_t i = 0; i < q->count; i++)
		due += q->list[i].due_ns <= now;
	return due;
}

void attach_queue_spent(struct attach_queue *q, uint64_t ns)
{
	q->left_ns -= (int64_t)ns;
	for (size_t i = 0; i < q->group_count; i++) {
		if (q->groups[i].group == q->group) {
			q->groups[i].spent_ns += ns;
			return;
		}
	}
	if (q->group_count == ATTACH_GROUPS_MAX)
		return;
	q->groups[q->group_count].group = q->group;
	q->groups[q->group_count++].spent_ns = ns;
}
