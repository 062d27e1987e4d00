/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict/diagnosis.h"

#include <math.h>
#include <stdlib.h>

#include "base/stack_table.h"
#include "verdict/births.h"
#include "verdict/growth.h"
#include "verdict/unobserved.h"

/* Without a leak, growth is told of that share of the time watched: not of the
 * start, when what is live was not seen yet. */
#define RECENT_SHARE 0.75
/* Leaks that explain less of the growth of resident memory are not what the
 * user is looking for. */
#define ANSWER_SHARE 0.1

/* ... and that is enough not to ask pages. */
#define EXPLAINED_SHARE 0.5

struct diagnosis {
	struct diagnosis_summary summary;
	struct verdict *verdicts;
	const struct profile_stack **leaks;
	size_t leak_count;
	/* By pages, beside blocks: both tell of the same memory. */
	const struct profile_stack **page_leaks;
	size_t page_leak_count;
	struct stack_table index; /* stack id -> verdict */
};

const char *diagnosis_name(enum diagnosis_kind kind)
{
	static const char *const names[] = {
		[DIAGNOSIS_UNKNOWN] = "unclear",
		[DIAGNOSIS_LEAK] = "leak",
		[DIAGNOSIS_UNEXPLAINED] = "unexplained",
		[DIAGNOSIS_GROWTH] = "growth",
		[DIAGNOSIS_RETENTION] = "retention",
		[DIAGNOSIS_HEALTHY] = "healthy",
	};

	return names[kind];
}

/* ---- The stacks -------------------------------------------------------------
 */

/* On a heap where what is garbage is only known after a collection. */
static bool is_collected(const struct profile_stack *s)
{
	return s->source == STACK_SOURCE_V8_HEAP ||
	       s->source == STACK_SOURCE_GO_HEAP;
}

static void judge_stack(const struct profile *p, const struct profile_stack *s,
			const struct diagnosis_facts *facts, size_t tested,
			struct verdict *out)
{
	struct series_point points[SERIES_POINTS];
	struct series_cohort cohorts[COHORTS];
	bool collected = is_collected(s);
	size_t births = collected ? profile_settled_births(p, s, cohorts)
				  : profile_births(p, s, cohorts);
	double bytes_per_sample =
		s->alloc_samples ? s->alloc_bytes / (double)s->alloc_samples
				 : 0;
	struct verdict_input in = {
		.points = points,
		.count = collected ? births_history(cohorts, births,
						    facts->settled_seconds,
						    bytes_per_sample, points)
				   : profile_history(p, s, points),
		.cohorts = cohorts,
		.cohort_count = collected ? 0 : births,
		.sample_bytes = collected ? 0
				: s->source == STACK_SOURCE_BESIDE
					? bytes_per_sample
					: profile_sample_bytes(p),
		.samples = (double)s->samples,
		.bytes_per_sample = bytes_per_sample,
		.tested = tested,
		.collected = collected,
		.collections = facts->collections,
	};

	verdict_judge(&in, out);
}

/* ---- All stacks -------------------------------------------------------------
 */

/* Halves of intervals add up like standard errors. */
static void add_estimate(struct estimate *sum, const struct estimate *e)
{
	double below = hypot(sum->value - sum->low, e->value - e->low);
	double above = hypot(sum->high - sum->value, e->high - e->value);

	sum->value += e->value;
	sum->low = sum->value - below;
	sum->high = sum->value + above;
}

static void add_leak(struct diagnosis *d, const struct profile_stack *s,
		     const struct verdict *v)
{
	d->leaks[d->leak_count++] = s;
	add_estimate(&d->summary.leak, &v->growth);
	d->summary.confidence = fmax(d->summary.confidence, v->confidence);
}

static void count_verdict(struct diagnosis *d, const struct profile_stack *s,
			  const struct verdict *v)
{
	struct diagnosis_summary *out = &d->summary;

	out->counts[v->kind]++;
	out->live[v->kind] += s->live_bytes.value;
	if (v->kind == VERDICT_LEAK && s->source == STACK_SOURCE_BESIDE) {
		d->page_leaks[d->page_leak_count++] = s;
		return;
	}
	if (v->kind == VERDICT_LEAK) {
		add_leak(d, s, v);
		return;
	}
	if (out->detectable == 0 || v->detectable < out->detectable)
		out->detectable = v->detectable;
	if (v->settle_seconds > out->seconds &&
	    (out->settle_seconds == 0 ||
	     v->settle_seconds < out->settle_seconds))
		out->settle_seconds = v->settle_seconds;
}

static int judge_all(struct diagnosis *d, struct profile *p,
		     const struct diagnosis_facts *facts)
{
	size_t count, tested = 0;
	const struct profile_stack *const *stacks =
		profile_sorted(p, PROFILE_BY_LIVE, &count);
	int err = 0;

	d->verdicts = calloc(count + 1, sizeof(*d->verdicts));
	d->leaks = calloc(count + 1, sizeof(*d->leaks));
	d->page_leaks = calloc(count + 1, sizeof(*d->page_leaks));
	if (!d->verdicts || !d->leaks || !d->page_leaks)
		return -1;
	for (size_t i = 0; i < count; i++)
		tested += stacks[i]->samples >= VERDICT_SAMPLES_MIN;
	for (size_t i = 0; i < count && !err; i++) {
		judge_stack(p, stacks[i], facts, tested ? tested : 1,
			    &d->verdicts[i]);
		unobserved_doubt(p, stacks[i], facts, &d->verdicts[i]);
		count_verdict(d, stacks[i], &d->verdicts[i]);
		err = stack_table_put(&d->index, stacks[i]->id, (uint32_t)i);
	}
	return err;
}

