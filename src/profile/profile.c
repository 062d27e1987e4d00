/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/profile_internal.h"

struct profile *profile_new(void)
{
	return calloc(1, sizeof(struct profile));
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++)
		free(p->list[i]);
	free(p->list);
	free(p->sorted);
	stack_table_free(&p->index);
	free(p);
}

/* ---- Taking a snapshot -------------------------------------------------- */

int profile_begin(struct profile *p, const struct profile_snapshot *s)
{
	p->snapshot = *s;
	p->snapshot.cohorts = NULL;
	memset(&p->cohorts, 0, sizeof(p->cohorts));
	if (s->cohorts)
		p->cohorts = *s->cohorts;
	if (p->cohorts.count > COHORTS || s->now_ns < s->attached_ns)
		return -EINVAL;
	memset(&p->totals, 0, sizeof(p->totals));
	memset(&p->total_sums, 0, sizeof(p->total_sums));
	memset(&p->total_now, 0, sizeof(p->total_now));
	p->base = window_base(p);
	window_move(p);
	for (size_t i = 0; i < p->count; i++)
		p->list[i]->seen = false;
	return 0;
}

static bool same_stack(const struct entry *e, const struct stack_frames *f,
		       uint32_t depth, const struct stack_stats *st)
{
	return e->view.depth == depth && e->index_key == st->index_key &&
	       e->view.tgid == st->tgid && e->view.source == st->source &&
	       e->first_alloc_ns == st->first_alloc_ns &&
	       (!depth ||
		memcmp(e->frames, f->frames, depth * sizeof(uint64_t)) == 0);
}

static struct entry *entry_new(uint32_t id, const struct stack_frames *f,
			       uint32_t depth, const struct stack_stats *st)
{
	struct entry *e = calloc(1, sizeof(*e) + depth * sizeof(uint64_t));

	if (!e)
		return NULL;
	if (depth)
		memcpy(e->frames, f->frames, depth * sizeof(uint64_t));
	e->index_key = st->index_key;
	e->first_alloc_ns = st->first_alloc_ns;
	e->view.id = id;
	e->view.tgid = st->tgid;
	e->view.source = st->source;
	e->view.depth = depth;
	e->view.frames = e->frames;
	return e;
}

static int append_entry(struct profile *p, struct entry *e)
{
	int err;

	if (p->count == p->capacity) {
		size_t capacity = p->capacity ? 2 * p->capacity : 256;
		struct entry **list =
			realloc(p->list, capacity * sizeof(*list));
		const struct profile_stack **sorted;

		if (!list)
			return -ENOMEM;
		p->list = list;
		sorted = realloc(p->sorted, capacity * sizeof(*sorted));
		if (!sorted)
			return -ENOMEM;
		p->sorted = sorted;
		p->capacity = capacity;
	}
	err = stack_table_put(&p->index, e->view.id, (uint32_t)p->count);
	if (err)
		return err;
	p->list[p->count++] = e;
	return 0;
}

/* The entry of a stack; a new one when the kernel has given the id to another
 * stack since. */
static int find_entry(struct profile *p, uint32_t id,
		      const struct stack_frames *f,
		      const struct stack_stats *st, struct entry **out)
{
	uint32_t depth = f ? f->depth : 0;
	uint32_t at;
	struct entry *e;
	int err;

	if (depth > STACK_FRAMES_MAX)
		depth = STACK_FRAMES_MAX;
	if (stack_table_get(&p->index, id, &at)) {
		*out = p->list[at];
		if (p->list[at]->seen)
			return -EEXIST;
		if (same_stack(p->list[at], f, depth, st))
			return 0;
		e = entry_new(id, f, depth, st);
		if (!e)
			return -ENOMEM;
		free(p->list[at]);
		p->list[at] = *out = e;
		return 0;
	}
	e = entry_new(id, f, depth, st);
	err = e ? append_entry(p, e) : -ENOMEM;
	if (err)
		free(e);
	*out = err ? NULL : e;
	return err;
}

static void set_growth(const struct profile *p, struct entry *e)
{
	float now = (float)e->view.live_bytes.value;
	double length = window_seconds(p);

	e->view.growth_bytes = now;
	if (p->base < p->points)
		e->view.growth_bytes -= e->live[p->base];
	e->view.growth_bytes_per_minute =
		length > 0 ? e->view.growth_bytes * 60 / length : 0;
}

static void add_totals(struct profile_totals *t, struct estimate_sums *all,
		       const struct profile_stack *v,
		       const struct estimate_sums *sums)
{
	t->sources |= 1u << (v->source & 31);
	if (v->source == STACK_SOURCE_BESIDE)
		return;
	all->samples += sums->samples;
	all->bytes += sums->bytes;
	all->objects += sums->objects;
	all->bytes_variance += sums->bytes_variance;
	all->objects_variance += sums->objects_variance;
	all->windows_variance += sums->windows_variance;
	all->windows_error += sums->windows_error;
	t->alloc_bytes += v->alloc_bytes;
	t->freed_bytes += v->freed_bytes;
	t->growth_bytes_per_minute += v->growth_bytes_per_minute;
	t->stacks++;
	if (v->source < STACK_SOURCES)
		t->live_by_source[v->source] += v->live_bytes.value;
}

