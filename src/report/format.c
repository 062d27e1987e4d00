/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/format.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A larger side of up to this times the smaller one still counts as symmetric:
 * that is from about 12 samples on. */
#define SYMMETRIC 1.6

struct formatted format_bytes(double bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	struct formatted f;
	size_t unit = 0;

	if (!isfinite(bytes)) {
		strcpy(f.text, "?");
		return f;
	}
	if (fabs(bytes) < 1023.5) {
		snprintf(f.text, sizeof(f.text), "%.0f B", bytes + 0.0);
		return f;
	}
	bytes /= 1024;
	/* What would be printed as 1024.0 belongs to the next unit. */
	while (fabs(bytes) >= 1023.95 && unit < 4) {
		bytes /= 1024;
		unit++;
	}
	snprintf(f.text, sizeof(f.text), "%.1f %s", bytes, units[unit]);
	return f;
}

struct formatted format_rate(double bytes_per_minute)
{
	struct formatted f, size = format_bytes(fabs(bytes_per_minute));
	bool zero = fabs(bytes_per_minute) < 0.5;

	snprintf(f.text, sizeof(f.text), "%s%.48s/min",
		 zero			? ""
		 : bytes_per_minute < 0 ? "-"
					: "+",
		 size.text);
	return f;
}

struct formatted format_count(double n)
{
	char digits[64];
	struct formatted f;
	size_t length, at = 0;

	if (!isfinite(n) || fabs(n) >= 1e18) {
		strcpy(f.text, "?");
		return f;
	}
	snprintf(digits, sizeof(digits), "%.0f", fabs(n));
	length = strlen(digits);
	if (n <= -0.5)
		f.text[at++] = '-';
	for (size_t i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			f.text[at++] = ',';
		f.text[at++] = digits[i];
	}
	f.text[at] = 0;
	return f;
}

static struct formatted two_units(double seconds, unsigned large,
				  const char *large_name, unsigned small,
				  const char *small_name)
{
	unsigned long long whole = (unsigned long long)(seconds / small + 0.5);
	unsigned long long ratio = large / small;
	struct formatted f;

	if (whole % ratio)
		snprintf(f.text, sizeof(f.text), "%llu %s %llu %s",
			 whole / ratio, large_name, whole % ratio, small_name);
	else
		snprintf(f.text, sizeof(f.text), "%llu %s", whole / ratio,
			 large_name);
	return f;
}

struct formatted format_duration(double seconds)
{
	struct formatted f;

	if (!isfinite(seconds) || seconds < 0 || seconds > 1e12)
		strcpy(f.text, "?");
	else if (seconds < 9.95)
		snprintf(f.text, sizeof(f.text), "%.1f s", seconds);
	else if (seconds < 59.5)
		snprintf(f.text, sizeof(f.text), "%.0f s", seconds);
	else if (seconds < 3599.5)
		f = two_units(seconds, 60, "min", 1, "s");
	else if (seconds < 86370)
		f = two_units(seconds, 3600, "h", 60, "min");
	else
		f = two_units(seconds, 86400, "d", 3600, "h");
	return f;
}

struct formatted format_percent(double share)
{
	double percent = 100 * share;
	struct formatted f;

	if (!isfinite(percent))
		strcpy(f.text, "?");
	else if (percent != 0 && fabs(percent) < 0.05)
		strcpy(f.text, "<0.1 %");
	else
		snprintf(f.text, sizeof(f.text), "%.*f %%",
			 fabs(percent) < 9.95 ? 1 : 0, percent);
	return f;
}

struct formatted format_margin(const struct estimate *e,
			       struct formatted (*format)(double))
{
	double below = e->value - e->low, above = e->high - e->value;
	double larger = below > above ? below : above;
	double smaller = below > above ? above : below;
	struct formatted f;

	if (!(e->value > 0) || !(larger > 0)) {
		f.text[0] = 0;
	} else if (larger <= SYMMETRIC * smaller || larger < 0.01 * e->value) {
		double percent = ceil(100 * larger / e->value);

		snprintf(f.text, sizeof(f.text), " (±%.0f %%)", percent);
	} else {
		snprintf(f.text, sizeof(f.text), " (%.26s to %.26s)",
			 format(e->low).text, format(e->high).text);
	}
	return f;
}
