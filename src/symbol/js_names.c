// SPDX-License-Identifier: GPL-2.0-only
#include "symbol/js_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "symbol/js_meanings.h"
#include "symbol/js_sources.h"

/* For all source maps that a report needs. */
#define LOCATE_NS 10000000000u
/* Ranges of all engines in all targets, a handful of each. */
#define HIDDEN_MAX 64

/* Of canonical frames. */
#define APPROXIMATE  1u
#define INTERNAL     2u /* one of Node's own scripts, or no script at all */
#define SCRIPT_SHIFT 8	/* above: its number (js_sources.h); 0: none to ask */
#define FLAGS	     ((1u << SCRIPT_SHIFT) - 1)

struct hidden {
	uint32_t object;
	uint64_t start, end;
};

struct js_names {
	struct symbolizer *symbols;
	struct js_sources *sources;
	uint64_t seed;
	struct js_meanings known;
	struct hidden hidden[HIDDEN_MAX];
	size_t hidden_count;
	uint64_t lost;
};

struct js_names *js_names_new(struct symbolizer *symbols)
{
	struct js_names *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->symbols = symbols;
	n->sources = js_sources_new(symbols);
	/* The texts are the target's choice: it must not know the hashes. */
	if (getrandom(&n->seed, sizeof(n->seed), GRND_NONBLOCK) < 0)
		n->seed = 0xcbf29ce484222325u; /* early boot */
	if (n->sources && !js_meanings_init(&n->known))
		return n;
	js_names_free(n);
	return NULL;
}

void js_names_free(struct js_names *n)
{
	if (!n)
		return;
	js_sources_free(n->sources);
	js_meanings_free(&n->known);
	free(n);
}

uint64_t js_names_lost(const struct js_names *n)
{
	return n->lost;
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
	uint32_t where[4] = {frame->tgid, frame->thread, level->line, column};
	uint64_t hash = mix(n->seed, where, sizeof(where));

	hash = mix_text(hash, level->function);
	hash = mix_text(hash, level->file);
	return (uint64_t)FRAME_OBJECT_JS << FRAME_OBJECT_SHIFT |
	       hash >> (64 - FRAME_OBJECT_SHIFT);
}

static void teach(struct js_names *n, uint64_t canonical,
		  const struct js_frame *frame, const struct js_level *level)
{
	struct symbol_level name = {
		.function = level->function,
		.file = level->file,
		.line = level->line,
		.column = level->column,
		.approximate = level->approximate,
	};
	char module[32] = "";

	if (!level->file)
		strcpy(module, "builtin");
	else if (frame->tid != frame->tgid)
		snprintf(module, sizeof(module), "worker %u", frame->tid);
	symbolizer_learn(n->symbols, canonical, &name, 1, module);
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
	return level->map && level->file && level->line
		       ? js_sources_put(n->sources, frame->tgid, level->file,
					level->map)
		       : 0;
}

/* The canonical frame of a level, which may be known from elsewhere. */
static bool add_level(struct js_names *n, const struct js_frame *frame,
		      const struct js_level *level)
{
	uint64_t canonical = canonical_of(n, frame, level);
	const struct js_meaning *m = js_meaning_of(&n->known, canonical);

	if (!js_meanings_append(&n->known, canonical))
		return false;
	if (m->frame && (!(m->first & APPROXIMATE) || level->approximate))
		return true;
	if (!js_meanings_put(&n->known, canonical,
			     flags_of(level) | script_of(n, frame, level)
						       << SCRIPT_SHIFT,
			     0))
		return false;
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

void js_names_hide(struct js_names *n, uint32_t object, uint64_t start,
		   uint64_t end)
{
	for (size_t i = 0; i < n->hidden_count; i++)
		if (n->hidden[i].object == object &&
		    n->hidden[i].start == start)
			return;
	if (n->hidden_count < HIDDEN_MAX && start < end)
		n->hidden[n->hidden_count++] =
			(struct hidden){object, start, end};
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

void js_names_locate(struct js_names *n, const uint64_t *frames, size_t count)
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

/* ---- Forgetting ------------------------------------------------------------
 */

bool js_names_is_full(const struct js_names *n)
{
	return js_meanings_are_many(&n->known);
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

int js_names_forget(struct js_names *n, const struct number_set *in_use)
{
	return js_meanings_keep(&n->known, in_use);
}

/* ---- Asking ---------------------------------------------------------------
 */

static bool is_hidden(const struct js_names *n, uint64_t frame)
{
	uint64_t address = frame & FRAME_ADDRESS_MASK;

	for (size_t i = 0; i < n->hidden_count; i++)
		if (frame >> FRAME_OBJECT_SHIFT == n->hidden[i].object &&
		    address >= n->hidden[i].start && address < n->hidden[i].end)
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