int profile_add(struct profile *p, uint32_t id, const struct stack_frames *f,
		const struct stack_stats *st)
{
	uint64_t now = p->snapshot.now_ns;
	uint64_t since = p->snapshot.attached_ns;
	struct live_sums live;
	struct entry *e;
	int err = find_entry(p, id, f, st, &e);

	if (err)
		return err;
	live_sum(p, st, &live);
	e->seen = true;
	e->view.end = f ? f->end : 0;
	e->view.samples = (uint64_t)live.sums.samples;
	e->view.live_bytes =
		estimate_bytes(&live.sums, p->snapshot.sampling.interval_bytes);
	e->view.live_objects = estimate_objects(&live.sums);
	e->view.alloc_samples = st->alloc_samples;
	e->view.alloc_bytes = (double)st->alloc_bytes;
	e->view.alloc_objects = (double)st->alloc_objects_q8 / 256;
	e->view.freed_bytes = (double)st->freed_bytes;
	e->view.surely_live_bytes = (double)st->surely_live_bytes;
	e->view.windows_error_bytes = live.sums.windows_error;
	e->view.mean_age_seconds = live.mean_age_seconds;
	e->view.oldest_seconds = live.oldest_seconds;
	e->view.first_seen_seconds = seconds_before(st->first_alloc_ns, since);
	e->view.last_alloc_seconds = seconds_before(now, st->last_alloc_ns);
	set_growth(p, e);
	history_note(p, e, st);
	e->sums = live.sums;
	add_totals(&p->totals, &p->total_sums, &e->view, &e->sums);
	return 0;
}

/* Forgets the stacks that the kernel has dropped. */
static int sweep(struct profile *p)
{
	size_t kept = 0;
	int err = 0;

	for (size_t i = 0; i < p->count; i++) {
		if (p->list[i]->seen)
			p->list[kept++] = p->list[i];
		else
			free(p->list[i]);
	}
	if (kept == p->count)
		return 0;
	p->count = kept;
	stack_table_clear(&p->index);
	for (size_t i = 0; i < kept && !err; i++)
		err = stack_table_put(&p->index, p->list[i]->view.id,
				      (uint32_t)i);
	return err;
}

static void estimate_totals(const struct profile *p, struct profile_totals *t,
			    const struct estimate_sums *sums)
{
	t->live_bytes =
		estimate_bytes(sums, p->snapshot.sampling.interval_bytes);
	t->live_objects = estimate_objects(sums);
}

int profile_end(struct profile *p)
{
	int err = sweep(p);
	size_t point;

	estimate_totals(p, &p->totals, &p->total_sums);
	point = window_place(p);
	p->times[point] = p->snapshot.now_ns;
	for (size_t i = 0; i < p->count; i++)
		p->list[i]->live[point] =
			(float)p->list[i]->view.live_bytes.value;
	history_add(p);
	return err;
}

/* ---- Views -------------------------------------------------------------- */

static int compare_doubles(double a, double b)
{
	return (a < b) - (a > b); /* largest first */
}

static int by_live(const void *a, const void *b)
{
	const struct profile_stack *l = *(const struct profile_stack *const *)a;
	const struct profile_stack *r = *(const struct profile_stack *const *)b;
	int order = compare_doubles(l->live_bytes.value, r->live_bytes.value);

	return order ? order : (l->id > r->id) - (l->id < r->id);
}

static int by_growth(const void *a, const void *b)
{
	const struct profile_stack *l = *(const struct profile_stack *const *)a;
	const struct profile_stack *r = *(const struct profile_stack *const *)b;
	int order = compare_doubles(l->growth_bytes, r->growth_bytes);

	return order ? order : by_live(a, b);
}

static int by_alloc(const void *a, const void *b)
{
	const struct profile_stack *l = *(const struct profile_stack *const *)a;
	const struct profile_stack *r = *(const struct profile_stack *const *)b;
	int order = compare_doubles(l->alloc_bytes, r->alloc_bytes);

	return order ? order : by_live(a, b);
}

static bool is_selected(const struct profile *p, const struct entry *e)
{
	return !p->selected || e->view.tgid == p->selected;
}

const struct profile_stack *const *
profile_sorted(struct profile *p, enum profile_order order, size_t *count)
{
	static int (*const compare[])(const void *, const void *) = {
		[PROFILE_BY_GROWTH] = by_growth,
		[PROFILE_BY_LIVE] = by_live,
		[PROFILE_BY_ALLOC] = by_alloc,
	};
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++)
		if (is_selected(p, p->list[i]) &&
		    (order == PROFILE_BY_ALLOC ||
		     p->list[i]->view.live_bytes.value > 0))
			p->sorted[n++] = &p->list[i]->view;
	if (n)
		qsort(p->sorted, n, sizeof(p->sorted[0]), compare[order]);
	*count = n;
	return p->sorted;
}

void profile_totals(const struct profile *p, struct profile_totals *out)
{
	struct estimate_sums sums = {0};

	*out = p->totals;
	if (!p->selected)
		return;
	*out = (struct profile_totals){0};
	for (size_t i = 0; i < p->count; i++)
		if (is_selected(p, p->list[i]))
			add_totals(out, &sums, &p->list[i]->view,
				   &p->list[i]->sums);
	estimate_totals(p, out, &sums);
}

void profile_select(struct profile *p, uint32_t tgid)
{
	p->selected = tgid;
}
