/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "base/text.h"
#include "report/blame.h"
#include "report/names.h"

static const char *const end_texts[] = {
#define X(id, text) text,
	STACK_END_REASONS(X)
#undef X
};

static const char *comm_of(const struct report *r, uint32_t tgid)
{
	for (size_t i = 0; i < r->target_count; i++)
		if ((uint32_t)r->targets[i].pid == tgid)
			return r->targets[i].comm;
	return "pid";
}

static void add_frame(struct text *t, const char *name)
{
	if (t->size)
		text_add(t, ";");
	name_for_folded(t, name);
}

static void add_root(struct text *t, const struct report *r,
		     const struct profile_stack *s)
{
	if (r->target_count > 1) {
		name_for_folded(t, comm_of(r, s->tgid));
		text_printf(t, "-%" PRIu32, s->tgid);
	}
	if (s->id == STACK_ID_OVERFLOW) {
		add_frame(t, "[other stacks]");
	} else if (s->end != STACK_END_ROOT) {
		text_printf(t, "%s[truncated: %s]", t->size ? ";" : "",
			    s->end < STACK_END_COUNT ? end_texts[s->end] : "?");
	} else if (!s->depth) {
		add_frame(t, "[no stack]");
	}
}

static void add_stack(struct text *t, const struct report *r,
		      const struct profile_stack *s)
{
	add_root(t, r, s);
	for (uint32_t i = s->depth; i-- > 0;) {
		const struct symbol *symbol = report_symbol(r, s->frames[i]);

		for (uint32_t l = symbol->level_count; l-- > 0;)
			add_frame(t, symbol->levels[l].function);
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
	if (!err && (fflush(out) || ferror(out)))
		err = errno ? -errno : -EIO;
	return err;
}
