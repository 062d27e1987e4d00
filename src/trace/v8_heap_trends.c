// SPDX-License-Identifier: GPL-2.0-only
/* The heaps of isolates, and what is live after each full collection. */
#include <bpf/bpf.h>
#include <stdlib.h>

#include "trace/tracer_internal.h"

static struct v8_trend *find(const struct tracer *t, const struct v8_key *key)
{
	for (size_t i = 0; i < t->v8_trends.count; i++) {
		struct v8_trend *trend = &t->v8_trends.list[i];

		if (trend->key.address == key->address &&
		    trend->key.owner == key->owner)
			return trend;
	}
	return NULL;
}

static struct v8_trend *add(struct tracer *t, const struct v8_key *key)
{
	struct v8_trends *all = &t->v8_trends;
	struct v8_trend *grown =
		realloc(all->list, (all->count + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	all->list = grown;
	grown[all->count] = (struct v8_trend){.key = *key};
	return &grown[all->count++];
}

/* The size is asked for right after the event was sent. */
void v8_heap_collected(struct tracer *t, pid_t pid, uint64_t heap)
{
	struct v8_key key = {.address = heap, .owner = (uint32_t)pid};
	struct v8_trend *trend = find(t, &key);
	struct v8_heap state;

	if (bpf_map_lookup_elem(bpf_map__fd(t->skel->maps.v8_heaps), &key,
				&state))
		return;
	if (!trend)
		trend = add(t, &key);
	if (trend)
		heap_trend_add(&trend->trend, (double)state.last_full_ns / 1e9,
			       (double)state.live_bytes);
}

void v8_heap_gone(struct tracer *t, pid_t pid, uint64_t heap)
{
	struct v8_key key = {.address = heap, .owner = (uint32_t)pid};
	struct v8_trend *trend = find(t, &key);

	if (trend)
		*trend = t->v8_trends.list[--t->v8_trends.count];
}

size_t tracer_v8_heaps(const struct tracer *t, struct tracer_v8_heap *out,
		       size_t max)
{
	int fd = bpf_map__fd(t->skel->maps.v8_heaps);
	struct v8_key key, *previous = NULL;
	size_t n = 0;

	while (n < max && !bpf_map_get_next_key(fd, previous, &key)) {
		const struct v8_trend *trend = find(t, &key);

		previous = &key;
		out[n] = (struct tracer_v8_heap){
			.pid = (pid_t)key.owner,
			.address = key.address,
		};
		if (bpf_map_lookup_elem(fd, &key, &out[n].state))
			continue;
		if (trend)
			out[n].trend = trend->trend;
		n++;
	}
	return n;
}
