/* SPDX-License-Identifier: GPL-2.0-only */
#include "budget/progress.h"

#include <math.h>

/* A program that is nearly all probes still moves: of its CPU time. */
#define PROGRESS_LEAST 0.02
/* So that an idle one does, too: of the time. */
#define IDLE_PROGRESS 1e-3
/* ... and between two frees so many ns: an allocator takes half of that. */
#define OWN_LEAST_NS 40.0
/* It has time to spare in frees parts where it takes at most so much of the CPU
 * time that it can take in births parts. */
#define SPARE_SHARE 0.7
/* To compare two times, each must have seen that much. */
#define FREES_LEAST  2000
#define CPU_LEAST_NS 4e6
#define FACTOR_LEAST 0.7
#define FACTOR_MOST  4.0
/* What a hit is charged as long as nothing is known: where caches are spoilt it
 * is that much. */
#define FACTOR_UNKNOWN 1.2
/* What a hit usually costs, which counts like so many frees: one comparison of
 * some milliseconds on a busy machine says little. */
#define FACTOR_USUAL 1.0
#define USUAL_FREES  2000
/* What older times count when new ones are added: from one window to the next
 * what hits cost goes up and down by a tenth on a virtual machine. */
#define FACTOR_MEMORY 0.9
/* What hits cost may be off by that share of it: always, as calibration knows
 * the ratio of its parts no better, and in a single window. */
#define COST_ERROR	  0.03
#define COST_ERROR_WINDOW 0.1
/* Nothing is known of what is not known to that share. */
#define ERROR_MOST 0.7

void progress_add(struct progress_sample *sum,
		  const struct progress_sample *more)
{
	sum->cpu_ns += more->cpu_ns;
	sum->wall_ns += more->wall_ns;
	sum->alloc_ns += more->alloc_ns;
	sum->return_ns += more->return_ns;
	sum->free_ns += more->free_ns;
	sum->sample_ns += more->sample_ns;
	sum->other_ns += more->other_ns;
	sum->frees += more->frees;
}

double progress_overhead_ns(const struct progress_sample *s, double factor)
{
	return factor * (s->alloc_ns + s->free_ns + s->other_ns) + s->sample_ns;
}

double progress_ns(const struct progress_sample *s, double factor)
{
	double own = s->cpu_ns - progress_overhead_ns(s, factor);

	return fmax(own, PROGRESS_LEAST * s->cpu_ns) +
	       IDLE_PROGRESS * s->wall_ns;
}

static void fade(struct progress_sample *s)
{
	s->cpu_ns *= FACTOR_MEMORY;
	s->wall_ns *= FACTOR_MEMORY;
	s->alloc_ns *= FACTOR_MEMORY;
	s->return_ns *= FACTOR_MEMORY;
	s->free_ns *= FACTOR_MEMORY;
	s->sample_ns *= FACTOR_MEMORY;
	s->other_ns *= FACTOR_MEMORY;
	s->frees *= FACTOR_MEMORY;
}

void progress_compare(struct progress_comparison *c,
		      const struct progress_sample *both,
		      const struct progress_sample *frees)
{
	fade(&c->both);
	fade(&c->frees);
	c->windows = c->windows * FACTOR_MEMORY + 1;
	progress_add(&c->both, both);
	progress_add(&c->frees, frees);
}

static bool is_enough(const struct progress_sample *s)
{
	return s->frees >= FREES_LEAST && s->cpu_ns >= CPU_LEAST_NS;
}

double progress_factor(const struct progress_comparison *c)
{
	const struct progress_sample *both = &c->both, *frees = &c->frees;
	double per_free, alloc_per_free, found, weight;

	if (!is_enough(both) || !is_enough(frees))
		return FACTOR_UNKNOWN;
	per_free = (both->cpu_ns - both->sample_ns) / both->frees -
		   (frees->cpu_ns - frees->sample_ns) / frees->frees;
	alloc_per_free =
		both->alloc_ns / both->frees - frees->alloc_ns / frees->frees;
	if (!(alloc_per_free > 0))
		return FACTOR_UNKNOWN;
	found = fmin(fmax(per_free / alloc_per_free, FACTOR_LEAST),
		     FACTOR_MOST);
	weight = both->frees / (both->frees + USUAL_FREES);
	return weight * found + (1 - weight) * FACTOR_USUAL;
}

/* What is far below what probes cost is not found by taking these off. */
static double own_per_free(const struct progress_sample *s, double factor)
{
	double own = (s->cpu_ns - progress_overhead_ns(s, factor)) / s->frees;

	if (own < 0)
		return OWN_LEAST_NS;
	return (own + sqrt(own * own + 4 * OWN_LEAST_NS * OWN_LEAST_NS)) / 2;
}

static struct progress_sample all_of(const struct progress_comparison *c)
{
	struct progress_sample all = c->both;

	progress_add(&all, &c->frees);
	return all;
}

double progress_seen(const struct progress_comparison *c,
		     const struct progress_sample *births)
{
	double factor = progress_factor(c);
	struct progress_sample all = all_of(c);

	if (!is_enough(&all))
		return progress_ns(births, factor);
	return own_per_free(&all, factor) * births->frees +
	       IDLE_PROGRESS * births->wall_ns;
}

double progress_error(const struct progress_comparison *c)
{
	double factor = progress_factor(c), cost, error;
	struct progress_sample all = all_of(c);

	if (!is_enough(&all))
		return ERROR_MOST;
	cost = progress_overhead_ns(&all, factor) / all.frees;
	error = cost * hypot(COST_ERROR, COST_ERROR_WINDOW / sqrt(c->windows));
	return fmin(error / own_per_free(&all, factor), ERROR_MOST);
}

static bool is_known(const struct progress_comparison *c)
{
	return is_enough(&c->both) && is_enough(&c->frees);
}

double progress_pace(const struct progress_comparison *c)
{
	const struct progress_sample *both = &c->both, *frees = &c->frees;

	if (!is_known(c))
		return 1;
	return fmin(both->frees / both->wall_ns /
			    (frees->frees / frees->wall_ns),
		    1);
}

bool progress_has_spare(const struct progress_comparison *c)
{
	const struct progress_sample *both = &c->both, *frees = &c->frees;

	return !is_known(c) ||
	       frees->cpu_ns / frees->wall_ns <
		       SPARE_SHARE * both->cpu_ns / both->wall_ns;
}
