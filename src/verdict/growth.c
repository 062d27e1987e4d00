/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict/growth.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profile/estimate.h"

/* Increments further apart than that are taken to be independent. */
#define LAGS 3
#define MAX  (SERIES_POINTS - 1)

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

/* ---- Variances ------------------------------------------------------------
 */

/*
 * Moments: neighbours have the covariance -point, the squares add up to walk *
 * seconds + 2 * point * count. Where neighbours go together instead (bursts
 * longer than a step), their covariances belong to the walk (Newey and West
 * 1987).
 */
static void fit_noise(const struct steps *s, double mean, struct noise *out)
{
	double squares = 0, neighbours = 0, together = 0, n = (double)s->count;
	double e[MAX];

	for (size_t i = 0; i < s->count; i++) {
		e[i] = s->d[i] - mean * s->dt[i];
		squares += e[i] * e[i];
	}
	for (size_t lag = 1; lag <= LAGS && lag < s->count; lag++) {
		double sum = 0;

		for (size_t i = lag; i < s->count; i++)
			sum += e[i] * e[i - lag];
		if (lag == 1)
			neighbours = sum;
		together += 2 * (1 - (double)lag / (LAGS + 1)) * sum;
	}
	/* One degree of freedom went into the mean. */
	squares *= n / (n - 1);
	out->point = neighbours < 0 ? -neighbours / (n - 1) : 0;
	out->walk = fmax(squares - 2 * n * out->point, squares + together);
	out->walk = fmax(out->walk, 0) / s->seconds;
}

/* ---- The rate ---------------------------------------------------------------
 */

/*
 * Solves M x = dt for the covariance matrix M of the increments, which has
 * walk * dt_i + 2 * point in the diagonal and -point beside it. Gives sums
 * dt' x and d' x: the rate is their ratio, its variance 1 / (dt' x).
 */
static void weigh(const struct steps *s, const struct noise *v,
		  double *information, double *weighted)
{
	double diagonal[MAX], right[MAX], x;

	for (size_t i = 0; i < s->count; i++) {
		diagonal[i] = v->walk * s->dt[i] + 2 * v->point;
		right[i] = s->dt[i];
		if (!i)
			continue;
		diagonal[i] -= v->point * v->point / diagonal[i - 1];
		right[i] += v->point / diagonal[i - 1] * right[i - 1];
	}
	*information = *weighted = x = 0;
	for (size_t i = s->count; i-- > 0;) {
		x = (right[i] + v->point * x) / diagonal[i];
		*information += s->dt[i] * x;
		*weighted += s->d[i] * x;
	}
}

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
 * No interval is narrower than sampling alone makes it, however regular the
 * points look: what has come on top rests on so many samples. Few of them, or
 * none, say little.
 */
static void widen_to_sampling(const struct series_point *first,
			      const struct series_point *last,
			      double sample_bytes, struct growth *g)
{
	double added = last->variance - first->variance;
	double scale = sample_bytes / g->seconds;
	double n = fabs(added) / (sample_bytes * sample_bytes);
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
	g->z = fmin(g->z, g->rate / scale / sqrt(n + 1));
}

void growth_estimate(const struct series_point *points, size_t count,
		     double sample_bytes, struct growth *out)
{
	struct steps s;
	struct noise noise;
	double information, weighted, freedom;

	memset(out, 0, sizeof(*out));
	if (count > SERIES_POINTS) {
		points += count - SERIES_POINTS;
		count = SERIES_POINTS;
	}
	take_steps(points, count, &s);
	if (s.count + 1 < GROWTH_POINTS_MIN)
		return;
	out->seconds = s.seconds;
	out->rate = (points[count - 1].live - points[0].live) / s.seconds;
	fit_noise(&s, out->rate, &noise);
	if (noise.walk > 0 || noise.point > 0) {
		weigh(&s, &noise, &information, &weighted);
		out->rate = weighted / information;
		out->error = 1 / sqrt(information);
	}
	freedom = (double)s.count - 1;
	out->low = out->rate - student_975(freedom) * out->error;
	out->high = out->rate + student_975(freedom) * out->error;
	out->z = out->error > 0
			 ? student_to_normal(out->rate / out->error, freedom)
			 : (out->rate > 0 ? HUGE_VAL : 0);
	if (sample_bytes > 0)
		widen_to_sampling(&points[0], &points[count - 1], sample_bytes,
				  out);
}
