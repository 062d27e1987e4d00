// SPDX-License-Identifier: GPL-2.0-only
#include "budget/life_table.h"

#include <math.h>
#include <stdbool.h>

#include "base/poisson.h"

#define FIRST_SECONDS ((double)(1ULL << LIFE_FIRST_SHIFT) / 1e9)
/* What older windows count when a new one is added. */
#define MEMORY 0.98
/* No program's lifetimes are known to be shorter; keeps quotients finite. */
#define HAZARD_LEAST 1e-9
/* All die at once. Finite, as no time at all is survived. */
#define HAZARD_MOST 1e9

/* Where a class begins; the last ends nowhere. */
static double begin_of(unsigned class)
{
	return class ? FIRST_SECONDS * (double)(1u << (class - 1)) : 0;
}

static double end_of(unsigned class)
{
	return class < LIFE_CLASSES - 1 ? begin_of(class + 1) : INFINITY;
}

static bool is_known(const struct life_table *t, unsigned class)
{
	return t->exposure[class] > 0;
}

static double measured(const struct life_table *t, unsigned class)
{
	return t->deaths[class] / t->exposure[class];
}

/* Deaths per second. Between ages that windows have seen, the geometric mean:
 * hazards fall with age by orders of magnitude. */
static double hazard(const struct life_table *t, unsigned class)
{
	unsigned below = class, above = class;

	while (below && !is_known(t, below))
		below--;
	while (above < LIFE_CLASSES - 1 && !is_known(t, above))
		above++;
	if (is_known(t, below) && is_known(t, above))
		return sqrt(measured(t, below) * measured(t, above));
	if (is_known(t, below))
		return measured(t, below);
	return is_known(t, above) ? measured(t, above) : 0;
}

/* Who was alive at `from` is at `to`. */
static double survival(const struct life_table *t, double from, double to,
		       double unseen)
{
	double sum = 0;

	for (unsigned i = 0; i < LIFE_CLASSES; i++) {
		double low = fmax(from, begin_of(i));
		double high = fmin(to, end_of(i));

		if (high > low)
			sum += hazard(t, i) * (high - low);
	}
	return exp(-unseen * sum);
}

void life_table_add(struct life_table *t, const double deaths[LIFE_CLASSES],
		    const double at_risk[LIFE_CLASSES], double seconds)
{
	for (unsigned i = 0; i < LIFE_CLASSES; i++) {
		double risk = at_risk[i] + deaths[i] / 2;

		t->deaths[i] = t->deaths[i] * MEMORY + deaths[i];
		t->exposure[i] = t->exposure[i] * MEMORY + risk * seconds;
	}
}

/* The integral of survival over ages from `low` to `high` of a class, when at
 * `low` it is 1. */
static double lived(double hazard, double low, double high)
{
	double seconds = high - low;

	return hazard * seconds < HAZARD_LEAST
		       ? seconds
		       : -expm1(-hazard * seconds) / hazard;
}

double life_table_share(const struct life_table *t, double seen, double age,
			double spread, double unseen)
{
	double from = fmax(age, seen), to = from + spread, sum = 0;
	double at_from = survival(t, seen, from, unseen), alive = at_from;

	if (!(spread > 0))
		return at_from;
	for (unsigned i = 0; i < LIFE_CLASSES; i++) {
		double low = fmax(from, begin_of(i));
		double high = fmin(to, end_of(i));
		double dying = unseen * hazard(t, i);

		if (!(high > low))
			continue;
		sum += alive * lived(dying, low, high);
		alive *= exp(-dying * (high - low));
	}
	return sum / spread;
}

double life_table_hazard_most(const struct life_table *t, double sample_bytes)
{
	double deaths = 0, exposure = 0, low, high;

	for (unsigned i = 0; i < LIFE_CLASSES; i++) {
		deaths += t->deaths[i];
		exposure += t->exposure[i];
	}
	if (!(sample_bytes > 0) || !(exposure > 0))
		return HAZARD_MOST;
	poisson_limits(deaths / sample_bytes, &low, &high);
	return fmin(high * sample_bytes / exposure, HAZARD_MOST);
}
