/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/roots.h"

#include <inttypes.h>

static const char *const end_texts[] = {
#define X(id, text) text,
	STACK_END_REASONS(X)
#undef X
};

const char *report_end_text(const struct profile_stack *s)
{
	return s->end < STACK_END_COUNT ? end_texts[s->end] : "?";
}

const char *report_nobody_text(const struct profile_stack *s)
{
	return s->id == STACK_ID_OVERFLOW ? "[other stacks]" : "[no stack]";
}

static const char *comm_of(const struct report *r, uint32_t tgid)
{
	for (size_t i = 0; i < r->target_count; i++)
		if ((uint32_t)r->targets[i].pid == tgid)
			return r->targets[i].comm;
	return "pid";
}

const char *report_source_text(const struct profile_stack *s)
{
	static const char *const texts[STACK_SOURCES] = {
		[STACK_SOURCE_NATIVE] = "native",
		[STACK_SOURCE_V8_HEAP] = "v8 heap",
		[STACK_SOURCE_GO_HEAP] = "go heap",
		[STACK_SOURCE_GROWTH] = "memory growth",
		[STACK_SOURCE_BESIDE] = "memory growth",
	};

	return s->source < STACK_SOURCES ? texts[s->source] : "?";
}

/* Where all is native, or Go's, nobody needs to be told. */
static bool one_source(const struct report *r)
{
	struct profile_totals t;

	profile_totals(r->profile, &t);
	return t.sources == 1u << STACK_SOURCE_NATIVE ||
	       t.sources == 1u << STACK_SOURCE_GO_HEAP;
}

size_t report_roots(const struct report *r, const struct profile_stack *s,
		    struct report_root roots[REPORT_ROOTS_MAX])
{
	size_t n = 0;

	if (r->target_count > 1 && r->pids_alike) {
		snprintf(roots[n].name, sizeof(roots[n].name), "%s",
			 comm_of(r, s->tgid));
		n++;
	} else if (r->target_count > 1) {
		snprintf(roots[n].name, sizeof(roots[n].name), "%s-%" PRIu32,
			 comm_of(r, s->tgid), s->tgid);
		n++;
	}
	if (!one_source(r))
		snprintf(roots[n++].name, sizeof(roots->name), "[%s]",
			 report_source_text(s));
	if (s->id == STACK_ID_OVERFLOW)
		snprintf(roots[n++].name, sizeof(roots->name), "%s",
			 report_nobody_text(s));
	else if (s->end != STACK_END_ROOT)
		snprintf(roots[n++].name, sizeof(roots->name),
			 "[truncated: %s]", report_end_text(s));
	else if (!s->depth)
		snprintf(roots[n++].name, sizeof(roots->name), "%s",
			 report_nobody_text(s));
	return n;
}
