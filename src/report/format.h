/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers for people. Each returns a short text by value, so that it can be
 * used as an argument: printf("%s", format_bytes(n).text). */
#ifndef REPORT_FORMAT_H
#define REPORT_FORMAT_H

#include "profile/profile.h"

struct formatted {
	char text[64];
};

/* "512 B", "12.3 KiB", "1.0 MiB" */
struct formatted format_bytes(double bytes);
/* "+1.2 MiB/min", "-3.0 KiB/min", "0 B/min" */
struct formatted format_rate(double bytes_per_minute);
/* "9,812" */
struct formatted format_count(double n);
/* "4.2 s", "35 s", "2 min 5 s", "3 h 12 min", "2 d 4 h" */
struct formatted format_duration(double seconds);
/* "0.8 %", "12 %" */
struct formatted format_percent(double share);
/* What the interval adds to a value: "" when there is none, " (+-8 %)" with a
 * real sign when it is about symmetric, else " (9.1 MiB to 17.0 MiB)". */
struct formatted format_margin(const struct estimate *e,
			       struct formatted (*format)(double));

#endif
