/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict/unobserved.h"

#include <math.h>

#include "verdict/growth.h"

/* Not observed for so much of the time: frees are missed. */
#define UNOBSERVED_MUCH 0.1
/* Width of an interval that nothing was left to chance in, but a few blocks of
 * before windows began. */
#define EXACT_SHARE 0.01
/* Of a leak so much must live for certain, by the deaths that windows have
 * seen; of blocks that come and go evenly it is 1/e at most. */
#define SURELY_SHARE 0.5
/* A leak may be that many times the growth of resident memory: of what leaks,
 * not every page has been written. */
#define RESIDENT_LEAST 2

bool unobserved_is_seldom(const struct diagnosis_facts *facts)
{
	return facts->unobserved_share >= UNOBSERVED_MUCH &&
	       facts->windows < VERDICT_WINDOWS_MIN;
}

/* Each of its blocks was seen, as large ones are between windows, too: those
 * that a window has seen stand for others, and nobody knows for certain of how
 * many. */
static bool is_exact(const struct profile_stack *s)
{
	const struct estimate *live = &s->live_bytes;

	return live->high - live->low <= EXACT_SHARE * live->value;
}

/* Of what its blocks are, some depends on windows. */
static bool is_windowed(const struct profile_stack *s,
			const struct diagnosis_facts *facts)
{
	return s->source == STACK_SOURCE_NATIVE &&
	       facts->unobserved_share >= UNOBSERVED_MUCH && !is_exact(s);
}

static void doubt_windows(const struct profile_stack *s,
			  const struct diagnosis_facts *facts,
			  struct verdict *v)
{
	if (!is_windowed(s, facts) || !unobserved_is_seldom(facts))
		return;
	v->kind = VERDICT_UNKNOWN;
	v->doubt = DOUBT_WINDOWS;
	v->settle_seconds = v->settle_sample_bytes = 0;
}

/*
 * Where frees are missed, blocks that live for some minutes look like leaks.
 * But then windows see some of them die, or have not looked at them for long
 * enough; and resident memory does not grow, or not nearly as much.
 */
static void doubt_unseen(const struct profile *p, const struct profile_stack *s,
			 const struct diagnosis_facts *facts, struct verdict *v)
{
	struct series_point points[SERIES_POINTS];
	struct estimate resident;
	size_t count;

	if (v->kind != VERDICT_LEAK || !is_windowed(s, facts))
		return;
	v->surely_live = fmin(s->surely_live_bytes / s->live_bytes.value, 1);
	if (v->surely_live > SURELY_SHARE)
		return;
	count = profile_resident_history(p, points);
	if (!count ||
	    (growth_notable(points, count, v->window_seconds, 0, &resident) &&
	     v->growth.value <= RESIDENT_LEAST * resident.high))
		return;
	v->kind = VERDICT_UNKNOWN;
	v->doubt = DOUBT_UNSEEN;
	/* What windows have looked at grows with the square of the time. */
	v->settle_seconds = 2 * profile_seconds(p);
}

/* What windows stand for is as uncertain as a rate. */
static void widen_rate(const struct profile_stack *s, struct verdict *v)
{
	struct estimate *g = &v->growth;
	double error, low, value = g->value;

	if (!(s->live_bytes.value > 0))
		return;
	error = 1.96 * fmin(s->windows_error_bytes / s->live_bytes.value, 1);
	low = value - hypot(value - g->low, error * value);
	/* That it is above 0 is not in question. */
	g->low = g->low > 0 ? fmax(low, g->low * exp(-error)) : low;
	g->high = value + hypot(g->high - value, error * value);
}

void unobserved_doubt(const struct profile *p, const struct profile_stack *s,
		      const struct diagnosis_facts *facts, struct verdict *v)
{
	doubt_unseen(p, s, facts, v);
	doubt_windows(s, facts, v);
	widen_rate(s, v);
}
