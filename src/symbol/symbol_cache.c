/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/symbol_cache.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "leakbpf/abi_user.h"
#include "symbol/name.h"

#define CHUNK_BYTES    65536
#define TABLE_FIRST    1024 /* power of two */
#define TEXT_BYTES_MAX 4096

struct chunk {
	struct chunk *next;
	alignas(max_align_t) unsigned char bytes[];
};

struct frame_slot {
	uint64_t frame;
	const struct symbol *symbol; /* NULL: free */
	bool final;
};

struct symbol_cache {
	uint64_t seed;
	size_t bytes, bytes_max;
	struct chunk *chunks; /* newest first; the one with room */
	size_t chunk_used;
	struct frame_slot *frames; /* open addressing, linear probing */
	size_t frame_count, frame_capacity;
	const char **texts; /* the same */
	size_t text_count, text_capacity;
};

/* ---- Memory ------------------------------------------------------------- */

static bool charge(struct symbol_cache *c, size_t bytes)
{
	if (bytes > c->bytes_max - c->bytes)
		return false;
	c->bytes += bytes;
	return true;
}

static void *arena_take(struct symbol_cache *c, size_t size, size_t align)
{
	size_t at = (c->chunk_used + align - 1) & ~(align - 1);

	if (!c->chunks || at + size > CHUNK_BYTES) {
		struct chunk *chunk;

		if (size > CHUNK_BYTES || !charge(c, CHUNK_BYTES))
			return NULL;
		chunk = malloc(sizeof(*chunk) + CHUNK_BYTES);
		if (!chunk)
			return NULL;
		chunk->next = c->chunks;
		c->chunks = chunk;
		at = 0;
	}
	c->chunk_used = at + size;
	return c->chunks->bytes + at;
}

/* ---- Texts -------------------------------------------------------------- */

