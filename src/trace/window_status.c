// SPDX-License-Identifier: GPL-2.0-only
/* What others want to know of windows. */
#include "trace/tracer_internal.h"
#include "trace/window_accounts.h"

int windows_wait_ms(const struct tracer *t, uint64_t now_ns, int most)
{
	uint64_t left;

	if (!(t->options.max_overhead > 0))
		return most;
	if (t->windows.look_ns <= now_ns)
		return 0;
	left = (t->windows.look_ns - now_ns + 999999) / 1000000;
	return left < (uint64_t)most ? (int)left : most;
}

bool windows_open(const struct tracer *t)
{
	for (size_t i = 0; i < window_account_count(t); i++)
		if (window_leads(window_account(t, i)) &&
		    window_is_open(&window_account(t, i)->window))
			return true;
	return false;
}

double windows_observed_share(const struct tracer *t, uint64_t now_ns)
{
	double watched = 0, observed = 0;

	for (size_t i = 0; i < window_account_count(t); i++) {
		const struct window *w = &window_account(t, i)->window;
		double now = window_leads(window_account(t, i)) &&
					     now_ns > w->now.begun_ns
				     ? (double)(now_ns - w->now.begun_ns)
				     : 0;

		watched += (double)w->history.watched_ns + now;
		observed += (double)w->history.observed_ns;
		if (window_sees_births(w))
			observed += now;
	}
	return watched > 0 ? observed / watched : 1;
}
