/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/text_header.h"

#include <inttypes.h>
#include <math.h>

#include "base/cleanup.h"
#include "probe/features.h"
#include "report/format.h"
#include "report/losses.h"
#include "report/names.h"
#include "report/text_go.h"
#include "report/text_targets.h"
#include "report/text_v8.h"
#include "report/verdict_text.h"

#define COMMAND_COLUMNS 80
#define COMM_COLUMNS	32
/* Starting and ending take a moment. */
#define OBSERVED_ALL 0.999

static double per_second(double count, double seconds)
{
	return seconds > 0 ? count / seconds : 0;
}

/* ---- How much ----------------------------------------------------------- */

static double resident_bytes(const struct report *r)
{
	double sum = 0;

	for (size_t i = 0; i < r->target_count; i++)
		sum += (double)r->targets[i].memory.rss_bytes;
	return sum;
}

static void add_outstanding(struct text *t, const struct report *r)
{
	struct profile_totals p;
	double rss = resident_bytes(r);

	profile_totals(r->profile, &p);
	text_begin_line(t, "outstanding");
	text_printf(t, "%s%s in %s %s%s", format_bytes(p.live_bytes.value).text,
		    format_margin(&p.live_bytes, format_bytes).text,
		    format_count(p.live_objects.value).text,
		    p.sources == 1u << STACK_SOURCE_GROWTH ? "pages" : "blocks",
		    format_margin(&p.live_objects, format_count).text);
	if (rss > 0)
		text_printf(t, ", %s of RSS",
			    format_percent(p.live_bytes.value / rss).text);
	text_add(t, "\n");
	text_begin_line(t, "growth");
	text_add(t, format_rate(p.growth_bytes_per_minute).text);
	if (r->interval_seconds > 0 && r->interval_seconds < r->elapsed_seconds)
		text_printf(t, " over the last %s\n",
			    format_duration(r->interval_seconds).text);
	else
		text_add(t, " since attach\n");
}

/* ---- At what cost ------------------------------------------------------- */

/* Since the last report, or since attach when that is not known. */
static double recent(const struct report *r, enum counter counter)
{
	uint64_t before = r->counters_before ? r->counters_before[counter] : 0;

	return r->counters[counter] > before
		       ? (double)(r->counters[counter] - before)
		       : 0;
}

static double recent_seconds(const struct report *r)
{
	return r->elapsed_seconds -
	       (r->counters_before ? r->elapsed_before : 0);
}

/* All samples are ones that the targets have drawn themselves. */
static bool by_the_program(const struct report *r)
{
	struct profile_totals p;

	profile_totals(r->profile, &p);
	return p.sources == 1u << STACK_SOURCE_GO_HEAP ||
	       (r->go && r->go->all) ||
	       (r->status.own_samplers &&
		r->status.own_samplers >= r->target_count);
}

static void add_probes(struct text *t, const struct report *r)
{
	double seconds = recent_seconds(r);
	double allocs = recent(r, COUNTER_ALLOC_HITS);
	double frees = recent(r, COUNTER_FREE_HITS);

	text_begin_line(t, "probes");
	text_printf(t,
		    by_the_program(r)
			    ? "%s: %s sampled allocations/s, %s sampled frees/s"
			    : "%s: %s allocations/s, %s frees/s",
		    link_kind_name(r->status.link),
		    format_count(per_second(allocs, seconds)).text,
		    format_count(per_second(frees, seconds)).text);
	text_printf(t, " (%s and %s since attach)\n",
		    format_count((double)r->counters[COUNTER_ALLOC_HITS]).text,
		    format_count((double)r->counters[COUNTER_FREE_HITS]).text);
}

/* In place of probes, or beside those of other targets. */
static void add_pages(struct text *t, const struct report *r)
{
	text_begin_line(t, "pages");
	text_printf(t, "%s/s (%s since attach), %s\n",
		    format_count(per_second(recent(r, COUNTER_PAGES),
					    recent_seconds(r)))
			    .text,
		    format_count((double)r->counters[COUNTER_PAGES]).text,
		    r->status.beside
			    ? "followed as windows are too rare: what stands "
			      "below [memory growth] is part of no sum"
			    : "no probes");
}

