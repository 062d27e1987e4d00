/* SPDX-License-Identifier: GPL-2.0-only */
/* The text report. Its lines are meant to stay: scripts read them. */
#include "report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/stack_table.h"
#include "base/text.h"
#include "report/blame.h"
#include "report/format.h"
#include "report/names.h"
#include "report/place.h"
#include "report/roots.h"
#include "report/text_header.h"
#include "report/text_targets.h"
#include "report/text_v8.h"
#include "report/verdict_text.h"

/* Columns for names; with file and line a line stays near 100. */
#define NAME_COLUMNS 60
#define FILE_COLUMNS 48
/* Levels shown of one stack: its leaf end, and where it came from. */
#define LEVELS_LEAF 52
#define LEVELS_ROOT 12
/* Below that many samples an estimate is little more than an order of
 * magnitude: the interval spans a factor of 4. */
#define SAMPLES_FEW 10

/* ---- Frames ------------------------------------------------------------- */

/* "    parse_header  http.c:212  (redis-server)" */
static void add_level(struct text *t, const struct symbol *symbol,
		      const struct symbol_level *level)
{
	text_add(t, "    ");
	place_of_level(t, symbol, level, NAME_COLUMNS, FILE_COLUMNS);
	if (level->inlined)
		text_add(t, "  (inlined)");
	else
		place_module(t, symbol);
	text_add(t, "\n");
}

static uint32_t count_levels(const struct report *r,
			     const struct profile_stack *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->depth; i++)
		n += report_symbol(r, s->frames[i])->level_count;
	return n;
}

static void add_frames(struct text *t, const struct report *r,
		       const struct profile_stack *s)
{
	uint32_t total = count_levels(r, s), at = 0;
	uint32_t left_out = total > LEVELS_LEAF + LEVELS_ROOT
				    ? total - LEVELS_LEAF - LEVELS_ROOT
				    : 0;

	for (uint32_t i = 0; i < s->depth; i++) {
		const struct symbol *symbol = report_symbol(r, s->frames[i]);

		for (uint32_t l = 0; l < symbol->level_count; l++, at++) {
			if (left_out && at == LEVELS_LEAF)
				text_printf(t,
					    "    [%" PRIu32 " more frames]\n",
					    left_out);
			if (at < LEVELS_LEAF || at >= LEVELS_LEAF + left_out)
				add_level(t, symbol, &symbol->levels[l]);
		}
	}
	if (s->end != STACK_END_ROOT)
		text_printf(t, "    [stack ends here: %s]\n",
			    report_end_text(s));
}

/* ---- One stack ---------------------------------------------------------- */

/* "    in parse_header() at src/http.c:212" */
static void add_blame(struct text *t, const struct report *r,
		      const struct profile_stack *s)
{
	text_add(t, "    in ");
	verdict_place(t, r, s);
	if (s->id == STACK_ID_OVERFLOW)
		text_add(t, ": more stacks than the table has room for");
	text_add(t, "\n");
}

/* "    leak, 92 % sure: ..." */
static void add_verdict(struct text *t, const struct report *r,
			const struct profile_stack *s)
{
	const struct verdict *v =
		r->diagnosis ? diagnosis_verdict(r->diagnosis, s) : NULL;

	if (!v)
		return;
	text_add(t, "    ");
	verdict_reasons(t, v);
	text_add(t, "\n");
}

static void add_process(struct text *t, const struct report *r, uint32_t tgid)
{
	size_t i = 0;

	text_printf(t, ", pid %" PRIu32, tgid);
	while (i < r->target_count && (uint32_t)r->targets[i].pid != tgid)
		i++;
	if (i < r->target_count)
		text_container(t, &r->targets[i].container);
}

static void add_figures(struct text *t, const struct report *r, size_t rank,
			const struct profile_stack *s)
{
	struct formatted blocks = format_count(s->live_objects.value);
	bool one = !strcmp(blocks.text, "1");
	bool page = s->source == STACK_SOURCE_GROWTH ||
		    s->source == STACK_SOURCE_BESIDE;

	text_printf(t, "#%zu  %s  %s%s in %s %s%s%s", rank,
		    format_rate(s->growth_bytes_per_minute).text,
		    format_bytes(s->live_bytes.value).text,
		    format_margin(&s->live_bytes, format_bytes).text,
		    blocks.text, page ? "page" : "block", one ? "" : "s",
		    format_margin(&s->live_objects, format_count).text);
	text_printf(t, ", age %s mean, %s oldest, %s sample%s",
		    format_duration(s->mean_age_seconds).text,
		    format_duration(s->oldest_seconds).text,
		    format_count((double)s->samples).text,
		    s->samples == 1 ? "" : "s");
	if (r->target_count > 1)
		add_process(t, r, s->tgid);
	text_add(t, "\n");
}

