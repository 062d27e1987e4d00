/* SPDX-License-Identifier: GPL-2.0-only */
#include "profile/estimate.h"

#include <math.h>

#include "base/poisson.h"

static struct estimate exactly(double value)
{
	return (struct estimate){value, value, value};
}

struct estimate estimate_bytes(const struct estimate_sums *s, uint64_t interval)
{
	double value = s->bytes > 0 ? s->bytes : 0;
	double low, high, n, scale;

	/* Every sample was taken with certainty. */
	if (!(s->bytes_variance > 0) || !(value > 0))
		return exactly(value);
	scale = fmax((double)interval, s->bytes_variance / value);
	n = s->bytes_variance / (scale * scale);
	poisson_limits(n, &low, &high);
	low = value - scale * (n - low);
	high = value + scale * (high - n);
	return (struct estimate){value, low > 0 ? low : 0, high};
}

struct estimate estimate_objects(const struct estimate_sums *s)
{
	double value = s->objects > 0 ? s->objects : 0;
	double low, high, n, scale, variance;

	if (value == 0 ||
	    (!(s->objects_variance > 0) && fabs(value - s->samples) < 1e-9))
		return exactly(value);
	/* The kernel cuts each sample's variance to 1/16 and rounds its weight
	 * to 1/256 (leakbpf/sampling.h). */
	variance = s->objects_variance + s->samples / 32;
	n = value * value / variance;
	scale = variance / value;
	poisson_limits(n, &low, &high);
	low = low * scale - s->samples / 512;
	high = high * scale + s->samples / 512;
	/* Blocks are missed whole: one, once the odds exceed a fortieth. */
	if (value - s->samples > 0.025 && high < value + 1)
		high = value + 1;
	/* The sampled blocks themselves do exist. */
	if (low < s->samples)
		low = s->samples < value ? s->samples : value;
	return (struct estimate){value, low, high};
}
