/* SPDX-License-Identifier: GPL-2.0-only */
#include "profile/estimate.h"

#include <math.h>

#include "base/poisson.h"

static struct estimate exactly(double value)
{
	return (struct estimate){value, value, value};
}

static double windows_bytes_variance(const struct estimate_sums *s)
{
	return s->windows_variance + s->windows_error * s->windows_error;
}

struct estimate estimate_bytes(const struct estimate_sums *s, uint64_t interval)
{
	double value = s->bytes > 0 ? s->bytes : 0;
	double variance = s->bytes_variance + windows_bytes_variance(s);
	double low, high, n, scale;

	/* Every sample was taken with certainty. */
	if (!(variance > 0) || !(value > 0))
		return exactly(value);
	scale = fmax((double)interval, variance / value);
	n = variance / (scale * scale);
	poisson_limits(n, &low, &high);
	low = value - scale * (n - low);
	high = value + scale * (high - n);
	return (struct estimate){value, low > 0 ? low : 0, high};
}

/* As uncertain as the bytes. */
static double windows_objects_variance(const struct estimate_sums *s)
{
	double each = s->bytes > 0 ? s->objects / s->bytes : 0;

	return windows_bytes_variance(s) * each * each;
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
	variance = s->objects_variance + s->samples / 32 +
		   windows_objects_variance(s);
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
