/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/blame.h"
#include "report/roots.h"

const char *document_text(const struct document *d, uint32_t number)
{
	return intern_key(d->texts, number, NULL);
}

const struct document_frame *document_frame(const struct document *d,
					    uint32_t number)
{
	return intern_key(d->frames, number, NULL);
}

void document_free(struct document *d)
{
	intern_free(d->texts);
	intern_free(d->frames);
	free(d->path);
	free(d->stacks);
	*d = (struct document){0};
}

/* ---- Frames ------------------------------------------------------------- */

static int put_text(struct document *d, const char *text, uint32_t *number)
{
	*number = DOCUMENT_NONE;
	return text && *text ? intern_put(d->texts, text, strlen(text), number)
			     : 0;
}

static int append(struct document *d, uint32_t frame)
{
	if (d->path_count == d->path_capacity) {
		size_t capacity =
			d->path_capacity ? 2 * d->path_capacity : 4096;
		uint32_t *path = realloc(d->path, capacity * sizeof(*path));

		if (!path)
			return -ENOMEM;
		d->path = path;
		d->path_capacity = capacity;
	}
	d->path[d->path_count++] = frame;
	return 0;
}

int document_add_frame(struct document *d, const char *function,
		       const char *file, const char *module,
		       struct document_frame frame)
{
	uint32_t number;
	int err = put_text(d, *function ? function : "?", &frame.function);

	if (!err)
		err = put_text(d, file, &frame.file);
	if (!err)
		err = put_text(d, module, &frame.module);
	if (!err)
		err = intern_put(d->frames, &frame, sizeof(frame), &number);
	return err ? err : append(d, number);
}

static int add_roots(struct document *d, const struct report *r,
		     const struct profile_stack *s)
{
	const struct document_frame root = {.flags = DOCUMENT_FRAME_ROOT};
	struct report_root roots[REPORT_ROOTS_MAX];
	size_t count = report_roots(r, s, roots);
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = document_add_frame(d, roots[i].name, NULL, NULL, root);
	return err;
}

static int add_level(struct document *d, const struct symbol *symbol,
		     const struct symbol_level *level)
{
	struct document_frame frame = {
		.line = level->line,
		.column = level->column,
		.flags = (level->inlined ? DOCUMENT_FRAME_INLINED : 0) |
			 (symbol->named ? 0 : DOCUMENT_FRAME_UNNAMED),
	};

	return document_add_frame(d, level->function, level->file,
				  symbol->module, frame);
}

/* ---- Stacks ------------------------------------------------------------- */

static int add_stack(struct document *d, const struct report *r,
		     const struct profile_stack *s)
{
	struct document_stack *to = &d->stacks[d->stack_count];
	struct blame blame;
	int err;

	*to = (struct document_stack){
		.stack = s,
		.verdict = r->diagnosis ? diagnosis_verdict(r->diagnosis, s)
					: NULL,
		.path = d->path_count,
		.blame = DOCUMENT_NONE,
		.bytes = s->live_bytes.value,
	};
	report_blame(r, s, &blame);
	err = add_roots(d, r, s);
	for (uint32_t i = s->depth; i-- > 0 && !err;) {
		const struct symbol *symbol = report_symbol(r, s->frames[i]);

		for (uint32_t l = symbol->level_count; l-- > 0 && !err;) {
			err = add_level(d, symbol, &symbol->levels[l]);
			if (&symbol->levels[l] == blame.level)
				to->blame = (uint32_t)(d->path_count -
						       to->path - 1);
		}
	}
	to->depth = (uint32_t)(d->path_count - to->path);
	d->stack_count++;
	return err;
}

int document_make(struct document *d, const struct report *r)
{
	size_t count;
	const struct profile_stack *const *stacks =
		profile_sorted(r->profile, PROFILE_BY_LIVE, &count);
	int err = report_resolve(r, stacks, count);

	*d = (struct document){
		.texts = intern_new(),
		.frames = intern_new(),
		.stacks = calloc(count ? count : 1, sizeof(*d->stacks)),
	};
	if (!d->texts || !d->frames || !d->stacks)
		return -ENOMEM;
	for (size_t i = 0; i < count && !err; i++)
		err = add_stack(d, r, stacks[i]);
	return err;
}