/* FNV-1a from a random start: the texts are the target's choice. */
static uint64_t hash_text(uint64_t seed, const char *text, size_t size)
{
	uint64_t hash = seed;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

static const char **text_slot(const char **table, size_t capacity,
			      uint64_t seed, const char *text, size_t size)
{
	size_t i = hash_text(seed, text, size) & (capacity - 1);

	while (table[i] &&
	       (strncmp(table[i], text, size) || table[i][size] != '\0'))
		i = (i + 1) & (capacity - 1);
	return &table[i];
}

static bool texts_grow(struct symbol_cache *c)
{
	size_t capacity = c->text_capacity ? 2 * c->text_capacity : TABLE_FIRST;
	const char **table;

	if (c->text_count < c->text_capacity / 4 * 3)
		return true;
	if (!charge(c, (capacity - c->text_capacity) * sizeof(*table)))
		return false;
	table = calloc(capacity, sizeof(*table));
	if (!table)
		return false;
	for (size_t i = 0; i < c->text_capacity; i++)
		if (c->texts[i])
			*text_slot(table, capacity, c->seed, c->texts[i],
				   strlen(c->texts[i])) = c->texts[i];
	free(c->texts);
	c->texts = table;
	c->text_capacity = capacity;
	return true;
}

/* A cleaned, shortened, interned copy, or NULL. */
static const char *intern(struct symbol_cache *c, const char *text, size_t size)
{
	char clean[TEXT_BYTES_MAX];
	const char **slot;
	char *copy;

	if (size > sizeof(clean))
		size = sizeof(clean);
	memcpy(clean, text, size);
	size = symbol_clean_name(clean, size);
	if (!texts_grow(c))
		return NULL;
	slot = text_slot(c->texts, c->text_capacity, c->seed, clean, size);
	if (*slot)
		return *slot;
	copy = arena_take(c, size + 1, 1);
	if (!copy)
		return NULL;
	memcpy(copy, clean, size);
	copy[size] = '\0';
	c->text_count++;
	return *slot = copy;
}

/* ---- Frames ------------------------------------------------------------- */

static struct frame_slot *frame_slot(struct frame_slot *table, size_t capacity,
				     uint64_t frame)
{
	/* Fibonacci hashing: addresses are dense in their low bits. */
	size_t i = (frame * 0x9e3779b97f4a7c15u >> 32) & (capacity - 1);

	while (table[i].symbol && table[i].frame != frame)
		i = (i + 1) & (capacity - 1);
	return &table[i];
}

static bool frames_grow(struct symbol_cache *c)
{
	size_t capacity =
		c->frame_capacity ? 2 * c->frame_capacity : TABLE_FIRST;
	struct frame_slot *table;

	if (c->frame_count < c->frame_capacity / 4 * 3)
		return true;
	if (!charge(c, (capacity - c->frame_capacity) * sizeof(*table)))
		return false;
	table = calloc(capacity, sizeof(*table));
	if (!table)
		return false;
	for (size_t i = 0; i < c->frame_capacity; i++)
		if (c->frames[i].symbol)
			*frame_slot(table, capacity, c->frames[i].frame) =
				c->frames[i];
	free(c->frames);
	c->frames = table;
	c->frame_capacity = capacity;
	return true;
}

/* ---- Verbs -------------------------------------------------------------- */

struct symbol_cache *symbol_cache_new(size_t bytes_max)
{
	struct symbol_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->bytes_max = bytes_max;
	if (getrandom(&c->seed, sizeof(c->seed), GRND_NONBLOCK) < 0)
		c->seed = 0xcbf29ce484222325u; /* early boot */
	if (!frames_grow(c) || !texts_grow(c)) {
		symbol_cache_free(c);
		return NULL;
	}
	return c;
}

void symbol_cache_free(struct symbol_cache *c)
{
	if (!c)
		return;
	while (c->chunks) {
		struct chunk *next = c->chunks->next;

		free(c->chunks);
		c->chunks = next;
	}
	free(c->frames);
	free(c->texts);
	free(c);
}

size_t symbol_cache_bytes(const struct symbol_cache *c)
{
	return c->bytes;
}

size_t symbol_cache_bytes_max(const struct symbol_cache *c)
{
	return c->bytes_max;
}

bool symbol_cache_get(const struct symbol_cache *c, uint64_t frame,
		      struct symbol_cache_entry *entry)
{
	const struct frame_slot *slot =
		frame_slot(c->frames, c->frame_capacity, frame);

	entry->symbol = slot->symbol;
	entry->final = slot->final;
	return slot->symbol != NULL;
}

static bool copy_level(struct symbol_cache *c, const struct wire_level *from,
		       struct symbol_level *to)
{
	to->line = from->line;
	to->column = from->column;
	to->inlined = from->inlined;
	to->approximate = from->approximate;
	to->generated_line = from->generated_line;
	to->generated_column = from->generated_column;
	to->file = to->generated_file = NULL;
	to->function = from->function_size
			       ? intern(c, from->function, from->function_size)
			       : intern(c, "??", 2);
	if (from->file_size)
		to->file = intern(c, from->file, from->file_size);
	if (from->generated_file)
		to->generated_file = intern(c, from->generated_file,
					    strlen(from->generated_file));
	return to->function && (to->file || !from->file_size) &&
	       (to->generated_file || !from->generated_file);
}

static struct symbol *copy_symbol(struct symbol_cache *c,
				  const struct wire_symbol *s,
				  const char *module)
{
	struct symbol *symbol =
		arena_take(c, sizeof(*symbol), alignof(struct symbol));
	struct symbol_level *levels =
		arena_take(c, s->level_count * sizeof(*levels),
			   alignof(struct symbol_level));

	if (!symbol || !levels)
		return NULL;
	for (uint32_t i = 0; i < s->level_count; i++)
		if (!copy_level(c, &s->levels[i], &levels[i]))
			return NULL;
	*symbol = (struct symbol){
		.levels = levels,
		.level_count = s->level_count,
		.module = intern(c, module, strlen(module)),
		.function_offset = s->function_offset,
		.named = s->named,
	};
	/* Nothing is inlined into nothing. */
	levels[s->level_count - 1].inlined = false;
	return symbol->module ? symbol : NULL;
}

const struct symbol *symbol_cache_put(struct symbol_cache *c, uint64_t frame,
				      const struct wire_symbol *s,
				      const char *module, bool final)
{
	struct frame_slot *slot;
	struct symbol *symbol;

	if (!frames_grow(c))
		return NULL;
	symbol = copy_symbol(c, s, module);
	if (!symbol)
		return NULL;
	slot = frame_slot(c->frames, c->frame_capacity, frame);
	c->frame_count += !slot->symbol;
	symbol->script = FRAME_IS_JS(frame);
	*slot = (struct frame_slot){frame, symbol, final};
	return symbol;
}

/* ---- Forgetting -----------------------------------------------------------
 */

int symbol_cache_drop(struct symbol_cache *c, symbol_keep_fn keep,
		      void *context)
{
	struct frame_slot *table =
		calloc(c->frame_capacity, sizeof(*c->frames));
	size_t kept = 0;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < c->frame_capacity; i++) {
		struct frame_slot *slot = &c->frames[i];

		if (!slot->symbol || !keep(slot->frame, context))
			continue;
		*frame_slot(table, c->frame_capacity, slot->frame) = *slot;
		kept++;
	}
	free(c->frames);
	c->frames = table;
	c->frame_count = kept;
	return 0;
}

struct wire_level symbol_cache_level(const struct symbol_level *from)
{
	return (struct wire_level){
		.function = from->function,
		.file = from->file,
		.function_size = (uint32_t)strlen(from->function),
		.file_size = from->file ? (uint32_t)strlen(from->file) : 0,
		.line = from->line,
		.column = from->column,
		.inlined = from->inlined,
		.approximate = from->approximate,
		.generated_file = from->generated_file,
		.generated_line = from->generated_line,
		.generated_column = from->generated_column,
	};
}

static bool copy_slot(struct symbol_cache *to, const struct frame_slot *slot)
{
	const struct symbol *s = slot->symbol;
	struct wire_symbol copy = {
		.named = s->named,
		.function_offset = s->function_offset,
		.level_count = s->level_count,
	};

	for (uint32_t i = 0; i < s->level_count; i++)
		copy.levels[i] = symbol_cache_level(&s->levels[i]);
	return symbol_cache_put(to, slot->frame, &copy, s->module,
				slot->final) != NULL;
}

int symbol_cache_compact(struct symbol_cache *c)
{
	struct symbol_cache *fresh = symbol_cache_new(c->bytes_max), old = *c;
	bool good = fresh != NULL;

	for (size_t i = 0; good && i < c->frame_capacity; i++)
		if (c->frames[i].symbol)
			good = copy_slot(fresh, &c->frames[i]);
	if (!good) {
		symbol_cache_free(fresh);
		return -ENOMEM;
	}
	*c = *fresh;
	*fresh = old;
	symbol_cache_free(fresh);
	return 0;
}
