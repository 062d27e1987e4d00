// SPDX-License-Identifier: GPL-2.0-only
#include "symbol/js_meanings.h"

#include <errno.h>
#include <stdlib.h>

/* 24 bytes each; a large program has some 10,000 places that allocate. */
#define FRAMES_FIRST 1024
#define FRAMES_MAX   (1u << 17)

int js_meanings_init(struct js_meanings *m)
{
	*m = (struct js_meanings){.capacity = FRAMES_FIRST};
	m->table = calloc(m->capacity, sizeof(*m->table));
	return m->table ? 0 : -ENOMEM;
}

void js_meanings_free(struct js_meanings *m)
{
	free(m->table);
	free(m->canonical);
	*m = (struct js_meanings){0};
}

static struct js_meaning *slot_of(struct js_meaning *table, size_t capacity,
				  uint64_t frame)
{
	/* The frame is a hash. */
	size_t i = frame & (capacity - 1);

	while (table[i].frame && table[i].frame != frame)
		i = (i + 1) & (capacity - 1);
	return &table[i];
}

struct js_meaning *js_meaning_of(const struct js_meanings *m, uint64_t frame)
{
	return slot_of(m->table, m->capacity, frame);
}

/* Room for one frame more. */
static bool grow_table(struct js_meanings *m)
{
	struct js_meaning *table;

	if (m->count < m->capacity / 2)
		return true;
	if (m->capacity >= FRAMES_MAX)
		return false;
	table = calloc(2 * m->capacity, sizeof(*table));
	if (!table)
		return false;
	for (size_t i = 0; i < m->capacity; i++)
		if (m->table[i].frame)
			*slot_of(table, 2 * m->capacity, m->table[i].frame) =
				m->table[i];
	free(m->table);
	m->table = table;
	m->capacity *= 2;
	return true;
}

bool js_meanings_put(struct js_meanings *m, uint64_t frame, uint32_t first,
		     uint32_t count)
{
	struct js_meaning *slot;

	if (!grow_table(m))
		return false;
	slot = js_meaning_of(m, frame);
	m->count += !slot->frame;
	*slot = (struct js_meaning){frame, first, count, 0};
	return true;
}

bool js_meanings_append(struct js_meanings *m, uint64_t frame)
{
	if (m->canonical_count == m->canonical_capacity) {
		size_t capacity = m->canonical_capacity
					  ? 2 * m->canonical_capacity
					  : FRAMES_FIRST;
		uint64_t *list =
			realloc(m->canonical, capacity * sizeof(*list));

		if (!list)
			return false;
		m->canonical = list;
		m->canonical_capacity = capacity;
	}
	m->canonical[m->canonical_count++] = frame;
	return true;
}

bool js_meanings_are_many(const struct js_meanings *m)
{
	return m->count > FRAMES_MAX / 8 * 3;
}

/* A canonical frame. */
static bool keep_one(struct js_meanings *to, const struct js_meaning *m)
{
	if (!js_meanings_put(to, m->frame, m->first, 0))
		return false;
	js_meaning_of(to, m->frame)->function = m->function;
	return true;
}

/* A frame that is in use, with its meaning. */
static bool keep(struct js_meanings *to, const struct js_meanings *from,
		 const struct js_meaning *m)
{
	uint32_t first = (uint32_t)to->canonical_count;
	bool good = true;

	for (uint32_t i = 0; good && i < m->count; i++) {
		uint64_t frame = from->canonical[m->first + i];

		good = js_meanings_append(to, frame) &&
		       keep_one(to, js_meaning_of(from, frame));
	}
	return good &&
	       (m->count ? js_meanings_put(to, m->frame, first, m->count)
			 : keep_one(to, m));
}

int js_meanings_keep(struct js_meanings *m, const struct number_set *in_use)
{
	struct js_meanings fresh, old = *m;
	bool good = !js_meanings_init(&fresh);

	for (size_t i = 0; good && i < m->capacity; i++)
		if (m->table[i].frame &&
		    number_set_has(in_use, m->table[i].frame))
			good = keep(&fresh, m, &m->table[i]);
	if (good)
		*m = fresh;
	js_meanings_free(good ? &old : &fresh);
	return good ? 0 : -ENOMEM;
}
