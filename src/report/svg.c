/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/svg.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "report/format.h"
#include "report/formats.h"
#include "report/names.h"
#include "report/tree.h"

/* All in pixels. */
#define WIDTH	    1200.0
#define MARGIN	    10.0
#define ROW	    18.0
#define HEAD	    56.0
#define FOOT	    26.0
#define NARROWEST   0.25 /* drawn; narrower ones are counted */
#define CHARACTER   6.7	 /* mean width in the font below */
#define TEXT_LEAST  6	 /* characters worth showing */
#define TITLE_CHARS 150

struct drawing {
	FILE *out;
	const struct svg_graph *graph;
	struct tree tree;
	double *left, *next; /* by node: where it, and its next child, begins */
	double scale;	     /* pixels per byte */
	double height;
	size_t left_out;
	struct text name;
};

/* ---- Text -------------------------------------------------------------------
 */

static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*text, out);
		}
	}
}

static void put_name(struct drawing *d, const char *name, size_t columns)
{
	text_clear(&d->name);
	name_for_people(&d->name, name, columns);
	put_escaped(d->out, d->name.size ? d->name.data : "");
}

static const char *function_of(const struct drawing *d,
			       const struct tree_node *n)
{
	const struct document *doc = d->graph->document;

	return n->frame == DOCUMENT_NONE
		       ? "all"
		       : document_text(doc,
				       document_frame(doc, n->frame)->function);
}

static void put_tooltip(struct drawing *d, const struct tree_node *n)
{
	const struct tree_node *root = &d->tree.nodes[TREE_ROOT];

	fputs("<title>", d->out);
	put_name(d, function_of(d, n), 0);
	if (d->graph->comparison) {
		fprintf(d->out, "\n%s before, %s after",
			format_bytes(n->before).text,
			format_bytes(n->bytes).text);
	} else {
		fprintf(d->out, "\n%s, ", format_bytes(n->bytes).text);
		put_escaped(d->out,
			    format_percent(n->bytes / root->bytes).text);
	}
	if (n->frame != DOCUMENT_NONE) {
		const struct document *doc = d->graph->document;
		const struct document_frame *f = document_frame(doc, n->frame);

		if (f->module != DOCUMENT_NONE) {
			fputs("\n", d->out);
			put_name(d, document_text(doc, f->module), 0);
		}
	}
	fputs("</title>", d->out);
}

/* ---- Colours ----------------------------------------------------------------
 */

/* The same function has the same colour everywhere. */
static unsigned hue_of(const char *name)
{
	unsigned hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619u;
	return hash >> 16;
}

/* As on the HTML page (page/model.js). */
static const char *const kind_colours[VERDICT_KINDS] = {
	[VERDICT_UNKNOWN] = "#f3cf83",	[VERDICT_LEAK] = "#f08a8f",
	[VERDICT_PLATEAU] = "#93bdf0",	[VERDICT_STARTUP] = "#c3c8d0",
	[VERDICT_SAWTOOTH] = "#86d0bf",
};

/* The kind of verdict that most of the bytes have, or VERDICT_KINDS. */
static enum verdict_kind main_kind(const struct tree_node *n)
{
	int best = VERDICT_KINDS;

	for (int i = 0; i < VERDICT_KINDS; i++)
		if (n->kinds[i] > 0 &&
		    (best == VERDICT_KINDS || n->kinds[i] > n->kinds[best]))
			best = i;
	return (enum verdict_kind)best;
}

static void put_colour(struct drawing *d, const struct tree_node *n)
{
	if (d->graph->comparison) {
		double most = fmax(n->bytes, n->before);
		double share = most > 0 ? (n->bytes - n->before) / most : 0;
		int light = (int)(92 - 42 * fabs(share));

		fprintf(d->out, "hsl(%d,85%%,%d%%)", share < 0 ? 215 : 5,
			light);
	} else {
		enum verdict_kind kind = main_kind(n);
		unsigned hash = hue_of(function_of(d, n));

		if (kind < VERDICT_KINDS) {
			fputs(kind_colours[kind], d->out);
			return;
		}

		fprintf(d->out, "hsl(%u,%u%%,72%%)", 18 + hash % 38,
			65 + hash / 64 % 25);
	}
}

/* ---- Boxes ------------------------------------------------------------------
 */

/* Where the outer frame leaves off; the root has everything. */
static double width_of(const struct drawing *d, const struct tree_node *n)
{
	return d->scale *
	       (d->graph->comparison ? fmax(n->bytes, n->before) : n->bytes);
}

static void put_box(struct drawing *d, const struct tree_node *n, double left,
		    double width)
{
	double top = d->height - FOOT - ROW * (n->level + 1);
	double characters = floor((width - 4) / CHARACTER);

	fputs("<g>", d->out);
	put_tooltip(d, n);
	fprintf(d->out,
		"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" "
		"fill=\"",
		left, top, fmax(width - 0.5, 0.2), ROW - 1);
	put_colour(d, n);
	fputs("\"/>", d->out);
	if (characters >= TEXT_LEAST) {
		fprintf(d->out, "<text x=\"%.2f\" y=\"%.1f\">", left + 3,
			top + ROW - 5);
		put_name(d, function_of(d, n), (size_t)characters);
		fputs("</text>", d->out);
	}
	fputs("</g>\n", d->out);
}

