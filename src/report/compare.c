/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "report/document.h"

/* A 95 % interval spans that many standard errors. */
#define INTERVAL_ERRORS 3.92

struct comparison {
	struct document *to;
	struct intern *paths; /* functions of a stack, outermost first */
};

static double variance_of(const struct estimate *e)
{
	double error = (e->high - e->low) / INTERVAL_ERRORS;

	return error * error;
}

/* Appends the path of a stack to the comparison's document. */
static int copy_path(struct document *to, const struct document *from,
		     const struct document_stack *s)
{
	int err = 0;

	for (uint32_t i = 0; i < s->depth && !err; i++) {
		const struct document_frame *f =
			document_frame(from, from->path[s->path + i]);
		struct document_frame copy = *f;
		const char *file = f->file == DOCUMENT_NONE
					   ? NULL
					   : document_text(from, f->file);
		const char *module = f->module == DOCUMENT_NONE
					     ? NULL
					     : document_text(from, f->module);

		copy.generated_file = DOCUMENT_NONE;
		copy.generated_line = copy.generated_column = 0;
		err = document_add_frame(to, document_text(from, f->function),
					 file, module, copy);
	}
	return err;
}

/* Numbers the functions of the path that was appended last. */
static int number_path(struct comparison *c, size_t path, uint32_t depth,
		       uint32_t *number)
{
	CLEANUP_FREE uint32_t *key = malloc((depth + 1) * sizeof(*key));

	if (!key)
		return -ENOMEM;
	for (uint32_t i = 0; i < depth; i++)
		key[i] = document_frame(c->to, c->to->path[path + i])->function;
	return intern_put(c->paths, key, depth * sizeof(*key), number);
}

static int add(struct comparison *c, const struct document *from,
	       const struct document_stack *s, bool after)
{
	struct document *to = c->to;
	size_t path = to->path_count;
	struct document_stack *stack;
	uint32_t number = 0;
	int err = copy_path(to, from, s);

	if (!err)
		err = number_path(c, path, s->depth, &number);
	if (err)
		return err;
	stack = &to->stacks[number];
	if (number == to->stack_count) {
		to->stack_count++;
		*stack = (struct document_stack){
			.path = path,
			.depth = s->depth,
			.blame = s->blame,
		};
	} else {
		to->path_count = path;
	}
	*(after ? &stack->bytes : &stack->before) += s->bytes;
	stack->variance += variance_of(&s->stack->live_bytes);
	return 0;
}

static int by_difference(const void *a, const void *b)
{
	const struct document_stack *l = a, *r = b;
	double x = fabs(l->bytes - l->before), y = fabs(r->bytes - r->before);

	if (x != y)
		return x < y ? 1 : -1;
	return (l->path > r->path) - (l->path < r->path);
}

static int add_all(struct comparison *c, const struct document *from,
		   bool after)
{
	int err = 0;

	for (size_t i = 0; i < from->stack_count && !err; i++)
		err = add(c, from, &from->stacks[i], after);
	return err;
}

int document_compare(struct document *d, const struct report *before,
		     const struct report *after)
{
	struct document a = {0}, b = {0};
	struct comparison c = {.to = d, .paths = intern_new()};
	int err = c.paths ? 0 : -ENOMEM;

	*d = (struct document){.texts = intern_new(), .frames = intern_new()};
	if (!err)
		err = document_make(&a, before);
	if (!err)
		err = document_make(&b, after);
	d->stacks =
		calloc(a.stack_count + b.stack_count + 1, sizeof(*d->stacks));
	if (!d->texts || !d->frames || !d->stacks)
		err = -ENOMEM;
	if (!err)
		err = add_all(&c, &a, false);
	if (!err)
		err = add_all(&c, &b, true);
	if (!err && d->stack_count)
		qsort(d->stacks, d->stack_count, sizeof(*d->stacks),
		      by_difference);
	intern_free(c.paths);
	document_free(&a);
	document_free(&b);
	return err;
}
