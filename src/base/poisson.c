// SPDX-License-Identifier: GPL-2.0-only
#include "base/poisson.h"

#include <math.h>

#define LIMITS_TABLE 21
#define Z95	     1.959963984540054

/*
 * Garwood (1936): the mean for which seeing n or more (low), n or fewer (high)
 * has probability 2.5 %; half the chi-squared quantiles with 2n and 2n + 2
 * degrees of freedom.
 */
static const double garwood[LIMITS_TABLE][2] = {
	{0.0000, 3.6889},   {0.0253, 5.5716},	{0.2422, 7.2247},
	{0.6187, 8.7673},   {1.0899, 10.2416},	{1.6235, 11.6683},
	{2.2019, 13.0595},  {2.8144, 14.4227},	{3.4538, 15.7632},
	{4.1154, 17.0848},  {4.7954, 18.3904},	{5.4912, 19.6820},
	{6.2006, 20.9616},  {6.9220, 22.2304},	{7.6539, 23.4896},
	{8.3954, 24.7402},  {9.1454, 25.9830},	{9.9031, 27.2186},
	{10.6679, 28.4478}, {11.4392, 29.6709}, {12.2165, 30.8884},
};

/* Byar's approximation of the same limits; good to a thousandth from 20 on. */
static void byar_limits(double n, double *low, double *high)
{
	double m = n + 1;
	double l = 1 - 1 / (9 * n) - Z95 / (3 * sqrt(n));
	double h = 1 - 1 / (9 * m) + Z95 / (3 * sqrt(m));

	*low = n * l * l * l;
	*high = m * h * h * h;
}

void poisson_limits(double n, double *low, double *high)
{
	unsigned i;
	double part;

	if (!(n > 0))
		n = 0;
	if (n >= LIMITS_TABLE - 1) {
		byar_limits(n, low, high);
		return;
	}
	i = (unsigned)n;
	part = n - i;
	*low = garwood[i][0] + part * (garwood[i + 1][0] - garwood[i][0]);
	*high = garwood[i][1] + part * (garwood[i + 1][1] - garwood[i][1]);
}
