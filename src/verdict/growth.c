/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict/growth.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/poisson.h"

/* Increments further apart than that are taken to be independent. */
#define LAGS 3
#define MAX  (SERIES_POINTS - 1)

/* Notable is what is no chance (one in 700), and no trifle: it adds that share
 * to what there is over the window. */
#define NOTABLE_Z     3.0
#define NOTABLE_SHARE 0.01

/* The increments of a series. */
struct steps {
	size_t count;
	double dt[MAX];
	double d[MAX];
	double seconds;
};

/* Variances of the model: per second, and of each point. */
struct noise {
	double walk;
	double point;
};

static void take_steps(const struct series_point *p, size_t count,
		       struct steps *s)
{
	*s = (struct steps){0};
	for (size_t i = 1; i < count && s->count < MAX; i++) {
		double dt = p[i].seconds - p[i - 1].seconds;

		if (!(dt > 0))
			continue;
		s->dt[s->count] = dt;
		s->d[s->count++] = p[i].live - p[i - 1].live;
		s->seconds += dt;
	}
}

/* ---- The rate ---------------------------------------------------------------
 */

/* What one pair of variances makes of the increments. */
struct fit {
	double rate;
	double information; /* 1 / variance of the rate */
	double squares;	    /* of the increments, weighted, about the rate */
	double log_det;	    /* of the covariance matrix */
};

/*
 * Weighs the increments with the inverse of their covariance matrix, which has
 * walk * dt_i + 2 * point in the diagonal and -point beside it: one pass of
 * elimination, as it is tridiagonal.
 */
static void fit_rate(const struct steps *s, const struct noise *v,
		     struct fit *out)
{
	double pivot = 1, t = 0, d = 0, tt = 0, td = 0, dd = 0;
	double product = 1; /* of pivots: one logarithm for many */

	out->log_det = 0;
	for (size_t i = 0; i < s->count; i++) {
		double carry = i ? v->point / pivot : 0;
		double weight;

		t = s->dt[i] + carry * t;
		d = s->d[i] + carry * d;
		pivot = v->walk * s->dt[i] + (2 - carry) * v->point;
		weight = 1 / pivot;
		tt += t * t * weight;
		td += t * d * weight;
		dd += d * d * weight;
		product *= pivot;
		if (product < 1e-100 || product > 1e100) {
			out->log_det += log(product);
			product = 1;
		}
	}
	out->log_det += log(product);
	out->rate = td / tt;
	out->information = tt;
	out->squares = fmax(dd - td * td / tt, 0);
}

/* ---- Variances ------------------------------------------------------------
 */

/* Walk per mean step against noise per point, as powers of ten: what is tried
 * first, and then around the best. */
#define POWER_MAX  4
#define POWER_STEP 0.25

struct best {
	double power;
	double likelihood;
	struct noise noise;
};

static void try_ratio(const struct steps *s, double power, struct best *best)
{
	double freedom = (double)s->count - 1, likelihood, size;
	double step = s->seconds / (double)s->count;
	struct noise v = {.walk = exp10(power) / step, .point = 1};
	struct fit f;

	fit_rate(s, &v, &f);
	size = f.squares / freedom;
	likelihood = -freedom * log(size) - f.log_det - log(f.information);
	if (!(likelihood > best->likelihood))
		return;
	*best = (struct best){
		.power = power,
		.likelihood = likelihood,
		.noise = {.walk = v.walk * size, .point = size},
	};
}

/* The ratio of the variances with the largest restricted likelihood (Patterson
 * and Thompson 1971), and their size from the squares that are left. */
static void fit_noise(const struct steps *s, struct noise *out)
{
	struct best best = {.likelihood = -HUGE_VAL};
	double middle;

	for (int power = -POWER_MAX; power <= POWER_MAX; power++)
		try_ratio(s, power, &best);
	middle = best.power;
	for (int i = -3; i <= 3; i++)
		if (i)
			try_ratio(s, middle + i * POWER_STEP, &best);
	*out = best.noise;
}

/* Neighbours may go together: bursts longer than a step. Their covariances
 * belong to the walk (Newey and West 1987). */
static double walk_of_bursts(const struct steps *s, double rate)
{
	double squares = 0, together = 0;
	double e[MAX];

	for (size_t i = 0; i < s->count; i++) {
		e[i] = s->d[i] - rate * s->dt[i];
		squares += e[i] * e[i];
	}
	for (size_t lag = 1; lag <= LAGS && lag < s->count; lag++)
		for (size_t i = lag; i < s->count; i++)
			together += 2 * (1 - (double)lag / (LAGS + 1)) * e[i] *
				    e[i - lag];
	return together > 0 ? (squares + together) / s->seconds : 0;
}

