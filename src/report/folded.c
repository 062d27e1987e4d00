/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/formats.h"

#include <errno.h>
#include <math.h>

#include "base/text.h"
#include "report/blame.h"
#include "report/names.h"
#include "report/place.h"
#include "report/roots.h"

static void add_frame(struct text *t, const char *name)
{
	if (t->size)
		text_add(t, ";");
	name_for_folded(t, name);
}

static void add_level(struct text *t, const struct symbol *symbol,
		      const struct symbol_level *level)
{
	struct text name = {0};

	place_function(&name, symbol, level);
	t->failed |= name.failed;
	add_frame(t, name.data ? name.data : "");
	text_free(&name);
}

static void add_stack(struct text *t, const struct report *r,
		      const struct profile_stack *s)
{
	struct report_root roots[REPORT_ROOTS_MAX];
	size_t count = report_roots(r, s, roots);

	for (size_t i = 0; i < count; i++)
		add_frame(t, roots[i].name);
	for (uint32_t i = s->depth; i-- > 0;) {
		const struct symbol *symbol = report_symbol(r, s->frames[i]);

		for (uint32_t l = symbol->level_count; l-- > 0;)
			add_level(t, symbol, &symbol->levels[l]);
	}
}

int report_folded(FILE *out, const struct report *r)
{
	struct text line = {0};
	size_t count;
	const struct profile_stack *const *stacks =
		profile_sorted(r->profile, PROFILE_BY_LIVE, &count);
	int err = report_resolve(r, stacks, count);

	for (size_t i = 0; i < count && !err; i++) {
		double value = round(stacks[i]->live_bytes.value);

		if (value < 1)
			break; /* sorted by value */
		text_clear(&line);
		add_stack(&line, r, stacks[i]);
		if (line.failed)
			err = -ENOMEM;
		else if (fprintf(out, "%s %.0f\n", line.data, value) < 0)
			err = -EIO;
	}
	text_free(&line);
	return err;
}
