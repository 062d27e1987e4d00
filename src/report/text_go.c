// SPDX-License-Identifier: GPL-2.0-only
#include "report/text_go.h"

#include "report/format.h"

static void add_sampler(struct text *t, const struct report_go_heap *h)
{
	if (!h->rate_known)
		text_add(t, "sampled by the program itself, presumably one per "
			    "512 KiB (Go's default)");
	else if (h->rate > 0)
		text_printf(t, "sampled by the program itself, one per %s",
			    format_bytes(h->rate).text);
	else
		text_add(t, "not sampled: the program has set MemProfileRate "
			    "to 0");
}

static void add_heap(struct text *t, const struct report *r,
		     const struct report_go_heap *h)
{
	text_printf(t, "  %-12s ", "Go heap");
	if (r->target_count > 1)
		text_printf(t, "pid %d: ", (int)h->pid);
	add_sampler(t, h);
	text_printf(t, "; %s garbage collection%s since attach",
		    format_count((double)h->collections).text,
		    h->collections == 1 ? "" : "s");
	if (h->settled_seconds_ago >= 0)
		text_printf(t,
			    ", which tell what is live of what is older "
			    "than %s\n",
			    format_duration(h->settled_seconds_ago).text);
	else
		text_add(t, ": what is garbage is not known yet\n");
}

void text_go_heaps(struct text *t, const struct report *r)
{
	for (size_t i = 0; r->go && i < r->go->heap_count; i++)
		add_heap(t, r, &r->go->heaps[i]);
}
