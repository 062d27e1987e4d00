/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>

#include "symbol/js_names_internal.h"

bool js_names_is_full(const struct js_names *n)
{
	return js_meanings_are_many(&n->known) ||
	       js_functions_are_many(n->functions) ||
	       js_sources_are_many(n->sources);
}

bool js_names_knows(const struct js_names *n, uint64_t frame)
{
	return js_meaning_of(&n->known, frame)->frame != 0;
}

void js_names_forget_objects(struct js_names *n, const bool *objects)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->hidden_count; i++)
		if (!objects[n->hidden[i].object])
			n->hidden[kept++] = n->hidden[i];
	n->hidden_count = kept;
}

/* Functions and scripts that no frame is left of. Without memory they stay. */
static void forget_unreferenced(struct js_names *n)
{
	uint32_t *functions = calloc(JS_FUNCTIONS_MAX + 1, sizeof(*functions));
	uint32_t *scripts = calloc(JS_SOURCES_MAX + 1, sizeof(*scripts));

	for (size_t i = 0; functions && scripts && i < n->known.capacity; i++) {
		const struct js_meaning *m = &n->known.table[i];

		if (m->frame && !m->count) {
			functions[m->function] = 1;
			scripts[m->first >> SCRIPT_SHIFT] = 1;
		}
	}
	/* No function, no script: so it stays. */
	if (functions && scripts)
		functions[0] = scripts[0] = 0;
	if (functions && scripts &&
	    !js_functions_keep(n->functions, functions)) {
		js_sources_keep(n->sources, scripts);
		for (size_t i = 0; i < n->known.capacity; i++) {
			struct js_meaning *m = &n->known.table[i];

			if (!m->frame || m->count)
				continue;
			m->function = functions[m->function];
			m->first = (m->first & FLAGS) |
				   scripts[m->first >> SCRIPT_SHIFT]
					   << SCRIPT_SHIFT;
		}
	}
	free(functions);
	free(scripts);
}

int js_names_forget(struct js_names *n, const struct number_set *in_use)
{
	int err = js_meanings_keep(&n->known, in_use);

	if (!err)
		forget_unreferenced(n);
	return err;
}