static void add_stack(struct text *t, const struct report *r, size_t rank,
		      const struct profile_stack *s)
{
	text_style(t, r, "1");
	add_figures(t, r, rank, s);
	text_style_end(t, r);
	add_blame(t, r, s);
	text_v8_stack(t, r, s);
	add_verdict(t, r, s);
	if (s->samples < SAMPLES_FEW && s->live_bytes.high > s->live_bytes.low)
		text_add(t, "    few samples: the estimate is rough\n");
	add_frames(t, r, s);
}

/* ---- The report --------------------------------------------------------- */

static void add_nothing(struct text *t, const struct report *r)
{
	if (r->status.page_targets && !r->counters[COUNTER_SAMPLES])
		text_add(t,
			 "No page was touched for the first time and sampled "
			 "since attach.\n");
	else if (!r->counters[COUNTER_ALLOC_HITS] &&
		 !r->counters[COUNTER_PAGES])
		text_add(t, "No allocation was seen since attach: the process "
			    "is idle, or uses an allocator\nof its own "
			    "(leakbpf --explain shows what is probed).\n");
	else if (!r->counters[COUNTER_SAMPLES])
		text_add(t, "No allocation was sampled yet: watch longer or "
			    "lower --sample-bytes.\n");
	else
		text_add(t, "Nothing outstanding was allocated since attach: "
			    "watch longer or lower --sample-bytes.\n");
}

/*
 * Stacks in the order in which they are shown: those that the headline blames,
 * fastest first, then the others as in `sorted`. Not all of a verdict are
 * blamed: blocks and the pages beside them tell of the same leak. NULL: out of
 * memory.
 */
static const struct profile_stack **
in_order(const struct report *r, const struct profile_stack *const *sorted,
	 size_t count)
{
	const struct profile_stack **list = calloc(count + 1, sizeof(*list));
	const struct profile_stack *const *blamed = NULL;
	struct stack_table listed = {0};
	size_t n = 0, blamed_count = 0;
	uint32_t at;

	if (!list)
		return NULL;
	if (r->diagnosis)
		blamed = diagnosis_leaks(r->diagnosis, &blamed_count);
	for (; n < blamed_count && n < count; n++) {
		list[n] = blamed[n];
		if (stack_table_put(&listed, blamed[n]->id, 0)) {
			free(list);
			stack_table_free(&listed);
			return NULL;
		}
	}
	for (size_t i = 0; i < count && n < count; i++)
		if (!stack_table_get(&listed, sorted[i]->id, &at))
			list[n++] = sorted[i];
	stack_table_free(&listed);
	return list;
}

static void add_rest(struct text *t, const struct profile_stack *const *stacks,
		     size_t from, size_t count)
{
	double bytes = 0;

	if (from == count)
		return;
	for (size_t i = from; i < count; i++)
		bytes += stacks[i]->live_bytes.value;
	text_printf(t,
		    "\n%zu more stack%s with %s outstanding (-n shows "
		    "more)\n",
		    count - from, count - from == 1 ? "" : "s",
		    format_bytes(bytes).text);
}

int report_text(FILE *out, const struct report *r)
{
	struct text t = {0};
	size_t count, shown;
	const struct profile_stack *const *sorted =
		profile_sorted(r->profile, PROFILE_BY_GROWTH, &count);
	CLEANUP_FREE const struct profile_stack **stacks =
		in_order(r, sorted, count);
	int err;

	if (!stacks)
		return -ENOMEM;
	shown = r->top && r->top < count ? r->top : count;
	err = report_resolve(r, stacks, shown);
	text_header(&t, r);
	text_add(&t, "\n");
	if (!count)
		add_nothing(&t, r);
	for (size_t i = 0; i < shown; i++) {
		if (i)
			text_add(&t, "\n");
		add_stack(&t, r, i + 1, stacks[i]);
	}
	add_rest(&t, stacks, shown, count);
	text_add(&t, "\n");
	if (!err && t.failed)
		err = -ENOMEM;
	if (!err && (fwrite(t.data, 1, t.size, out) != t.size || fflush(out)))
		err = errno ? -errno : -EIO;
	text_free(&t);
	return err;
}
