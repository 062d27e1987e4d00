/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "report/diff.h"
#include "report/format.h"
#include "report/names.h"

#define NAME_COLUMNS 60
#define FILE_COLUMNS 48
/* Levels shown of one stack, from the leaf. */
#define LEVELS_MAX 40
/* Watched for times that differ more than that, sizes say little. */
#define TIMES_DIFFER 1.2

static void add_side(struct text *t, const char *label, const struct report *r)
{
	struct profile_totals p;

	profile_totals(r->profile, &p);
	text_printf(t, "  %-12s ", label);
	if (r->target_count == 1) {
		name_for_people(t, r->targets[0].comm, NAME_COLUMNS);
		text_printf(t, " (pid %d)", (int)r->targets[0].pid);
	} else {
		text_printf(t, "%zu processes", r->target_count);
	}
	text_printf(t, ", %s since attach, %s%s in %s blocks\n",
		    format_duration(r->elapsed_seconds).text,
		    format_bytes(p.live_bytes.value).text,
		    format_margin(&p.live_bytes, format_bytes).text,
		    format_count(p.live_objects.value).text);
}

static struct formatted change(double bytes)
{
	struct formatted f, size = format_bytes(fabs(bytes));

	snprintf(f.text, sizeof(f.text), "%s%.50s",
		 bytes < 0   ? "-"
		 : bytes > 0 ? "+"
			     : "",
		 size.text);
	return f;
}

static void add_frame(struct text *t, const struct document *d,
		      const struct document_frame *f)
{
	text_add(t, "    ");
	name_for_people(t, document_text(d, f->function), NAME_COLUMNS);
	if (f->file != DOCUMENT_NONE) {
		text_add(t, "  ");
		name_for_people(t, document_text(d, f->file), FILE_COLUMNS);
		if (f->line)
			text_printf(t, ":%" PRIu32, f->line);
	}
	text_add(t, "\n");
}

/* "#1  +3.2 MiB (±0.4 MiB)  1.0 MiB -> 4.2 MiB" */
static void add_stack(struct text *t, const struct document *d, size_t rank,
		      const struct document_stack *s)
{
	double error = 1.96 * sqrt(s->variance);
	uint32_t shown = s->depth < LEVELS_MAX ? s->depth : LEVELS_MAX;

	text_printf(t, "\n#%zu  %s", rank, change(s->bytes - s->before).text);
	if (error >= 1)
		text_printf(t, " (±%s)", format_bytes(error).text);
	text_printf(t, "  %s before, %s after%s\n",
		    format_bytes(s->before).text, format_bytes(s->bytes).text,
		    fabs(s->bytes - s->before) > error ? ""
						       : ": may be chance");
	for (uint32_t i = 0; i < shown; i++)
		add_frame(
			t, d,
			document_frame(d, d->path[s->path + s->depth - 1 - i]));
	if (shown < s->depth)
		text_printf(t, "    [%" PRIu32 " more frames]\n",
			    s->depth - shown);
}

static void add_header(struct text *t, const struct diff *d)
{
	double a = d->before->elapsed_seconds, b = d->after->elapsed_seconds;
	struct profile_totals before, after;

	profile_totals(d->before->profile, &before);
	profile_totals(d->after->profile, &after);
	text_printf(
		t, "leakbpf: %s between two captures\n",
		change(after.live_bytes.value - before.live_bytes.value).text);
	add_side(t, "before", d->before);
	add_side(t, "after", d->after);
	if (fmax(a, b) > TIMES_DIFFER * fmin(a, b))
		text_add(t, "  note         they were watched for different "
			    "times: what leaks has had less time in one\n");
}

int diff_text(FILE *out, const struct diff *d)
{
	size_t count = d->document.stack_count, shown = count, more = 0;
	struct text t = {0};
	int err = 0;

	if (d->top && d->top < count)
		shown = d->top;
	add_header(&t, d);
	for (size_t i = 0; i < shown; i++) {
		const struct document_stack *s = &d->document.stacks[i];

		if (fabs(s->bytes - s->before) < 1)
			break; /* sorted by difference */
		add_stack(&t, &d->document, i + 1, s);
	}
	for (size_t i = shown; i < count; i++)
		more += fabs(d->document.stacks[i].bytes -
			     d->document.stacks[i].before) >= 1;
	if (more)
		text_printf(&t, "\n%zu more stack%s (-n shows more)\n", more,
			    more == 1 ? "" : "s");
	errno = 0;
	if (t.failed)
		err = -ENOMEM;
	else if (fwrite(t.data, 1, t.size, out) != t.size || fflush(out))
		err = errno ? -errno : -EIO;
	text_free(&t);
	return err;
}
