// SPDX-License-Identifier: GPL-2.0-only
#include "symbol/js_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "symbol/js_sources.h"

/* 16 bytes each; a large program has some 10,000 places that allocate. */
#define FRAMES_FIRST 1024
#define FRAMES_MAX   (1u << 17)
/* For all source maps that a report needs. */
#define LOCATE_NS 10000000000u
/* Ranges of all engines in all targets, a handful of each. */
#define HIDDEN_MAX 64

struct meaning {
	uint64_t frame; /* 0: free */
	uint32_t first; /* its canonical frames: n->canonical[first...] */
	uint32_t count; /* 0: it is one itself, then `first` is flags */
};

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
	struct meaning *table; /* open addressing, at most half full */
	size_t count, capacity;
	uint64_t *canonical;
	size_t canonical_count, canonical_capacity;
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
	n->capacity = FRAMES_FIRST;
	n->table = calloc(n->capacity, sizeof(*n->table));
	/* The texts are the target's choice: it must not know the hashes. */
	if (getrandom(&n->seed, sizeof(n->seed), GRND_NONBLOCK) < 0)
		n->seed = 0xcbf29ce484222325u; /* early boot */
	if (n->table && n->sources)
		return n;
	js_names_free(n);
	return NULL;
}

void js_names_free(struct js_names *n)
{
	if (!n)
		return;
	js_sources_free(n->sources);
	free(n->table);
	free(n->canonical);
	free(n);
}

uint64_t js_names_lost(const struct js_names *n)
{
	return n->lost;
}

/* ---- Tables ---------------------------------------------------------------
 */

static struct meaning *slot_of(struct meaning *table, size_t capacity,
			       uint64_t frame)
{
	/* The frame is a hash. */
	size_t i = frame & (capacity - 1);

	while (table[i].frame && table[i].frame != frame)
		i = (i + 1) & (capacity - 1);
	return &table[i];
}

/* Room for one frame more. */
static bool grow_table(struct js_names *n)
{
	struct meaning *table;

	if (n->count < n->capacity / 2)
		return true;
	if (n->capacity >= FRAMES_MAX)
		return false;
	table = calloc(2 * n->capacity, sizeof(*table));
	if (!table)
		return false;
	for (size_t i = 0; i < n->capacity; i++)
		if (n->table[i].frame)
			*slot_of(table, 2 * n->capacity, n->table[i].frame) =
				n->table[i];
	free(n->table);
	n->table = table;
	n->capacity *= 2;
	return true;
}

static bool put(struct js_names *n, uint64_t frame, uint32_t first,
		uint32_t count)
{
	struct meaning *m;

	if (!grow_table(n))
		return false;
	m = slot_of(n->table, n->capacity, frame);
	n->count += !m->frame;
	*m = (struct meaning){frame, first, count};
	return true;
}

static bool append_canonical(struct js_names *n, uint64_t frame)
{
	if (n->canonical_count == n->canonical_capacity) {
		size_t capacity = n->canonical_capacity
					  ? 2 * n->canonical_capacity
					  : FRAMES_FIRST;
		uint64_t *list =
			realloc(n->canonical, capacity * sizeof(*list));

		if (!list)
			return false;
		n->canonical = list;
		n->canonical_capacity = capacity;
	}
	n->canonical[n->canonical_count++] = frame;
	return true;
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
	const struct meaning *m = slot_of(n->table, n->capacity, canonical);

	if (!append_canonical(n, canonical))
		return false;
	if (m->frame && (!(m->first & APPROXIMATE) || level->approximate))
		return true;
	if (!put(n, canonical,
		 flags_of(level) | script_of(n, frame, level) << SCRIPT_SHIFT,
		 0))
		return false;
	teach(n, canonical, frame, level);
	return true;
}

void js_names_learn(struct js_names *n, const struct js_frame *frame,
		    const struct js_location *l)
{
	size_t first = n->canonical_count;
	bool done = true;

	if (!l->level_count ||
	    slot_of(n->table, n->capacity, frame->frame)->frame)
		return;
	for (uint32_t i = 0; i < l->level_count && done; i++)
		done = add_level(n, frame, &l->levels[i]);
	if (done)
		done = put(n, frame->frame, (uint32_t)first, l->level_count);
	if (done)
		return;
	n->canonical_count = first;
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
		const struct meaning *m =
			slot_of(n->table, n->capacity, frames[i]);

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
			slot_of(n->table, n->capacity, list[k].frame)->first &=
				FLAGS;
	}
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
	const struct meaning *m = slot_of(n->table, n->capacity, frame);
	size_t count;

	if (!max || (!FRAME_IS_JS(frame) && is_hidden(n, frame)))
		return 0;
	if (!FRAME_IS_JS(frame) || !m->count) {
		*known &= !FRAME_IS_JS(frame) || m->frame;
		*out = frame;
		return 1;
	}
	count = m->count < max ? m->count : max;
	memcpy(out, n->canonical + m->first, count * sizeof(*out));
	return count;
}

bool js_names_internal(void *context, uint64_t frame)
{
	const struct js_names *n = context;
	const struct meaning *m = slot_of(n->table, n->capacity, frame);

	return m->frame && !m->count && m->first & INTERNAL;
}
