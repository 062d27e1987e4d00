/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report/blame.h"
#include "report/place.h"
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
	const struct document_frame root = {
		.flags = DOCUMENT_FRAME_ROOT,
		.generated_file = DOCUMENT_NONE,
	};
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
		.generated_line = level->generated_line,
		.generated_column = level->generated_column,
	};
	struct text function = {0};
	int err = put_text(d, level->generated_file, &frame.generated_file);

	place_function(&function, symbol, level);
	if (function.failed)
		err = -ENOMEM;
	if (!err)
		err = document_add_frame(d, function.data, level->file,
					 symbol->module, frame);
	text_free(&function);
	return err;
}

/* ---- Stacks ------------------------------------------------------------- */

/* A frame as it was resolved before: where its levels stand in the path. */
struct seen {
	size_t path;
	uint32_t count;
};

struct making {
	struct document *document;
	const struct report *report;
	struct intern *frames; /* of the profile, numbered */
	struct seen *seen;     /* by that number */
	size_t seen_capacity;
};

static int add_levels(struct document *d, const struct symbol *symbol)
{
	int err = 0;

	for (uint32_t l = symbol->level_count; l-- > 0 && !err;)
		err = add_level(d, symbol, &symbol->levels[l]);
	return err;
}

static int reserve_seen(struct making *m, uint32_t number)
{
	size_t capacity = m->seen_capacity ? 2 * m->seen_capacity : 4096;
	struct seen *seen;

	if (number < m->seen_capacity)
		return 0;
	seen = realloc(m->seen, capacity * sizeof(*seen));
	if (!seen)
		return -ENOMEM;
	m->seen = seen;
	m->seen_capacity = capacity;
	return 0;
}

/* Appends the levels of a frame, outermost first. */
static int add_frame(struct making *m, uint64_t frame,
		     const struct symbol *symbol)
{
	struct document *d = m->document;
	uint32_t count = intern_count(m->frames), number;
	int err = intern_put(m->frames, &frame, sizeof(frame), &number);

	if (err)
		return err;
	if (number == count) {
		err = reserve_seen(m, number);
		if (err)
			return err;
		m->seen[number].path = d->path_count;
		err = add_levels(d, symbol);
		m->seen[number].count =
			(uint32_t)(d->path_count - m->seen[number].path);
		return err;
	}
	for (uint32_t i = 0; i < m->seen[number].count && !err; i++)
		err = append(d, d->path[m->seen[number].path + i]);
	return err;
}

static int add_stack(struct making *m, const struct profile_stack *s)
{
	const struct diagnosis *diagnosis = m->report->diagnosis;
	struct document *d = m->document;
	struct document_stack *to = &d->stacks[d->stack_count++];
	struct blame blame;
	int err;

	*to = (struct document_stack){
		.stack = s,
		.verdict = diagnosis ? diagnosis_verdict(diagnosis, s) : NULL,
		.path = d->path_count,
		.blame = DOCUMENT_NONE,
		.bytes = s->live_bytes.value,
	};
	report_blame(m->report, s, &blame);
	err = add_roots(d, m->report, s);
	for (uint32_t i = s->depth; i-- > 0 && !err;) {
		const struct symbol *symbol =
			report_symbol(m->report, s->frames[i]);

		err = add_frame(m, s->frames[i], symbol);
		/* Its level, the innermost being the last. */
		if (symbol == blame.symbol)
			to->blame = (uint32_t)(d->path_count - to->path - 1 -
					       (size_t)(blame.level -
							symbol->levels));
	}
	to->depth = (uint32_t)(d->path_count - to->path);
	return err;
}

int document_make(struct document *d, const struct report *r)
{
	size_t count;
	const struct profile_stack *const *stacks =
		profile_sorted(r->profile, PROFILE_BY_LIVE, &count);
	struct making m = {
		.document = d,
		.report = r,
		.frames = intern_new(),
	};
	int err = report_resolve(r, stacks, count);

	*d = (struct document){
		.texts = intern_new(),
		.frames = intern_new(),
		.stacks = calloc(count ? count : 1, sizeof(*d->stacks)),
	};
	if (!d->texts || !d->frames || !d->stacks || !m.frames)
		err = -ENOMEM;
	for (size_t i = 0; i < count && !err; i++)
		err = add_stack(&m, stacks[i]);
	intern_free(m.frames);
	free(m.seen);
	return err;
}
