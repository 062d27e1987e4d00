/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <string.h>

#include "profile/profile_internal.h"

/* That long after a collection its effects may still be missing. */
#define SETTLING_NS 10000000000ULL

/* ---- Writing ----------------------------------------------------------------
 */

static void note_births(const struct profile *p, struct entry *e,
			const struct stack_stats *st)
{
	for (uint32_t i = 0; i < p->cohorts.count; i++) {
		uint32_t slot = p->cohorts.slot[i] % COHORTS;

		e->births[i] = (float)st->cohort_bytes[slot];
	}
}

void history_note(struct profile *p, struct entry *e,
		  const struct stack_stats *st)
{
	double unit = ldexp(1, 2 * (int)p->snapshot.sampling.variance_shift);
	double live = (double)st->alloc_bytes - (double)st->freed_bytes;
	struct series_point *now = &e->now, *total = &p->total_now;

	*now = (struct series_point){
		.live = fmax(live, 0),
		.variance = (double)st->live_bytes_variance * unit,
		.allocated = (double)st->alloc_bytes,
		.freed = (double)st->freed_bytes,
	};
	note_births(p, e, st);
	if (st->source == STACK_SOURCE_BESIDE)
		return;
	total->live += now->live;
	total->variance += now->variance;
	total->allocated += now->allocated;
	total->freed += now->freed;
}

static void add_point(struct history *h, size_t count, size_t crowded,
		      const struct series_point *now)
{
	struct series_point before = {
		.allocated = h->allocated,
		.freed = h->freed,
	};

	series_add(&h->series, count, crowded, now, &before);
	h->allocated = now->allocated;
	h->freed = now->freed;
}

void history_add(struct profile *p)
{
	struct series_times *t = &p->history_times;
	double seconds = profile_seconds(p);
	size_t crowded = series_crowded(t, seconds), count = t->count;
	struct series_point resident = {
		.live = (double)p->snapshot.resident_bytes,
	};

	for (size_t i = 0; i < p->count; i++)
		add_point(&p->list[i]->history, count, crowded,
			  &p->list[i]->now);
	add_point(&p->total, count, crowded, &p->total_now);
	add_point(&p->resident, count, crowded, &resident);
	series_times_add(t, crowded, seconds);
	p->resident_known |= p->snapshot.resident_bytes != 0;
}

/* ---- Reading ----------------------------------------------------------------
 */

static const struct entry *entry_of(const struct profile_stack *s)
{
	return (const struct entry *)(const void *)s; /* its first member */
}

size_t profile_history(const struct profile *p, const struct profile_stack *s,
		       struct series_point *out)
{
	series_read(&entry_of(s)->history.series, &p->history_times, out);
	return p->history_times.count;
}

size_t profile_total_history(const struct profile *p, struct series_point *out)
{
	series_read(&p->total.series, &p->history_times, out);
	return p->history_times.count;
}

size_t profile_resident_history(const struct profile *p,
				struct series_point *out)
{
	series_read(&p->resident.series, &p->history_times, out);
	return p->resident_known ? p->history_times.count : 0;
}

static double since_attach(const struct profile *p, uint64_t ns)
{
	uint64_t attached = p->snapshot.attached_ns;

	return ns > attached ? (double)(ns - attached) / 1e9 : 0;
}

/* Without what is live of it. */
static struct series_cohort cohort_at(const struct profile *p, size_t i)
{
	const struct cohort_layout *l = &p->cohorts;
	uint64_t end =
		i + 1 == l->count ? p->snapshot.now_ns : l->start_ns[i + 1];

	return (struct series_cohort){
		.from = since_attach(p, l->start_ns[i]),
		.to = since_attach(p, end),
	};
}

size_t profile_births(const struct profile *p, const struct profile_stack *s,
		      struct series_cohort *out)
{
	for (uint32_t i = 0; i < p->cohorts.count; i++) {
		out[i] = cohort_at(p, i);
		out[i].live = (double)entry_of(s)->births[i];
	}
	return p->cohorts.count;
}

void profile_settle(struct profile *p, double settled_seconds)
{
	uint64_t now = p->snapshot.now_ns;

	if (settled_seconds != p->settled_seconds)
		p->settled_ns = now;
	else if (now - p->settled_ns > SETTLING_NS)
		return;
	p->settled_seconds = settled_seconds;
	p->settled_count = p->cohorts.count;
	for (size_t i = 0; i < p->settled_count; i++)
		p->settled[i] = cohort_at(p, i);
	for (size_t i = 0; i < p->count; i++)
		memcpy(p->list[i]->settled, p->list[i]->births,
		       sizeof(p->list[i]->settled));
}

size_t profile_settled_births(const struct profile *p,
			      const struct profile_stack *s,
			      struct series_cohort *out)
{
	for (size_t i = 0; i < p->settled_count; i++) {
		out[i] = p->settled[i];
		out[i].live = (double)entry_of(s)->settled[i];
	}
	return p->settled_count;
}

double profile_sample_bytes(const struct profile *p)
{
	return (double)p->snapshot.sampling.interval_bytes;
}

double profile_seconds(const struct profile *p)
{
	return since_attach(p, p->snapshot.now_ns);
}
