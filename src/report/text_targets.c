/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/text_targets.h"

#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "report/format.h"
#include "report/names.h"
#include "report/text_v8.h"

#define COMMAND_COLUMNS	  80
#define COMM_COLUMNS	  32
#define CONTAINER_COLUMNS 40
#define TARGETS_SHOWN	  8

void text_begin_line(struct text *t, const char *label)
{
	text_printf(t, "  %-12s ", label);
}

void text_container(struct text *t, const struct container *c)
{
	char label[CONTAINER_TEXT_BYTES];

	if (*container_label(c, label)) {
		text_add(t, " in container ");
		name_for_people(t, label, CONTAINER_COLUMNS);
	}
	if (c->pod[0]) {
		text_add(t, " of pod ");
		name_for_people(t, c->pod, CONTAINER_COLUMNS);
	}
}

static void add_target(struct text *t, const struct report_target *target)
{
	name_for_people(t, target->comm, COMM_COLUMNS);
	text_printf(t, " (pid %d)%s", (int)target->pid,
		    target->alive ? "" : " (exited)");
	text_container(t, &target->container);
}

void text_title(struct text *t, const struct report *r)
{
	text_add(t, "leakbpf: ");
	if (r->target_count == 1)
		add_target(t, &r->targets[0]);
	else
		text_printf(t, "%zu processes", r->target_count);
	text_printf(t, ", %s since attach%s\n",
		    format_duration(r->elapsed_seconds).text,
		    r->final ? ", final report" : "");
}

static void add_command(struct text *t, const struct report_target *target)
{
	if (!target->command_line || !*target->command_line)
		return;
	text_begin_line(t, "command");
	name_for_people(t, target->command_line, COMMAND_COLUMNS);
	text_add(t, "\n");
}

/* What of it is what, as far as that is known. */
static void add_split(struct text *t, const struct report *r,
		      const struct report_target *target)
{
	double heap = text_v8_live(r, target->pid), native, other;
	double external = text_v8_external(r, target->pid);
	struct profile_totals p;

	if (!(heap > 0) || r->target_count > 1)
		return;
	profile_totals(r->profile, &p);
	native = p.live_by_source[STACK_SOURCE_NATIVE];
	/* Buffers that were allocated since attach are part of both. */
	other = (double)target->memory.rss_bytes - heap -
		fmax(native, external);
	text_printf(t, ": V8 heap %s", format_bytes(heap).text);
	if (external > 0)
		text_printf(t, ", external (Buffers) %s",
			    format_bytes(external).text);
	text_printf(t, ", native outstanding %s%s, other %s",
		    format_bytes(native).text,
		    external > 0 ? " (Buffers since attach, too)" : "",
		    format_bytes(other > 0 ? other : 0).text);
}

static void add_memory(struct text *t, const struct report *r,
		       const struct report_target *target)
{
	const struct process_memory *m = &target->memory;

	text_begin_line(t, "memory");
	text_printf(t, "RSS %s (%s anonymous)",
		    format_bytes((double)m->rss_bytes).text,
		    format_bytes((double)m->rss_anon_bytes).text);
	add_split(t, r, target);
	text_add(t, "\n");
}

/* Largest first; of the same size, those that came first. */
static int by_size(const void *a, const void *b)
{
	const struct report_target *const *one = a, *const *other = b;
	uint64_t size = (*one)->memory.rss_bytes;
	uint64_t other_size = (*other)->memory.rss_bytes;

	if (size != other_size)
		return size < other_size ? 1 : -1;
	return *one > *other ? 1 : -1;
}

/* Of many, one line each, and only the largest. */
static void add_largest(struct text *t, const struct report *r)
{
	CLEANUP_FREE const struct report_target **list =
		calloc(r->target_count, sizeof(*list));
	double rest = 0;

	for (size_t i = 0; list && i < r->target_count; i++)
		list[i] = &r->targets[i];
	if (list)
		qsort(list, r->target_count, sizeof(*list), by_size);
	for (size_t i = 0; list && i < r->target_count; i++) {
		const struct process_memory *m = &list[i]->memory;

		if (i >= TARGETS_SHOWN) {
			rest += (double)m->rss_bytes;
			continue;
		}
		text_begin_line(t, i ? "" : "largest");
		add_target(t, list[i]);
		text_printf(t, ", RSS %s\n",
			    format_bytes((double)m->rss_bytes).text);
	}
	text_begin_line(t, "");
	text_printf(t, "and %zu more, RSS %s\n",
		    r->target_count - TARGETS_SHOWN, format_bytes(rest).text);
}

void text_targets(struct text *t, const struct report *r)
{
	if (r->target_count > TARGETS_SHOWN) {
		add_largest(t, r);
		return;
	}
	for (size_t i = 0; i < r->target_count; i++) {
		if (r->target_count > 1) {
			text_begin_line(t, "target");
			add_target(t, &r->targets[i]);
			text_add(t, "\n");
		}
		add_command(t, &r->targets[i]);
		add_memory(t, r, &r->targets[i]);
	}
}

/* "following   --comm node: 12 processes so far, 3 of them gone; not traced: 2
 * without a known allocator" */
void text_following(struct text *t, const struct report *r)
{
	const struct report_following *f = r->following;
	const char *before = "; not traced: ";

	if (!f)
		return;
	text_begin_line(t, "following");
	name_for_people(t, f->selection, COMMAND_COLUMNS);
	text_printf(t, ": %s process%s so far",
		    format_count((double)f->attached).text,
		    f->attached == 1 ? "" : "es");
	if (f->let_go)
		text_printf(t, ", %s of them gone",
			    format_count((double)f->let_go).text);
	if (f->waiting)
		text_printf(t, ", %s waiting",
			    format_count((double)f->waiting).text);
	for (size_t i = 0; i < f->reason_count; i++) {
		if (!f->not_traced[i])
			continue;
		text_printf(t, "%s%s %s", before,
			    format_count((double)f->not_traced[i]).text,
			    f->reasons[i].text);
		before = ", ";
	}
	text_add(t, "\n");
}