/* Parents come first. In a comparison a caller can be narrower than what it
 * calls: siblings of which some grew and some shrank do not add up. */
static void place(struct drawing *d, size_t number)
{
	const struct tree_node *n = &d->tree.nodes[number];
	double width = width_of(d, n);

	if (number == TREE_ROOT) {
		d->left[number] = MARGIN;
	} else {
		d->left[number] = d->next[n->parent];
		d->next[n->parent] += width;
	}
	d->next[number] = d->left[number];
	if (width >= NARROWEST)
		put_box(d, n, d->left[number], width);
	else
		d->left_out++;
}

static void put_head(struct drawing *d)
{
	const struct svg_graph *g = d->graph;

	fprintf(d->out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f "
		"%.0f\" width=\"%.0f\" height=\"%.0f\" role=\"img\" "
		"aria-labelledby=\"title subtitle\">\n"
		"<style>text{font:11px monospace;fill:#111;"
		"pointer-events:none}"
		"rect:hover{stroke:#111}#title{font-size:16px;"
		"font-weight:bold}</style>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		WIDTH, d->height, WIDTH, d->height);
	fprintf(d->out, "<text id=\"title\" x=\"%.0f\" y=\"24\">", MARGIN);
	put_name(d, g->title, TITLE_CHARS);
	fprintf(d->out, "</text>\n<text id=\"subtitle\" x=\"%.0f\" y=\"42\">",
		MARGIN);
	put_name(d, g->subtitle, TITLE_CHARS);
	fputs("</text>\n", d->out);
}

static void put_foot(struct drawing *d)
{
	fprintf(d->out, "<text x=\"%.0f\" y=\"%.0f\">", MARGIN, d->height - 9);
	if (d->tree.nodes[TREE_ROOT].bytes <= 0 &&
	    d->tree.nodes[TREE_ROOT].before <= 0)
		fputs("nothing is outstanding", d->out);
	else if (d->left_out)
		fprintf(d->out, "%zu functions are too narrow to be drawn",
			d->left_out);
	fputs("</text>\n</svg>\n", d->out);
}

/* In a comparison callees can be wider than their caller: then the widest level
 * fills the picture. */
static double widest_level(const struct drawing *d, double *sums)
{
	double widest = 0;

	memset(sums, 0, (d->tree.levels + 1) * sizeof(*sums));
	for (size_t i = 0; i < d->tree.count; i++) {
		const struct tree_node *n = &d->tree.nodes[i];

		sums[n->level] += d->graph->comparison
					  ? fmax(n->bytes, n->before)
					  : n->bytes;
		widest = fmax(widest, sums[n->level]);
	}
	return widest;
}

static int draw(struct drawing *d)
{
	CLEANUP_FREE double *sums = calloc(d->tree.levels + 1, sizeof(*sums));
	double widest;

	d->left = calloc(d->tree.count, sizeof(*d->left));
	d->next = calloc(d->tree.count, sizeof(*d->next));
	if (!sums || !d->left || !d->next)
		return -ENOMEM;
	widest = widest_level(d, sums);
	d->scale = widest > 0 ? (WIDTH - 2 * MARGIN) / widest : 0;
	d->height = HEAD + FOOT + ROW * (d->tree.levels + 1);
	put_head(d);
	for (size_t i = 0; i < d->tree.count; i++)
		place(d, i);
	put_foot(d);
	return 0;
}

int svg_write(FILE *out, const struct svg_graph *g)
{
	struct drawing d = {.out = out, .graph = g};
	int err = tree_make(&d.tree, g->document);

	if (!err)
		err = draw(&d);
	tree_free(&d.tree);
	free(d.left);
	free(d.next);
	text_free(&d.name);
	return err;
}

int report_svg(FILE *out, const struct report *r)
{
	struct text title = {0}, subtitle = {0};
	struct document d;
	struct svg_graph g = {.document = &d};
	struct profile_totals totals;
	int err = document_make(&d, r);

	profile_totals(r->profile, &totals);
	text_add(&title, "Outstanding memory of ");
	if (r->target_count == 1)
		text_printf(&title, "%s (pid %d)", r->targets[0].comm,
			    (int)r->targets[0].pid);
	else
		text_printf(&title, "%zu processes", r->target_count);
	text_printf(&subtitle, "%s%s in %s blocks, %s since attach",
		    format_bytes(totals.live_bytes.value).text,
		    format_margin(&totals.live_bytes, format_bytes).text,
		    format_count(totals.live_objects.value).text,
		    format_duration(r->elapsed_seconds).text);
	if (!err && (title.failed || subtitle.failed))
		err = -ENOMEM;
	g.title = title.data;
	g.subtitle = subtitle.data;
	if (!err)
		err = svg_write(out, &g);
	document_free(&d);
	text_free(&title);
	text_free(&subtitle);
	return err;
}
