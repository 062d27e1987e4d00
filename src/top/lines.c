/* SPDX-License-Identifier: GPL-2.0-only */
#include "top/lines.h"

#include <inttypes.h>
#include <string.h>

#include "report/blame.h"
#include "report/format.h"
#include "report/losses.h"
#include "report/names.h"
#include "report/place.h"
#include "report/roots.h"
#include "report/verdict_text.h"

/* "+1023.9 KiB/min  1023.9 KiB 1,000,000 59 min 5 s  " before the name. */
#define FIGURES_COLUMNS 51
#define NAME_LEAST	16
#define FILE_COLUMNS	40

static bool continues(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Cuts what was added behind `start` after `columns` characters. */
static void cut(struct text *t, size_t start, size_t columns)
{
	size_t at = start;

	if (t->failed)
		return;
	while (at < t->size && (columns || continues(t->data[at]))) {
		if (!continues(t->data[at]))
			columns--;
		at++;
	}
	if (at < t->size) {
		t->size = at;
		t->data[at] = '\0';
	}
}

/* ---- Header -------------------------------------------------------------- */

static void add_title(struct text *t, const struct report *r,
		      const struct top_view *v)
{
	double rss = 0;

	text_add(t, "leakbpf top  ");
	if (r->target_count == 1) {
		name_for_people(t, r->targets[0].comm, 32);
		text_printf(t, " (pid %d)%s", (int)r->targets[0].pid,
			    r->targets[0].alive ? "" : " (exited)");
	} else {
		text_printf(t, "%zu processes", r->target_count);
	}
	for (size_t i = 0; i < r->target_count; i++)
		rss += (double)r->targets[i].memory.rss_bytes;
	text_printf(t, "  RSS %s  %s since attach%s", format_bytes(rss).text,
		    format_duration(r->elapsed_seconds).text,
		    v->paused ? "  PAUSED" : "");
}

static void add_totals(struct text *t, const struct report *r)
{
	struct profile_totals p;

	profile_totals(r->profile, &p);
	text_printf(t, "outstanding %s%s in %s blocks, %s",
		    format_bytes(p.live_bytes.value).text,
		    format_margin(&p.live_bytes, format_bytes).text,
		    format_count(p.live_objects.value).text,
		    format_rate(p.growth_bytes_per_minute).text);
}

static void add_loss(const struct report_loss *loss, void *context)
{
	*(uint64_t *)context += loss->count;
}

static void add_cost(struct text *t, const struct report *r,
		     const struct top_view *v)
{
	double share = r->elapsed_seconds > 0 ? (double)r->status.overhead_ns /
							1e9 / r->elapsed_seconds
					      : 0;
	uint64_t losses = 0;

	text_printf(t, "overhead %s of one CPU", format_percent(share).text);
	if (r->status.sampling.interval_bytes)
		text_printf(
			t, "  one sample per %s",
			format_bytes((double)r->status.sampling.interval_bytes)
				.text);
	else
		text_add(t, "  every block");
	if (r->status.windows)
		text_printf(t, "  observed %s",
			    format_percent(r->status.observed_share).text);
	report_each_loss(r, add_loss, &losses);
	text_printf(t, "  losses %s", format_count((double)losses).text);
	if (v->filter[0])
		text_printf(t, "  filter \"%s\": %zu of %zu stacks", v->filter,
			    v->stacks, v->stacks + v->stacks_hidden);
}

void top_line_header(struct text *out, const struct report *r,
		     const struct top_view *v, unsigned line, size_t columns)
{
	size_t start = out->size;

	switch (line) {
	case 0:
		add_title(out, r, v);
		break;
	case 1:
		if (r->diagnosis)
			verdict_headline(out, r);
		break;
	case 2:
		add_totals(out, r);
		break;
	case 3:
		add_cost(out, r, v);
		break;
	default:
		text_printf(out, "%16s %11s %9s %10s  %s",
			    v->order == TOP_BY_GROWTH ? "GROWTH*" : "GROWTH",
			    v->order == TOP_BY_BYTES ? "BYTES*" : "BYTES",
			    v->order == TOP_BY_OBJECTS ? "BLOCKS*" : "BLOCKS",
			    v->order == TOP_BY_AGE ? "AGE*" : "AGE", "WHERE");
	}
	cut(out, start, columns);
}

/* ---- Rows ---------------------------------------------------------------- */

static void add_level(struct text *t, const struct symbol *symbol,
		      const struct symbol_level *level, size_t columns)
{
	place_of_level(t, symbol, level,
		       columns > NAME_LEAST ? columns : NAME_LEAST,
		       FILE_COLUMNS);
	if (!level->file)
		place_module(t, symbol);
}

static void add_where(struct text *t, const struct report *r,
		      const struct profile_stack *s, size_t columns)
{
	struct blame b;

	if (s->id != STACK_ID_OVERFLOW && report_blame(r, s, &b))
		add_level(t, b.symbol, b.level, columns);
	else
		text_add(t, report_nobody_text(s));
}

bool top_row_leaks(const struct report *r, const struct profile_stack *s)
{
	const struct verdict *v =
		r->diagnosis ? diagnosis_verdict(r->diagnosis, s) : NULL;

	return v && v->kind == VERDICT_LEAK;
}

static void add_stack(struct text *t, const struct report *r,
		      const struct profile_stack *s, size_t columns)
{
	size_t room = columns > FIGURES_COLUMNS ? columns - FIGURES_COLUMNS : 0;

	report_resolve(r, &s, 1);
	text_printf(t, "%c%15s %11s %9s %10s  ",
		    top_row_leaks(r, s) ? '!' : ' ',
		    format_rate(s->growth_bytes_per_minute).text,
		    format_bytes(s->live_bytes.value).text,
		    format_count(s->live_objects.value).text,
		    format_duration(s->mean_age_seconds).text);
	if (r->target_count > 1)
		text_printf(t, "%" PRIu32 " ", s->tgid);
	add_where(t, r, s, room);
}

void top_line_row(struct text *out, const struct report *r,
		  const struct top_view *v, const struct top_row *row,
		  size_t columns)
{
	const struct profile_stack *s = row->stack;
	const struct symbol *symbol;
	size_t start = out->size;

	if (row->frame == TOP_ROW_STACK) {
		add_stack(out, r, s, columns);
	} else if (row->frame == TOP_ROW_END) {
		text_printf(out, "      [stack ends here: %s]",
			    report_end_text(s));
	} else {
		symbol = report_symbol(r, s->frames[row->frame]);
		text_add(out, "      ");
		add_level(out, symbol, &symbol->levels[row->level],
			  columns / 2);
	}
	cut(out, start, columns);
}

/* ---- The rest ------------------------------------------------------------ */

void top_line_footer(struct text *out, const struct top_view *v, size_t columns)
{
	size_t start = out->size;

	if (v->editing_filter)
		text_printf(out, "filter: %s_  (Enter keeps it, Esc clears it)",
			    v->filter);
	else
		text_printf(out,
			    "q quit  Enter stack  / filter  s sort (%s)  p %s  "
			    "h help",
			    top_order_name(v->order),
			    v->paused ? "go on" : "pause");
	cut(out, start, columns);
}

const char *top_line_help(unsigned line)
{
	static const char *const lines[] = {
		"Call stacks that hold memory allocated since attach.",
		"",
		"  GROWTH   of outstanding bytes, over the last minute",
		"  !        this call path leaks",
		"  BYTES    outstanding: allocated since attach, not freed",
		"  BLOCKS   outstanding",
		"  AGE      mean age of the outstanding bytes",
		"  WHERE    the program's own function that allocated",
		"",
		"  Up Down PgUp PgDn Home End   move (also k j g G)",
		"  Enter    show or hide the call stack",
		"  /        show only stacks with this text in a name",
		"  Esc      show all stacks again",
		"  s        sort by growth, bytes, blocks, age (marked *)",
		"  p        pause the display; tracing goes on",
		"  q        quit",
		"",
		"Any key leaves this page.",
	};

	return line < sizeof(lines) / sizeof(*lines) ? lines[line] : NULL;
}
