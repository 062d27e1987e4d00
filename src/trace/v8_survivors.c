// SPDX-License-Identifier: GPL-2.0-only
#include "trace/v8_survivors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "leakbpf/sampling.h"

void v8_survivors_clear(struct v8_survivors *s)
{
	s->count = 0;
}

void v8_survivors_free(struct v8_survivors *s)
{
	free(s->list);
	*s = (struct v8_survivors){0};
}

static int make_room(struct v8_survivors *s, size_t more)
{
	struct v8_survivor *grown;

	if (s->count + more <= s->capacity)
		return 0;
	grown = realloc(s->list, (s->count + more) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->list = grown;
	s->capacity = s->count + more;
	return 0;
}

bool v8_survived(const struct v8_sample *s, uint32_t least)
{
	return s->survived + s->aged >= least;
}

int v8_survivors_add(struct v8_survivors *s, const struct v8_sample *table,
		     size_t size, uint32_t least)
{
	int err = make_room(s, size);

	if (err)
		return err;
	for (size_t i = 0; i < size; i++) {
		struct v8_sample *copy = &s->list[s->count].sample;

		*copy = table[i];
		s->list[s->count].where = &table[i];
		/* Dropped while it was copied: neither was it ever here. */
		if (copy->block.booking &&
		    copy->block.booking ==
			    __atomic_load_n(&table[i].block.booking,
					    __ATOMIC_ACQUIRE) &&
		    (least ? v8_survived(copy, least) : !copy->survived))
			s->count++;
	}
	return 0;
}

static uint32_t stack_of(const struct v8_survivor *s)
{
	return BLOCK_STACK(s->sample.block.booking);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = stack_of(a), y = stack_of(b);

	return (x > y) - (x < y);
}

void v8_survivors_sort(struct v8_survivors *s)
{
	if (s->count)
		qsort(s->list, s->count, sizeof(s->list[0]), compare);
}

const struct v8_survivor *v8_survivors_of(const struct v8_survivors *s,
					  uint32_t stack, size_t *count)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (stack_of(&s->list[middle]) < stack)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < s->count && stack_of(&s->list[high]) == stack;)
		high++;
	*count = high - low;
	return *count ? &s->list[low] : NULL;
}

double v8_survivors_bytes(const struct v8_survivors *s, uint32_t stack)
{
	double sum = 0;
	size_t count;
	const struct v8_survivor *list = v8_survivors_of(s, stack, &count);

	for (size_t i = 0; i < count; i++) {
		const struct block *b = &list[i].sample.block;

		sum += (double)sampling_bytes(b->size,
					      BLOCK_THRESHOLD(b->booking));
	}
	return sum;
}

static uint32_t cohort_slot(const struct cohort_layout *l, uint64_t birth_ns)
{
	for (uint32_t i = l->count; i-- > 0;)
		if (!i || birth_ns >= l->start_ns[i])
			return l->slot[i] % COHORTS;
	return 0;
}

static void add(struct stack_stats *stats, const struct v8_sample *s,
		const struct cohort_layout *cohorts, uint32_t variance_shift)
{
	uint32_t threshold = BLOCK_THRESHOLD(s->block.booking);
	uint32_t slot = cohort_slot(cohorts, s->block.birth_ns);
	uint64_t bytes = sampling_bytes(s->block.size, threshold);
	uint64_t objects = sampling_objects_q8(threshold);

	stats->freed_samples--;
	stats->freed_bytes -= bytes;
	stats->freed_objects_q8 -= objects;
	stats->live_bytes_variance += sampling_bytes_variance(
		s->block.size, threshold, variance_shift);
	stats->live_objects_variance_q4 +=
		sampling_objects_variance_q4(threshold);
	stats->cohort_bytes[slot] += (int64_t)bytes;
	stats->cohort_objects_q8[slot] += (int64_t)objects;
}

void v8_survivors_apply(const struct v8_survivors *s, uint32_t stack,
			const struct cohort_layout *cohorts,
			uint32_t variance_shift, struct stack_stats *stats)
{
	size_t count;
	const struct v8_survivor *list = v8_survivors_of(s, stack, &count);

	stats->freed_samples = stats->alloc_samples;
	stats->freed_bytes = stats->alloc_bytes;
	stats->freed_objects_q8 = stats->alloc_objects_q8;
	stats->live_bytes_variance = stats->live_objects_variance_q4 = 0;
	memset(stats->cohort_bytes, 0, sizeof(stats->cohort_bytes));
	memset(stats->cohort_objects_q8, 0, sizeof(stats->cohort_objects_q8));
	for (size_t i = 0; i < count; i++)
		add(stats, &list[i].sample, cohorts, variance_shift);
}
