// SPDX-License-Identifier: GPL-2.0-only
/* What the sampled objects are: asked of the target's memory, where they were
 * after the last collection. */
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "leakbpf/sampling.h"
#include "trace/tracer_internal.h"

/* Objects looked at for one answer. */
#define LOOKS 24

static bool collecting(const struct tracer *t, const struct v8_sample *s)
{
	struct v8_key key = {.address = s->heap, .owner = s->block.owner};
	struct v8_heap heap;

	return bpf_map_lookup_elem(bpf_map__fd(t->skel->maps.v8_heaps), &key,
				   &heap) ||
	       heap.collecting;
}

/* Advances whenever objects may move. */
static uint32_t epoch_of(const struct tracer *t, uint32_t pid)
{
	struct v8_process process = {0};

	bpf_map_lookup_elem(bpf_map__fd(t->skel->maps.v8_processes), &pid,
			    &process);
	return process.gc_epoch;
}

/* `types` has room for all that are looked at. */
static void add_type(struct tracer_v8_type *types, size_t *count,
		     const char *name, double bytes)
{
	size_t i = 0;

	while (i < *count && strcmp(types[i].name, name) != 0)
		i++;
	if (i == *count) {
		memset(&types[i], 0, sizeof(types[i]));
		memcpy(types[i].name, name, strlen(name) + 1);
		(*count)++;
	}
	types[i].share += bytes;
}

static int compare(const void *a, const void *b)
{
	double x = ((const struct tracer_v8_type *)a)->share;
	double y = ((const struct tracer_v8_type *)b)->share;

	return (x < y) - (x > y);
}

/* Looks at one object, where it is now. False: not possible just now. */
static bool look(const struct tracer *t, struct tracee *e,
		 const struct v8_survivor *s, char *name, size_t size)
{
	uint32_t epoch = epoch_of(t, s->sample.block.owner);
	uint64_t address;

	if (collecting(t, &s->sample) ||
	    s->where->block.booking != s->sample.block.booking)
		return false;
	address = s->where->address;
	v8_memory_begin(&e->v8.memory);
	return !js_object_type(e->v8.engine, &e->v8.memory, address, name,
			       size) &&
	       epoch == epoch_of(t, s->sample.block.owner);
}

struct tally {
	struct tracer_v8_type types[LOOKS];
	size_t count;
	double bytes;
};

static void look_at_stack(struct tracer *t, uint32_t stack, size_t most,
			  struct tally *tally)
{
	size_t count;
	const struct v8_survivor *list =
		v8_survivors_of(&t->v8_survivors, stack, &count);
	struct tracee *e =
		list ? tracee_find(t, (pid_t)list->sample.block.owner) : NULL;

	if (!e || !e->alive || !e->v8.published)
		return;
	for (size_t i = 0; i < count; i += count / most + 1) {
		const struct block *b = &list[i].sample.block;
		double bytes = (double)sampling_bytes(
			b->size, BLOCK_THRESHOLD(b->booking));
		char name[sizeof(tally->types[0].name)];

		if (!look(t, e, &list[i], name, sizeof(name)))
			continue;
		add_type(tally->types, &tally->count, name, bytes);
		tally->bytes += bytes;
	}
}

size_t tracer_v8_types(struct tracer *t, const uint32_t *stacks, size_t count,
		       struct tracer_v8_type out[TRACER_V8_TYPES])
{
	struct tally tally = {0};
	size_t n;

	if (count > LOOKS)
		count = LOOKS;
	for (size_t i = 0; i < count; i++)
		look_at_stack(t, stacks[i], LOOKS / count, &tally);
	n = tally.count < TRACER_V8_TYPES ? tally.count : TRACER_V8_TYPES;
	qsort(tally.types, tally.count, sizeof(tally.types[0]), compare);
	for (size_t i = 0; i < n; i++) {
		out[i] = tally.types[i];
		out[i].share /= tally.bytes;
	}
	return n;
}
