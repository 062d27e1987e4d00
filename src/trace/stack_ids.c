// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stack ids are a fixed number of slots. The BPF programs pop a free one for
 * each new stack; when few are left, stacks that hold nothing any more are
 * unlinked from the index, rest until no program can still be using them, and
 * are handed out again. So new leaks are seen however many stacks have passed
 * (a table that fills once and then stays frozen is how others lose them).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/tracer_internal.h"

/* Longer than any call between its entry and return is preempted. */
#define REST_NS 3000000000ULL
/* Not touched for this long: not in use just now. */
#define IDLE_NS 5000000000ULL

static int give(struct tracer *t, uint32_t id)
{
	if (bpf_map_update_elem(bpf_map__fd(t->skel->maps.free_stacks), NULL,
				&id, BPF_ANY))
		return -errno;
	return 0;
}

int stack_ids_init(struct tracer *t)
{
	int err = 0;

	t->retired_ns = calloc(t->plan.stacks, sizeof(*t->retired_ns));
	if (!t->retired_ns)
		return -ENOMEM;
	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks && !err; id++)
		err = give(t, id);
	return err;
}

static bool holds_nothing(const struct tracer *t, uint32_t id)
{
	const struct stack_stats *s = &t->stack_stats[id];

	return s->alloc_samples == s->freed_samples &&
	       !(t->regions && regions_uses_stack(t->regions, id));
}

static void unlink_stack(struct tracer *t, uint32_t id, uint64_t now_ns)
{
	uint64_t key = t->stack_stats[id].index_key;

	if (bpf_map_delete_elem(bpf_map__fd(t->skel->maps.stack_index), &key))
		return;
	/* Only then: who finds it by the index may take it for alive. */
	t->stack_frames[id].retired = 1;
	t->retired_ns[id] = now_ns;
}

/* After its rest: free, unless a late call has booked something on it. Then it
 * goes back to the index, or lives on unlinked until that is freed. */
static void settle(struct tracer *t, uint32_t id, uint64_t now_ns)
{
	struct stack_stats *s = &t->stack_stats[id];
	uint64_t key = s->index_key;

	if (holds_nothing(t, id)) {
		if (t->regions)
			regions_forget_stack(t->regions, id);
		memset(s, 0, sizeof(*s));
		window_lives_forget(t, id);
		window_weights_forget(t, id);
		t->stack_frames[id].depth = 0;
		t->stack_frames[id].retired = 0;
		t->retired_ns[id] = 0;
		give(t, id);
		return;
	}
	if (!bpf_map_update_elem(bpf_map__fd(t->skel->maps.stack_index), &key,
				 &id, BPF_NOEXIST)) {
		t->stack_frames[id].retired = 0;
		t->retired_ns[id] = 0;
	} else {
		t->retired_ns[id] = now_ns;
	}
}

void stack_ids_recycle(struct tracer *t, uint64_t now_ns)
{
	uint32_t used = 0;
	bool scarce;

	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++)
		used += t->stack_frames[id].depth != 0;
	t->stacks_used = used;
	/* Empty stacks keep objects from being forgotten, too. */
	scarce = used > t->plan.stacks / 4 * 3 || tracer_objects_scarce(t);
	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++) {
		const struct stack_stats *s = &t->stack_stats[id];
		uint64_t last = s->last_alloc_ns > s->last_free_ns
					? s->last_alloc_ns
					: s->last_free_ns;

		if (t->retired_ns[id]) {
			if (now_ns - t->retired_ns[id] > REST_NS)
				settle(t, id, now_ns);
		} else if (scarce && t->stack_frames[id].depth &&
			   now_ns > last + IDLE_NS && holds_nothing(t, id)) {
			unlink_stack(t, id, now_ns);
		}
	}
}

bool tracer_room_scarce(const struct tracer *t)
{
	return t->stacks_used > t->plan.stacks / 2 ||
	       t->skel->bss->outstanding_count >
		       (int64_t)t->plan.outstanding_max / 2;
}

static int by_number(const void *a, const void *b)
{
	pid_t one = *(const pid_t *)a, other = *(const pid_t *)b;

	return (one > other) - (one < other);
}

void stack_ids_retire(struct tracer *t, const pid_t *tgids, size_t count)
{
	pid_t *sorted = malloc((count + 1) * sizeof(*sorted));
	uint64_t now_ns = monotonic_ns();

	if (!sorted)
		return;
	memcpy(sorted, tgids, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_number);
	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++) {
		pid_t tgid = (pid_t)t->stack_stats[id].tgid;

		if (t->stack_frames[id].depth && !t->retired_ns[id] &&
		    bsearch(&tgid, sorted, count, sizeof(tgid), by_number) &&
		    holds_nothing(t, id))
			unlink_stack(t, id, now_ns);
	}
	free(sorted);
}