/* ---- Median
 * ------------------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double growth_median(const struct series_point *p, size_t count)
{
	double slopes[SERIES_POINTS * (SERIES_POINTS - 1) / 2];
	size_t n = 0;

	if (count > SERIES_POINTS)
		return 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = i + 1; k < count; k++)
			if (p[k].seconds > p[i].seconds)
				slopes[n++] = (p[k].live - p[i].live) /
					      (p[k].seconds - p[i].seconds);
	if (!n)
		return 0;
	qsort(slopes, n, sizeof(slopes[0]), ascending);
	return (slopes[(n - 1) / 2] + slopes[n / 2]) / 2;
}

/*
 * Bytes that a sample stands for: R, or more where samples were taken more
 * coarsely before. Then the level's variance exceeds R times the level, and
 * what has come on top tells how much of that still goes on.
 */
static double bytes_per_chance(const struct series_point *first,
			       const struct series_point *last,
			       double sample_bytes)
{
	double added = last->variance - first->variance;
	double grown = last->live - first->live;
	double most = sample_bytes;

	if (first->live > 0)
		most = fmax(most, first->variance / first->live);
	if (last->live > 0)
		most = fmax(most, last->variance / last->live);
	if (!(grown > 0) || !(added > 0))
		return most;
	return fmin(fmax(added / grown, sample_bytes), most);
}

/*
 * No interval is narrower than sampling alone makes it, however regular the
 * points look: what has come on top rests on so many samples. Few of them, or
 * none, say little.
 */
static void widen_to_sampling(const struct series_point *first,
			      const struct series_point *last,
			      double sample_bytes, struct growth *g)
{
	double added = last->variance - first->variance;
	double each = bytes_per_chance(first, last, sample_bytes);
	double scale = each / g->seconds, n = fabs(added) / (each * each);
	double low, high;

	poisson_limits(n, &low, &high);
	if (added < 0) {
		g->low = fmin(g->low, g->rate - scale * (high - n));
		g->high = fmax(g->high, g->rate + scale * (n - low));
	} else {
		g->low = fmin(g->low, g->rate - scale * (n - low));
		g->high = fmax(g->high, g->rate + scale * (high - n));
	}
	g->error = fmax(g->error, scale * sqrt(n));
	g->steady_error = fmax(g->steady_error, scale * sqrt(n));
	g->z = fmin(g->z, g->rate / scale / sqrt(n + 1));
}

/* Every step is exactly as expected: there is no noise to be fitted. */
static bool is_straight(const struct steps *s, double rate)
{
	for (size_t i = 0; i < s->count; i++)
		if (fabs(s->d[i] - rate * s->dt[i]) >
		    1e-6 * fabs(rate * s->seconds))
			return false;
	return true;
}

void growth_estimate(const struct series_point *points, size_t count,
		     double sample_bytes, struct growth *out)
{
	struct steps s;
	const struct series_point *last;
	struct noise noise;
	struct fit fit;
	double freedom;

	memset(out, 0, sizeof(*out));
	if (count > SERIES_POINTS) {
		points += count - SERIES_POINTS;
		count = SERIES_POINTS;
	}
	last = &points[count - 1];
	take_steps(points, count, &s);
	if (s.count + 1 < GROWTH_POINTS_MIN)
		return;
	out->seconds = s.seconds;
	out->rate = (last->live - points[0].live) / s.seconds;
	if (!is_straight(&s, out->rate)) {
		double added = last->variance - points[0].variance;

		fit_noise(&s, &noise);
		/* What sampling adds is known. */
		noise.walk = fmax(noise.walk, added / s.seconds);
		fit_rate(&s, &noise, &fit);
		out->steady_error = 1 / sqrt(fit.information);
		noise.walk = fmax(noise.walk, walk_of_bursts(&s, out->rate));
		fit_rate(&s, &noise, &fit);
		out->rate = fit.rate;
		out->error = 1 / sqrt(fit.information);
	}
	freedom = (double)s.count - 1;
	out->low = out->rate - student_975(freedom) * out->error;
	out->high = out->rate + student_975(freedom) * out->error;
	out->z = out->error > 0
			 ? student_to_normal(out->rate / out->error, freedom)
			 : (out->rate > 0 ? HUGE_VAL : 0);
	if (sample_bytes > 0)
		widen_to_sampling(&points[0], last, sample_bytes, out);
}

bool growth_notable(const struct series_point *points, size_t count,
		    double seconds, double sample_bytes, struct estimate *out)
{
	size_t first = 0;
	struct growth g;
	double added;

	*out = (struct estimate){0};
	if (!count)
		return false;
	while (first + 1 < count &&
	       points[first + 1].seconds <= points[count - 1].seconds - seconds)
		first++;
	growth_estimate(points + first, count - first, sample_bytes, &g);
	*out = (struct estimate){60 * g.rate, 60 * g.low, 60 * g.high};
	added = g.rate * g.seconds;
	return g.z > NOTABLE_Z &&
	       added > NOTABLE_SHARE * points[count - 1].live;
}