static void add_events(struct text *t, const struct report *r)
{
	bool pages = r->status.page_targets || r->counters[COUNTER_PAGES];

	if (pages)
		add_pages(t, r);
	if (!pages || r->counters[COUNTER_ALLOC_HITS])
		add_probes(t, r);
}

static void add_sampling(struct text *t, const struct report *r)
{
	const struct tracer_status *s = &r->status;

	text_begin_line(t, "sampling");
	if (by_the_program(r))
		text_printf(t, "by the program%s",
			    s->own_samplers ? " (USDT otel_memory)" : "");
	else if (s->sampling.interval_bytes)
		text_printf(
			t, "one per %s",
			format_bytes((double)s->sampling.interval_bytes).text);
	else
		text_add(t,
			 r->status.page_targets ? "everything" : "every block");
	text_printf(t, ": %s samples, %s outstanding (room for %s)",
		    format_count((double)r->counters[COUNTER_SAMPLES]).text,
		    format_count((double)s->outstanding).text,
		    format_count((double)s->outstanding_max).text);
	if (s->coarsened)
		text_printf(t, "; made coarser %" PRIu32 " times",
			    s->coarsened);
	text_add(t, "\n");
}

static void add_overhead(struct text *t, const struct report *r)
{
	uint64_t before = r->counters_before ? r->overhead_ns_before : 0;
	double ns = r->status.overhead_ns > before
			    ? (double)(r->status.overhead_ns - before)
			    : 0;

	text_begin_line(t, "overhead");
	text_printf(
		t, "about %s of one CPU, %s of kernel memory\n",
		format_percent(per_second(ns / 1e9, recent_seconds(r))).text,
		format_bytes((double)r->status.kernel_memory_bytes).text);
}

/* How much of the time the estimates rest on, when it is not all. */
static void add_observed(struct text *t, const struct report *r)
{
	const struct tracer_status *s = &r->status;

	if (!s->windows && !(s->observed_share < OBSERVED_ALL))
		return;
	text_begin_line(t, "observed");
	text_printf(
		t,
		"%s of the time, in %s windows (--max-overhead %g)%s: what "
		"is freed between them is estimated\n",
		format_percent(s->observed_share).text,
		format_count((double)s->windows).text, 100 * s->max_overhead,
		s->large_blocks ? ", blocks of 128 KiB and more at all times"
				: "");
}

/* ---- What is missing ---------------------------------------------------- */

struct loss_lines {
	struct text *text;
	bool any;
};

/* "  losses       1,234 stacks cut short: stack memory not readable (50 %)";
 * the first line carries the label. */
static void add_loss(const struct report_loss *loss, void *context)
{
	struct loss_lines *lines = context;

	text_begin_line(lines->text, lines->any ? "" : "losses");
	text_printf(lines->text, "%s %s",
		    format_count((double)loss->count).text, loss->what);
	if (loss->share > 0)
		text_printf(lines->text, " (%s)",
			    format_percent(loss->share).text);
	text_add(lines->text, "\n");
	lines->any = true;
}

static void add_losses(struct text *t, const struct report *r)
{
	struct loss_lines lines = {.text = t};

	report_each_loss(r, add_loss, &lines);
	if (!lines.any) {
		text_begin_line(t, "losses");
		text_add(t, "nothing lost\n");
	}
}

void text_style(struct text *t, const struct report *r, const char *sgr)
{
	if (r->colour)
		text_printf(t, "\033[%sm", sgr);
}

void text_style_end(struct text *t, const struct report *r)
{
	if (r->colour)
		text_add(t, "\033[0m");
}

static bool is_leak(const struct report *r)
{
	return diagnosis_summary(r->diagnosis)->kind == DIAGNOSIS_LEAK;
}

void text_header(struct text *t, const struct report *r)
{
	text_title(t, r);
	if (r->diagnosis) {
		text_style(t, r, is_leak(r) ? "1;31" : "1");
		verdict_headline(t, r);
		text_style_end(t, r);
		text_add(t, "\n");
	}
	text_following(t, r);
	text_targets(t, r);
	text_v8_heaps(t, r);
	text_go_heaps(t, r);
	add_outstanding(t, r);
	add_events(t, r);
	add_sampling(t, r);
	add_overhead(t, r);
	add_observed(t, r);
	add_losses(t, r);
}
