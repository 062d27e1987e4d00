// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "symbol/js_names_internal.h"

struct js_names *js_names_new(struct symbolizer *symbols, bool source_maps)
{
	struct js_names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->symbols = symbols;
	n->source_maps = source_maps;
	n->sources = js_sources_new(symbols);
	n->functions = js_functions_new();
	/* The texts are the target's choice: it must not know the hashes. */
	if (getrandom(&n->seed, sizeof(n->seed), GRND_NONBLOCK) < 0)
		n->seed = 0xcbf29ce484222325u; /* early boot */
	if (n->sources && n->functions && !js_meanings_init(&n->known))
		return n;
	js_names_free(n);
	return NULL;
}

void js_names_free(struct js_names *n)
{
	if (!n)
		return;
	js_sources_free(n->sources);
	js_functions_free(n->functions);
	js_meanings_free(&n->known);
	free(n);
}

uint64_t js_names_lost(const struct js_names *n)
{
	return n->lost;
}

uint64_t js_names_incomplete(const struct js_names *n)
{
	return n->incomplete;
}

/* ---- Learning ----------------------------------------------------------- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	return mix(hash, text ? text : "", text ? strlen(text) + 1 : 1);
}

static uint64_t canonical_of(const struct js_names *n,
			     const struct js_frame *frame,
			     const struct js_level *level)
{
	/* Which of several calls in a line it is, optimised code often cannot
	 * tell; functions without a name need it. */
	bool needed = level->long_line || level->function[0] == '(';
	uint32_t column = needed ? level->column : 0;
	/* What is somewhere in a loop is not what is at its head. */
	uint32_t flags = level->in_loop;
	uint32_t where[5] = {frame->tgid, frame->thread, level->line, column,
			     flags};
	uint64_t hash = mix(n->seed, where, sizeof(where));

	/* The class may become known later, but not that of builtins, which
	 * have nothing else to tell them apart. */
	if (!level->file)
		hash = mix_text(hash, level->prefix);
	hash = mix_text(hash, level->function);
	hash = mix_text(hash, level->file);
	return (uint64_t)FRAME_OBJECT_JS << FRAME_OBJECT_SHIFT |
	       hash >> (64 - FRAME_OBJECT_SHIFT);
}

static void teach(struct js_names *n, uint64_t canonical,
		  const struct js_frame *frame, const struct js_level *level)
{
	struct text full = {0};
	struct symbol_level name = {
		.function = level->function,
		.file = level->file,
		.line = level->line,
		.column = level->column,
		.approximate = level->approximate,
	};
	char module[32] = "";

	if (!level->file) {
		strcpy(module, "builtin");
		if (js_function_name(level->function, level->prefix, &full))
			name.function = full.data;
	} else if (frame->tid != frame->tgid) {
		snprintf(module, sizeof(module), "worker %u", frame->tid);
	}
	symbolizer_learn(n->symbols, canonical, &name, 1, module);
	text_free(&full);
}

static uint32_t flags_of(const struct js_level *level)
{
	bool internal = !level->file || !strncmp(level->file, "node:", 5);

	return (level->approximate ? APPROXIMATE : 0) |
	       (internal ? INTERNAL : 0);
}

static uint32_t script_of(struct js_names *n, const struct js_frame *frame,
			  const struct js_level *level)
{
	uint32_t number;

	if (!n->source_maps || !level->map || !level->file || !level->line)
		return 0;
	number = js_sources_put(n->sources, frame->tgid, level->file,
				level->map);
	n->incomplete += !number;
	return number;
}

static uint32_t function_of(struct js_names *n, const struct js_frame *frame,
			    const struct js_level *level)
{
	return level->script_id
		       ? js_functions_put(n->functions, frame->thread,
					  level->script_id, level->literal_id,
					  level->prefix)
		       : 0;
}

/* The canonical frame of a level, which may be known from elsewhere. */
static bool add_level(struct js_names *n, const struct js_frame *frame,
		      const struct js_level *level)
{
	uint64_t canonical = canonical_of(n, frame, level);
	const struct js_meaning *m = js_meaning_of(&n->known, canonical);
	uint32_t function = function_of(n, frame, level);

	if (!js_meanings_append(&n->known, canonical))
		return false;
	if (m->frame && (!(m->first & APPROXIMATE) || level->approximate))
		return true;
	if (!js_meanings_put(&n->known, canonical,
			     flags_of(level) | script_of(n, frame, level)
						       << SCRIPT_SHIFT,
			     0))
		return false;
	js_meaning_of(&n->known, canonical)->function = function;
	n->incomplete += level->script_id && !function;
	teach(n, canonical, frame, level);
	return true;
}

void js_names_learn(struct js_names *n, const struct js_frame *frame,
		    const struct js_location *l)
{
	size_t first = n->known.canonical_count;
	bool done = true;

	if (!l->level_count || js_meaning_of(&n->known, frame->frame)->frame)
		return;
	for (uint32_t i = 0; i < l->level_count && done; i++)
		done = add_level(n, frame, &l->levels[i]);
	if (done)
		done = js_meanings_put(&n->known, frame->frame, (uint32_t)first,
				       l->level_count);
	if (done)
		return;
	n->known.canonical_count = first;
	n->lost++;
}

/* The first range of an object, or where it would stand. */
static size_t first_hidden(const struct js_names *n, uint64_t object)
{
	size_t low = 0, high = n->hidden_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (n->hidden[middle].object < object)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void js_names_hide(struct js_names *n, uint32_t object, uint64_t start,
		   uint64_t end)
{
	size_t at = first_hidden(n, object);

	if (start >= end)
		return;
	for (size_t i = at; i < n->hidden_count; i++)
		if (n->hidden[i].object == object &&
		    n->hidden[i].start == start)
			return;
	if (n->hidden_count == HIDDEN_MAX) {
		n->incomplete++;
		return;
	}
	memmove(n->hidden + at + 1, n->hidden + at,
		(n->hidden_count++ - at) * sizeof(*n->hidden));
	n->hidden[at] = (struct hidden){object, start, end};
}

/* ---- Asking ---------------------------------------------------------------
 */

static bool is_hidden(const struct js_names *n, uint64_t frame)
{
	uint64_t address = frame & FRAME_ADDRESS_MASK;
	uint64_t object = frame >> FRAME_OBJECT_SHIFT;

	for (size_t i = first_hidden(n, object);
	     i < n->hidden_count && n->hidden[i].object == object; i++)
		if (address >= n->hidden[i].start && address < n->hidden[i].end)
			return true;
	return false;
}

size_t js_names_expand(void *context, uint64_t frame, uint64_t *out, size_t max,
		       bool *known)
{
	const struct js_names *n = context;
	const struct js_meaning *m = js_meaning_of(&n->known, frame);
	size_t count;

	if (!max || (!FRAME_IS_JS(frame) && is_hidden(n, frame)))
		return 0;
	if (!FRAME_IS_JS(frame) || !m->count) {
		*known &= !FRAME_IS_JS(frame) || m->frame;
		*out = frame;
		return 1;
	}
	count = m->count < max ? m->count : max;
	memcpy(out, n->known.canonical + m->first, count * sizeof(*out));
	return count;
}

bool js_names_internal(void *context, uint64_t frame)
{
	const struct js_names *n = context;
	const struct js_meaning *m = js_meaning_of(&n->known, frame);

	return m->frame && !m->count && m->first & INTERNAL;
}
