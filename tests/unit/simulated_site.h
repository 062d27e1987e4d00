/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call paths with known truth: blocks are born and die at random, are sampled
 * as the kernel does it, and looked at as the profile does it. All times in
 * seconds since attach, all sizes in bytes.
 */
#ifndef SIMULATED_SITE_H
#define SIMULATED_SITE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profile/series.h"
#include "verdict/verdict.h"

/* ---- Chance -----------------------------------------------------------------
 */

struct chance {
	uint64_t state;
};

/* splitmix64, (0, 1) */
static inline double uniform(struct chance *c)
{
	uint64_t z = c->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	z ^= z >> 31;
	return ((double)(z >> 11) + 0.5) / 9007199254740992.0;
}

static inline double exponential(struct chance *c, double mean)
{
	return -mean * log(uniform(c));
}

/* ---- A call path
 * -------------------------------------------------------------- */

struct site;
/* When a block that is born then dies; INFINITY: never. */
typedef double (*death_fn)(const struct site *s, struct chance *c, double born);
/* How many blocks are born per second then; at most `peak`. */
typedef double (*births_fn)(const struct site *s, double seconds);

struct site {
	double size;	  /* of each block */
	double peak;	  /* births per second */
	births_fn births; /* NULL: `peak` at any time */
	death_fn death;
	double sample_bytes; /* 0: every block */
	/* Sampled more coarsely until then: one per `coarse_bytes`. */
	double coarse_until, coarse_bytes;
	double seconds; /* watched */
	/* For the functions. */
	double lifetime, leaked_share, period, start;
};

/* How it looks to the profile. */
struct watched {
	struct series_point points[SERIES_POINTS];
	struct series_cohort cohorts[COHORTS];
	struct verdict_input input;
};

#define SNAPSHOTS_MAX 1024

/* When snapshots are taken; returns how many. */
static inline size_t snapshot_times(double seconds, double *times)
{
	size_t n = 0;

	for (double t = 1; t < seconds && n + 1 < SNAPSHOTS_MAX;
	     t += fmax(1, t / 50))
		times[n++] = t;
	times[n++] = seconds;
	return n;
}

/* The cohorts of cohorts.h, roughly: ages in geometric progression. */
static inline size_t cohort_borders(double seconds, struct series_cohort *out)
{
	size_t n = 0;
	double from = 0;

	while (n + 1 < COHORTS && seconds - from > 4) {
		double to = from + fmax(2, (seconds - from) / 2.2);

		out[n++] = (struct series_cohort){.from = from, .to = to};
		from = to;
	}
	out[n++] = (struct series_cohort){.from = from, .to = seconds};
	return n;
}

struct ledger {
	double times[SNAPSHOTS_MAX];
	size_t snapshots;
	/* What happened up to each snapshot since the one before. */
	double born[SNAPSHOTS_MAX], died[SNAPSHOTS_MAX];
	double variance_born[SNAPSHOTS_MAX], variance_died[SNAPSHOTS_MAX];
};

/* How a block is sampled: with probability p, for so much. */
struct draw {
	double p, weight, variance;
};

static inline struct draw draw_at(double size, double sample_bytes)
{
	double p = sample_bytes > 0 ? 1 - exp(-size / sample_bytes) : 1;
	double weight = size / p;

	return (struct draw){p, weight, (1 - p) * weight * weight};
}