/* Few: insertion will do. */
static void sort_leaks(struct diagnosis *d)
{
	for (size_t i = 1; i < d->leak_count; i++) {
		const struct profile_stack *s = d->leaks[i];
		double rate = diagnosis_verdict(d, s)->growth.value;
		size_t k = i;

		for (;
		     k &&
		     diagnosis_verdict(d, d->leaks[k - 1])->growth.value < rate;
		     k--)
			d->leaks[k] = d->leaks[k - 1];
		d->leaks[k] = s;
	}
}

/* ---- All together
 * ------------------------------------------------------------- */

static double leak_window(const struct diagnosis *d)
{
	double window = 0;

	for (size_t i = 0; i < d->leak_count; i++)
		window =
			fmax(window,
			     diagnosis_verdict(d, d->leaks[i])->window_seconds);
	return window > 0 ? window : RECENT_SHARE * d->summary.seconds;
}

/* What blocks do not explain of the growth of resident memory, pages may. */
static void ask_pages(struct diagnosis *d, const struct profile *p)
{
	struct diagnosis_summary *s = &d->summary;
	struct series_point points[SERIES_POINTS];
	size_t count = profile_resident_history(p, points);
	struct estimate resident;

	if (!d->page_leak_count ||
	    !growth_notable(points, count, leak_window(d), 0, &resident) ||
	    s->leak.value >= EXPLAINED_SHARE * resident.value)
		return;
	s->by_pages = true;
	s->leak = (struct estimate){0};
	s->confidence = 0;
	d->leak_count = 0;
	for (size_t i = 0; i < d->page_leak_count; i++)
		add_leak(d, d->page_leaks[i],
			 diagnosis_verdict(d, d->page_leaks[i]));
	sort_leaks(d);
}

static void look_at_growth(struct diagnosis *d, const struct profile *p)
{
	struct diagnosis_summary *s = &d->summary;
	struct series_point points[SERIES_POINTS];
	double window = leak_window(d);
	size_t count = profile_total_history(p, points);
	bool live_grows =
		growth_notable(points, count, window, profile_sample_bytes(p),
			       &s->outstanding);

	count = profile_resident_history(p, points);
	s->resident_known = count != 0;
	s->resident_grows =
		growth_notable(points, count, window, 0, &s->resident);
	s->share_of_resident = -1;
	if (s->resident_grows && s->leak.value > 0)
		s->share_of_resident = s->leak.value / s->resident.value;
	if (d->leak_count &&
	    (s->share_of_resident < 0 || s->share_of_resident >= ANSWER_SHARE))
		s->kind = DIAGNOSIS_LEAK;
	else if (d->leak_count)
		s->kind = DIAGNOSIS_UNEXPLAINED;
	else if (s->seconds < VERDICT_SECONDS_MIN || s->seldom)
		s->kind = DIAGNOSIS_UNKNOWN;
	else if (s->resident_grows &&
		 s->outstanding.high < s->resident.value / 2)
		s->kind = DIAGNOSIS_RETENTION;
	else if (live_grows)
		s->kind = DIAGNOSIS_GROWTH;
	else
		s->kind = DIAGNOSIS_HEALTHY;
}

static void look_at_limit(struct diagnosis_summary *s,
			  const struct diagnosis_facts *facts)
{
	double room = facts->limit_bytes - facts->limit_used_bytes;

	s->limit_bytes = facts->limit_bytes;
	s->limit_is_group = facts->limit_is_group;
	s->seconds_to_limit = -1;
	if (facts->limit_bytes > 0 && s->leak.value > 0)
		s->seconds_to_limit = fmax(room, 0) / (s->leak.value / 60);
}

struct diagnosis *diagnosis_new(struct profile *p,
				const struct diagnosis_facts *facts)
{
	struct diagnosis *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->summary.seconds = profile_seconds(p);
	d->summary.windows = facts->windows;
	d->summary.seldom = unobserved_is_seldom(facts);
	profile_settle(p, facts->settled_seconds);
	if (judge_all(d, p, facts)) {
		diagnosis_free(d);
		return NULL;
	}
	sort_leaks(d);
	ask_pages(d, p);
	look_at_growth(d, p);
	look_at_limit(&d->summary, facts);
	return d;
}

void diagnosis_free(struct diagnosis *d)
{
	if (!d)
		return;
	free(d->verdicts);
	free(d->leaks);
	free(d->page_leaks);
	stack_table_free(&d->index);
	free(d);
}

/* ---- Results
 * ------------------------------------------------------------------ */

const struct diagnosis_summary *diagnosis_summary(const struct diagnosis *d)
{
	return &d->summary;
}

const struct verdict *diagnosis_verdict(const struct diagnosis *d,
					const struct profile_stack *s)
{
	uint32_t at;

	return stack_table_get(&d->index, s->id, &at) ? &d->verdicts[at] : NULL;
}

const struct profile_stack *const *diagnosis_leaks(const struct diagnosis *d,
						   size_t *count)
{
	*count = d->leak_count;
	return d->leaks;
}
