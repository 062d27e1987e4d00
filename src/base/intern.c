/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_LEAST 1024

struct key {
	uint64_t hash;
	size_t size;
	_Alignas(max_align_t) char bytes[];
};

struct intern {
	struct key **keys;
	uint32_t count, capacity;
	uint32_t *cells; /* number + 1; 0: unused; at most half full */
	size_t cell_count;
};

struct intern *intern_new(void)
{
	return calloc(1, sizeof(struct intern));
}

void intern_free(struct intern *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->count; i++)
		free(t->keys[i]);
	free(t->keys);
	free(t->cells);
	free(t);
}

/* FNV-1a over words, for speed: keys are texts and small structures. */
static uint64_t hash_of(const void *key, size_t size)
{
	const unsigned char *at = key;
	uint64_t hash = 0xcbf29ce484222325u ^ size, word = 0;

	for (; size >= sizeof(word); at += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = (hash ^ word) * 0x100000001b3u;
		hash ^= hash >> 29;
	}
	word = 0;
	if (size)
		memcpy(&word, at, size);
	hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
	return hash ^ hash >> 32;
}

/* The cell of the key, or the free one where it belongs. */
static size_t find(const struct intern *t, uint64_t hash, const void *key,
		   size_t size)
{
	size_t at = hash & (t->cell_count - 1);

	for (; t->cells[at]; at = (at + 1) & (t->cell_count - 1)) {
		const struct key *k = t->keys[t->cells[at] - 1];

		if (k->hash == hash && k->size == size &&
		    (!size || !memcmp(k->bytes, key, size)))
			break;
	}
	return at;
}

static int grow_cells(struct intern *t)
{
	size_t count = t->cell_count ? 2 * t->cell_count : CELLS_LEAST;
	uint32_t *cells = calloc(count, sizeof(*cells));

	if (!cells)
		return -ENOMEM;
	for (uint32_t i = 0; i < t->count; i++) {
		size_t at = t->keys[i]->hash & (count - 1);

		while (cells[at])
			at = (at + 1) & (count - 1);
		cells[at] = i + 1;
	}
	free(t->cells);
	t->cells = cells;
	t->cell_count = count;
	return 0;
}

static int reserve(struct intern *t)
{
	if (t->count == UINT32_MAX / 4)
		return -ENOMEM;
	if (t->count == t->capacity) {
		uint32_t capacity = t->capacity ? 2 * t->capacity : 512;
		struct key **keys = realloc(t->keys, capacity * sizeof(*keys));

		if (!keys)
			return -ENOMEM;
		t->keys = keys;
		t->capacity = capacity;
	}
	return 2 * ((size_t)t->count + 1) > t->cell_count ? grow_cells(t) : 0;
}

int intern_put(struct intern *t, const void *key, size_t size, uint32_t *number)
{
	uint64_t hash = hash_of(key, size);
	int err = reserve(t);
	struct key *k;
	size_t cell;

	if (err)
		return err;
	cell = find(t, hash, key, size);
	if (t->cells[cell]) {
		*number = t->cells[cell] - 1;
		return 0;
	}
	k = malloc(sizeof(*k) + size + 1);
	if (!k)
		return -ENOMEM;
	k->hash = hash;
	k->size = size;
	if (size)
		memcpy(k->bytes, key, size);
	k->bytes[size] = '\0';
	*number = t->count;
	t->keys[t->count++] = k;
	t->cells[cell] = t->count;
	return 0;
}

uint32_t intern_count(const struct intern *t)
{
	return t->count;
}

const void *intern_key(const struct intern *t, uint32_t number, size_t *size)
{
	if (size)
		*size = t->keys[number]->size;
	return t->keys[number]->bytes;
}
