/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/losses.h"

static const struct {
	enum counter counter;
	const char *what;
} counted[] = {
#define X(id, text) {COUNTER_##id, text},
	COUNTERS_LOSS(X)
#undef X
};

static const char *const cut_short[] = {
#define X(id, text) "stacks cut short: " text,
	STACK_END_REASONS(X)
#undef X
};

static void tell(uint64_t count, const char *what, report_loss_fn each,
		 void *context)
{
	struct report_loss loss = {.count = count, .what = what};

	if (count)
		each(&loss, context);
}

static void tell_cut_short(const struct report *r, report_loss_fn each,
			   void *context)
{
	const uint64_t *ends = &r->counters[COUNTER_STACK_END];
	double walks = 0;

	for (int i = 0; i < STACK_END_COUNT; i++)
		walks += (double)ends[i];
	for (int i = STACK_END_ROOT + 1; i < STACK_END_COUNT; i++) {
		struct report_loss loss = {
			.count = ends[i],
			.what = cut_short[i],
			.share = (double)ends[i] / walks,
		};

		if (loss.count)
			each(&loss, context);
	}
}

static void tell_scripts(const struct report *r, report_loss_fn each,
			 void *context)
{
	static const char *const what[JS_SHORTFALLS] = {
		[JS_NO_POSITION] = "JavaScript frames without a line",
		[JS_OTHER_CODE] = "JavaScript frames without a line: "
				  "the function has other code now",
		[JS_MOVED] = "JavaScript frames without a name: "
			     "moved before they were read",
		[JS_UNREADABLE] = "JavaScript frames without a name: "
				  "not readable",
	};

	for (int i = JS_COMPLETE + 1; i < JS_SHORTFALLS; i++)
		tell(r->status.js_shortfalls[i], what[i], each, context);
	tell(r->status.js_dropped,
	     "JavaScript frames read late or not at all: too many", each,
	     context);
	tell(r->status.js_incomplete,
	     "JavaScript functions without class or source: too many", each,
	     context);
}

void report_each_loss(const struct report *r, report_loss_fn each,
		      void *context)
{
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		tell(r->counters[counted[i].counter], counted[i].what, each,
		     context);
	tell_cut_short(r, each, context);
	tell(r->unwatched_seconds,
	     "seconds not watched before this run: allocations in that time "
	     "are unknown",
	     each, context);
	tell(r->dead_sites,
	     "probes never fired although others did (see --explain)", each,
	     context);
	tell(r->status.objects_without_cfi,
	     "objects without unwind information", each, context);
	tell(r->status.objects_unreadable, "objects not readable or malformed",
	     each, context);
	tell(r->status.objects_lost,
	     "mappings of programs without names and unwind tables: too many",
	     each, context);
	tell(r->status.unwind_rows_lost,
	     "places in programs that stacks end at: too many unwind rules",
	     each, context);
	tell(r->status.regions_lost, "memory maps not followed: too many", each,
	     context);
	if (r->following) {
		tell(r->following->no_room,
		     "processes not traced: too many at once", each, context);
		tell(r->following->starts_missed,
		     "starts of processes not told of: found later, or too "
		     "short-lived",
		     each, context);
	}
	tell(r->left_out,
	     "processes, heaps or types that are not in the capture: too many",
	     each, context);
	tell_scripts(r, each, context);
	tell(r->names->objects_given_up(r->names->context),
	     "objects with debug information that cannot be read", each,
	     context);
}