static inline size_t snapshot_after(const struct ledger *l, double seconds)
{
	size_t low = 0, high = l->snapshots;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (l->times[middle] < seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static inline void ledger_block(struct ledger *l, struct watched *w,
				const struct site *s, double born, double died,
				const struct draw *d)
{
	size_t at = snapshot_after(l, born);

	l->born[at] += d->weight;
	l->variance_born[at] += d->variance;
	if (died < s->seconds) {
		at = snapshot_after(l, died);
		l->died[at] += d->weight;
		l->variance_died[at] += d->variance;
		return;
	}
	w->input.samples++;
	for (size_t i = 0; i < w->input.cohort_count; i++)
		if (born < w->cohorts[i].to || i + 1 == w->input.cohort_count) {
			w->cohorts[i].live += d->weight;
			break;
		}
}

/* The series the profile would have kept. */
static inline size_t ledger_series(const struct ledger *l,
				   struct series_point *out)
{
	struct series_times times = {0};
	struct series series = {0};
	struct series_point now = {0}, before = {0};

	for (size_t i = 0; i < l->snapshots; i++) {
		size_t crowded = series_crowded(&times, l->times[i]);

		now.allocated += l->born[i];
		now.freed += l->died[i];
		now.live = now.allocated - now.freed;
		now.variance += l->variance_born[i] - l->variance_died[i];
		series_add(&series, times.count, crowded, &now, &before);
		series_times_add(&times, crowded, l->times[i]);
		before = now;
	}
	series_read(&series, &times, out);
	return times.count;
}

static inline void watch_site(const struct site *s, uint64_t seed,
			      struct watched *w)
{
	static struct ledger l;
	struct chance c = {seed * 0x2545f4914f6cdd1dULL};
	struct draw fine = draw_at(s->size, s->sample_bytes);
	struct draw coarse = draw_at(s->size, s->coarse_bytes);
	double p = fine.p, bytes = 0, samples = 0;

	memset(&l, 0, sizeof(l));
	memset(w, 0, sizeof(*w));
	l.snapshots = snapshot_times(s->seconds, l.times);
	w->input.cohort_count = cohort_borders(s->seconds, w->cohorts);
	for (double t = exponential(&c, 1 / (s->peak * p)); t < s->seconds;
	     t += exponential(&c, 1 / (s->peak * p))) {
		if (s->births && uniform(&c) * s->peak > s->births(s, t))
			continue;
		bool early = t < s->coarse_until;

		if (early && uniform(&c) * fine.p > coarse.p)
			continue;
		ledger_block(&l, w, s, t, s->death(s, &c, t),
			     early ? &coarse : &fine);
		bytes += early ? coarse.weight : fine.weight;
		samples++;
	}
	w->input.count = ledger_series(&l, w->points);
	w->input.points = w->points;
	w->input.cohorts = w->cohorts;
	w->input.sample_bytes = s->sample_bytes;
	w->input.bytes_per_sample = samples > 0 ? bytes / samples : fine.weight;
	w->input.tested = 1;
}

/* ---- Ways to live and to die
 * ---------------------------------------------------- */

static inline double never(const struct site *s, struct chance *c, double born)
{
	return INFINITY;
}

/* A share leaks, the others live for an exponential time. */
static inline double some_leak(const struct site *s, struct chance *c,
			       double born)
{
	if (uniform(c) < s->leaked_share)
		return INFINITY;
	return born + exponential(c, s->lifetime);
}

/* A share lives longer, for an exponential time with mean `period`. */
static inline double some_stay(const struct site *s, struct chance *c,
			       double born)
{
	double mean = uniform(c) < s->leaked_share ? s->period : s->lifetime;

	return born + exponential(c, mean);
}

/* Lifetimes of all orders, from `lifetime` to `period`: popular keys of a cache
 * are replaced soon, others late. */
static inline double of_all_ages(const struct site *s, struct chance *c,
				 double born)
{
	return born + s->lifetime * pow(s->period / s->lifetime, uniform(c));
}

/* First in, first out: evicted after `lifetime`. */
static inline double evicted(const struct site *s, struct chance *c,
			     double born)
{
	return born + s->lifetime;
}

/* Random replacement: full after `lifetime`, and from then on any block is as
 * likely to go as another. */
static inline double replaced(const struct site *s, struct chance *c,
			      double born)
{
	return fmax(born, s->lifetime) + exponential(c, s->lifetime);
}

/* All go at the end of a period. */
static inline double flushed(const struct site *s, struct chance *c,
			     double born)
{
	return (floor(born / s->period) + 1) * s->period;
}

/* Only at the start. */
static inline double at_start(const struct site *s, double seconds)
{
	return seconds < s->start ? s->peak : 0;
}

/* Of a fixed set of keys each is stored when it first comes up. */
static inline double first_use(const struct site *s, double seconds)
{
	return s->peak * exp(-seconds / s->start);
}

/* The load doubles at `start`. */
static inline double doubles(const struct site *s, double seconds)
{
	return seconds < s->start ? s->peak / 2 : s->peak;
}

/* Bursts: 5 s in 20 everything, else nothing. */
static inline double in_bursts(const struct site *s, double seconds)
{
	return fmod(seconds, 20) < 5 ? s->peak : 0;
}

/* Nothing before `start`. */
static inline double late(const struct site *s, double seconds)
{
	return seconds < s->start ? 0 : s->peak;
}

#endif
