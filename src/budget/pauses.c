// SPDX-License-Identifier: GPL-2.0-only
#include "budget/pauses.h"

#include <math.h>
#include <stdbool.h>

/* Pauses may become longer by that part on average, or where they are short by
 * so much, which nobody notices. What following V8's objects takes of them,
 * about a hundredth, comes on top. */
#define GROWTH_MOST	0.02
#define GROWTH_LEAST_NS 0.1e6
/* What older samples count. */
#define MEMORY_NS   60e9
#define MEMORY_HITS 20e3
/* Fewer tell nothing. */
#define PAUSES_ENOUGH 4
#define HITS_ENOUGH   1000

/* What is left of older sums. */
static double kept(double memory, double fresh)
{
	return memory / (memory + fresh);
}

void pauses_add(struct pauses *sum, const struct pauses *fresh)
{
	double time = kept(MEMORY_NS, fresh->wall_ns);
	double hits = kept(MEMORY_HITS, fresh->hits);

	sum->wall_ns = sum->wall_ns * time + fresh->wall_ns;
	sum->count = sum->count * time + fresh->count;
	sum->ns = sum->ns * time + fresh->ns;
	sum->hits = sum->hits * hits + fresh->hits;
	sum->hits_in = sum->hits_in * hits + fresh->hits_in;
}

static bool is_enough(const struct pauses *sum)
{
	return sum->count >= PAUSES_ENOUGH && sum->hits >= HITS_ENOUGH &&
	       sum->hits_in > 0 && sum->ns > 0 && sum->wall_ns > 0;
}

double pauses_share(const struct pauses *sum)
{
	double growth_ns =
		fmax(GROWTH_MOST * sum->ns, GROWTH_LEAST_NS * sum->count);

	if (!is_enough(sum))
		return INFINITY;
	return growth_ns / sum->wall_ns * sum->hits / sum->hits_in;
}
