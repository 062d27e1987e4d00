// SPDX-License-Identifier: GPL-2.0-only
/* Sizes of the tables of V8's heap, and their mappings. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "trace/tracer_internal.h"

#define HEAPS	   512 /* isolates */
#define ALLOCATORS 4096
#define COLLECTORS 1024

void v8_heap_size_maps(struct tracer *t)
{
	bpf_map__set_max_entries(t->skel->maps.v8_young, V8_YOUNG_SAMPLES);
	bpf_map__set_max_entries(t->skel->maps.v8_old, V8_OLD_SAMPLES);
	bpf_map__set_max_entries(t->skel->maps.v8_old_free, V8_OLD_SAMPLES);
	bpf_map__set_max_entries(t->skel->maps.v8_heaps, HEAPS);
	bpf_map__set_max_entries(t->skel->maps.v8_allocators, ALLOCATORS);
	bpf_map__set_max_entries(t->skel->maps.v8_collectors, COLLECTORS);
	/* A quarter of the budget: traps and what they spoil of caches cost as
	 * much again, and the rest is for windows of native memory. */
	t->skel->bss->v8_share_permille =
		(uint32_t)ceil(t->options.max_overhead * 1000 / 4);
	t->skel->bss->v8_old_size = V8_OLD_SAMPLES;
	t->skel->bss->v8_old_high_water = V8_OLD_SAMPLES / 4 * 3;
}

int v8_heap_maps_init(struct tracer *t)
{
	t->v8_young = tracer_map_shared(t->skel->maps.v8_young,
					sizeof(struct v8_sample));
	t->v8_old = tracer_map_shared(t->skel->maps.v8_old,
				      sizeof(struct v8_sample));
	return t->v8_young && t->v8_old ? 0 : -ENOMEM;
}

void v8_heap_maps_free(struct tracer *t)
{
	if (t->v8_young)
		munmap(t->v8_young,
		       V8_YOUNG_SAMPLES * sizeof(struct v8_sample));
	if (t->v8_old)
		munmap(t->v8_old, V8_OLD_SAMPLES * sizeof(struct v8_sample));
	free(t->v8_trends.list);
	v8_survivors_free(&t->v8_survivors);
	v8_survivors_free(&t->v8_promoted);
}
