/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/diff.h"

#include <errno.h>
#include <math.h>

#include "report/format.h"
#include "report/html.h"
#include "report/json_frames.h"
#include "report/names.h"
#include "report/svg.h"

#define JSON_VERSION 1

int diff_make(struct diff *d, const struct report *before,
	      const struct report *after)
{
	*d = (struct diff){
		.before = before,
		.after = after,
		.top = after->top,
	};
	return document_compare(&d->document, before, after);
}

void diff_free(struct diff *d)
{
	document_free(&d->document);
}

static double live_bytes(const struct report *r)
{
	struct profile_totals t;

	profile_totals(r->profile, &t);
	return t.live_bytes.value;
}

/* "server (pid 12)" */
static void add_name(struct text *t, const struct report *r)
{
	if (r->target_count == 1) {
		text_add(t, r->targets[0].comm);
		text_printf(t, " (pid %d)", (int)r->targets[0].pid);
	} else {
		text_printf(t, "%zu processes", r->target_count);
	}
}

/* ---- Folded -----------------------------------------------------------------
 */

static int write_folded(FILE *out, const struct diff *d)
{
	const struct document *doc = &d->document;
	struct text line = {0};
	int err = 0;

	for (size_t i = 0; i < doc->stack_count && !err; i++) {
		const struct document_stack *s = &doc->stacks[i];

		if (round(s->bytes) < 1 && round(s->before) < 1)
			continue;
		text_clear(&line);
		for (uint32_t k = 0; k < s->depth; k++) {
			const struct document_frame *f =
				document_frame(doc, doc->path[s->path + k]);

			if (k)
				text_add(&line, ";");
			name_for_folded(&line, document_text(doc, f->function));
		}
		if (line.failed)
			err = -ENOMEM;
		else
			fprintf(out, "%s %.0f %.0f\n",
				line.data ? line.data : "[no stack]",
				round(s->before), round(s->bytes));
	}
	text_free(&line);
	return err;
}

/* ---- JSON and HTML
 * ------------------------------------------------------------ */

static void put_side(struct json *j, const char *key, const struct report *r)
{
	struct text name = {0};

	add_name(&name, r);
	json_object(j, key);
	json_text(j, "name", name.data ? name.data : "");
	json_number(j, "started", (double)(r->started_ns / 1000000000));
	json_number(j, "elapsed_seconds", r->elapsed_seconds);
	json_number(j, "live_bytes", round(live_bytes(r)));
	json_end(j);
	text_free(&name);
}

static bool is_certain(const struct document_stack *s)
{
	return fabs(s->bytes - s->before) > 1.96 * sqrt(s->variance);
}

static int write_json(FILE *out, const struct diff *d)
{
	const struct document *doc = &d->document;
	struct json j = {.out = out};

	json_object(&j, NULL);
	json_text(&j, "format", "leakbpf diff");
	json_number(&j, "version", JSON_VERSION);
	json_text(&j, "generator", "leakbpf " LEAKBPF_VERSION);
	put_side(&j, "before", d->before);
	put_side(&j, "after", d->after);
	json_put_frames(&j, doc);
	json_array(&j, "stacks");
	for (size_t i = 0; i < doc->stack_count; i++) {
		const struct document_stack *s = &doc->stacks[i];

		json_object(&j, NULL);
		json_put_path(&j, doc, s);
		json_number(&j, "before", round(s->before));
		json_number(&j, "after", round(s->bytes));
		json_bool(&j, "certain", is_certain(s));
		json_end(&j);
	}
	json_end(&j);
	json_end(&j);
	return 0;
}

static int put_json(FILE *out, void *context)
{
	return write_json(out, context);
}

/* ---- SVG
 * ---------------------------------------------------------------------- */

static int write_svg(FILE *out, const struct diff *d)
{
	struct text title = {0}, subtitle = {0};
	struct svg_graph g = {.document = &d->document, .comparison = true};
	int err;

	text_add(&title, "Memory outstanding: ");
	add_name(&title, d->before);
	text_add(&title, " before, ");
	add_name(&title, d->after);
	text_add(&title, " after");
	text_printf(&subtitle,
		    "%s after %s, %s after %s; red grew, blue shrank",
		    format_bytes(live_bytes(d->before)).text,
		    format_duration(d->before->elapsed_seconds).text,
		    format_bytes(live_bytes(d->after)).text,
		    format_duration(d->after->elapsed_seconds).text);
	g.title = title.data;
	g.subtitle = subtitle.data;
	err = title.failed || subtitle.failed ? -ENOMEM : svg_write(out, &g);
	text_free(&title);
	text_free(&subtitle);
	return err;
}

/* ---- All
 * ------------------------------------------------------------------------ */

int diff_write(enum report_format format, FILE *out, const struct diff *d)
{
	int err = -EINVAL;

	errno = 0;
	if (format == REPORT_FOLDED)
		err = write_folded(out, d);
	else if (format == REPORT_JSON)
		err = write_json(out, d);
	else if (format == REPORT_SVG)
		err = write_svg(out, d);
	else if (format == REPORT_PPROF)
		err = report_pprof_difference(out, d->before, d->after);
	else if (format == REPORT_HTML)
		err = html_write(out, put_json, (void *)d);
	if (!err && (fflush(out) || ferror(out)))
		err = errno ? -errno : -EIO;
	return err;
}
