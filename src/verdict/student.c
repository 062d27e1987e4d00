/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>

#include "verdict/growth.h"

#define Z975 1.959963984540054

double student_975(double freedom)
{
	double z = Z975, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;
	double n = freedom;

	if (n < 1.5)
		return 12.706;
	if (n < 2.5)
		return 4.303;
	/* Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5). */
	return z + (z3 + z) / (4 * n) +
	       (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
	       (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n);
}

double student_to_normal(double t, double freedom)
{
	double n = freedom;
	double z = (8 * n + 1) / (8 * n + 3) * sqrt(n * log1p(t * t / n));

	return t < 0 ? -z : z;
}

double normal_tail(double z)
{
	return erfc(z / sqrt(2)) / 2;
}
