// SPDX-License-Identifier: GPL-2.0-only
/* The heaps of isolates, and what is live after each full collection. */
#include <bpf/bpf.h>
#include <stdlib.h>

#include "trace/tracer_internal.h"

/* More is no memory, but a heap that is not there any more. */
#define EXTERNAL_BYTES_MAX (1ULL << 46)

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

/*
 * Bytes of Buffers and of what else the embedder has told V8 of
 * (ExternalMemoryAccounting in src/heap/heap.h of V8). Negative: not known.
 */
static double external_of(struct tracer *t, const struct v8_key *key)
{
	struct tracee *e = tracee_find(t, (pid_t)key->owner);
	const struct v8_engine *engine = e ? e->v8.engine : NULL;
	uint64_t bytes;

	if (!engine || !e->alive || !e->v8.published ||
	    engine->heap_external < 0)
		return -1;
	v8_memory_begin(&e->v8.memory);
	if (v8_read_word(&e->v8.memory,
			 key->address + (uint64_t)engine->heap_external,
			 &bytes) ||
	    bytes > EXTERNAL_BYTES_MAX)
		return -1;
	return (double)bytes;
}

/* After its process has ended, too: as it was then. */
static double sampled_share(struct tracer *t, const struct v8_key *key)
{
	const struct tracee *e = tracee_find(t, (pid_t)key->owner);

	return e ? rests_seen_share(&e->v8_heap.rests, monotonic_ns()) : 1;
}

/* The size is asked for right after the event was sent. */
void v8_heap_collected(struct tracer *t, pid_t pid, uint64_t heap)
{
	struct v8_key key = {.address = heap, .owner = (uint32_t)pid};
	struct v8_trend *trend = find(t, &key);
	double external, seconds;
	struct v8_heap state;

	if (bpf_map_lookup_elem(bpf_map__fd(t->skel->maps.v8_heaps), &key,
				&state))
		return;
	if (!trend)
		trend = add(t, &key);
	if (!trend)
		return;
	seconds = (double)state.last_full_ns / 1e9;
	heap_trend_add(&trend->trend, seconds, (double)state.live_bytes);
	external = external_of(t, &key);
	if (external >= 0)
		heap_trend_add(&trend->external, seconds, external);
}

void v8_heap_gone(struct tracer *t, pid_t pid, uint64_t heap)
{
	struct v8_key key = {.address = heap, .owner = (uint32_t)pid};
	struct v8_trend *trend = find(t, &key);

	if (trend)
		*trend = t->v8_trends.list[--t->v8_trends.count];
}

size_t tracer_v8_heaps(struct tracer *t, struct tracer_v8_heap *out, size_t max)
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
		out[n].external_bytes = external_of(t, &key);
		out[n].sampled_share = sampled_share(t, &key);
		if (trend) {
			out[n].trend = trend->trend;
			out[n].external = trend->external;
		}
		n++;
	}
	return n;
}
