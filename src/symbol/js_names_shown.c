/* SPDX-License-Identifier: GPL-2.0-only */
/* What is done for frames that are shown: few of all that are learnt. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "symbol/js_names_internal.h"

/* For all source maps that a report needs. */
#define LOCATE_NS 10000000000u

/* ---- Classes ------------------------------------------------------------ */

/* A call of the function, in whatever line, has told its class since. */
static void add_prefix(struct js_names *n, uint64_t frame)
{
	struct js_meaning *m = js_meaning_of(&n->known, frame);
	const char *prefix;
	const struct symbol *symbol;
	struct symbol_level level;
	struct text full = {0};

	if (!FRAME_IS_JS(frame) || !m->frame || m->count || m->first & PREFIXED)
		return;
	prefix = js_functions_prefix(n->functions, m->function);
	if (!prefix)
		return;
	symbol = symbolizer_get(n->symbols, frame);
	level = symbol->levels[0];
	if (js_function_name(level.function, prefix, &full)) {
		level.function = full.data;
		symbolizer_learn(n->symbols, frame, &level, 1, symbol->module);
	}
	text_free(&full);
	m->first |= PREFIXED;
}

/* ---- Sources ------------------------------------------------------------ */

struct located {
	uint32_t script;
	uint64_t frame;
};

static int by_script(const void *a, const void *b)
{
	const struct located *x = a, *y = b;

	if (x->script != y->script)
		return x->script < y->script ? -1 : 1;
	return x->frame < y->frame ? -1 : x->frame > y->frame;
}

/* Those whose script has a map that was not asked yet, each once. */
static size_t select_mapped(const struct js_names *n, struct located *list,
			    const uint64_t *frames, size_t count)
{
	size_t found = 0, kept = 0;

	for (size_t i = 0; i < count; i++) {
		const struct js_meaning *m =
			js_meaning_of(&n->known, frames[i]);

		if (FRAME_IS_JS(frames[i]) && m->frame && !m->count &&
		    m->first >> SCRIPT_SHIFT)
			list[found++] = (struct located){
				m->first >> SCRIPT_SHIFT, frames[i]};
	}
	qsort(list, found, sizeof(*list), by_script);
	for (size_t i = 0; i < found; i++)
		if (!i || list[i].frame != list[i - 1].frame)
			list[kept++] = list[i];
	return kept;
}

static void find_sources(struct js_names *n, const uint64_t *frames,
			 size_t count)
{
	CLEANUP_FREE struct located *list = calloc(count + 1, sizeof(*list));
	CLEANUP_FREE uint64_t *asked = calloc(count + 1, sizeof(*asked));
	uint64_t deadline_ns = monotonic_ns() + LOCATE_NS;

	if (!list || !asked)
		return;
	count = select_mapped(n, list, frames, count);
	for (size_t i = 0, next; i < count; i = next) {
		for (next = i;
		     next < count && list[next].script == list[i].script;
		     next++)
			asked[next - i] = list[next].frame;
		if (js_sources_find(n->sources, list[i].script, asked, next - i,
				    deadline_ns))
			continue;
		for (size_t k = i; k < next; k++)
			js_meaning_of(&n->known, list[k].frame)->first &= FLAGS;
	}
}

void js_names_show(struct js_names *n, const uint64_t *frames, size_t count)
{
	for (size_t i = 0; i < count; i++)
		add_prefix(n, frames[i]);
	if (n->source_maps)
		find_sources(n, frames, count);
}
