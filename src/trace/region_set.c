/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/region_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void region_set_free(struct region_set *s)
{
	for (size_t i = 0; i < s->chunk_count; i++)
		free(s->chunks[i]);
	free(s->chunks);
	memset(s, 0, sizeof(*s));
}

/* Whether `r` lies wholly before (tgid, address). */
static bool is_before(const struct region *r, uint32_t tgid, uint64_t address)
{
	return r->tgid < tgid || (r->tgid == tgid && r->end <= address);
}

struct region_place region_set_find(const struct region_set *s, uint32_t tgid,
				    uint64_t address)
{
	struct region_place at = {0, 0};
	size_t low = 0, high = s->chunk_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct region_chunk *c = s->chunks[middle];

		if (is_before(&c->list[c->count - 1], tgid, address))
			low = middle + 1;
		else
			high = middle;
	}
	at.chunk = low;
	if (low == s->chunk_count)
		return at;
	low = 0;
	high = s->chunks[at.chunk]->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (is_before(&s->chunks[at.chunk]->list[middle], tgid,
			      address))
			low = middle + 1;
		else
			high = middle;
	}
	at.index = low;
	return at;
}

struct region *region_set_at(const struct region_set *s, struct region_place at)
{
	return at.chunk < s->chunk_count ? &s->chunks[at.chunk]->list[at.index]
					 : NULL;
}

struct region_place region_set_next(const struct region_set *s,
				    struct region_place at)
{
	if (++at.index >= s->chunks[at.chunk]->count)
		at = (struct region_place){at.chunk + 1, 0};
	return at;
}

struct region *region_set_before(const struct region_set *s,
				 struct region_place at)
{
	struct region_chunk *c;

	if (at.index)
		return &s->chunks[at.chunk]->list[at.index - 1];
	if (!at.chunk)
		return NULL;
	c = s->chunks[at.chunk - 1];
	return &c->list[c->count - 1];
}

static int insert_chunk(struct region_set *s, size_t at)
{
	struct region_chunk *c;

	if (s->chunk_count == s->chunk_capacity) {
		size_t capacity = s->chunk_capacity ? 2 * s->chunk_capacity : 8;
		struct region_chunk **chunks =
			realloc(s->chunks, capacity * sizeof(s->chunks[0]));

		if (!chunks)
			return -ENOMEM;
		s->chunks = chunks;
		s->chunk_capacity = capacity;
	}
	c = malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->count = 0;
	memmove(&s->chunks[at + 1], &s->chunks[at],
		(s->chunk_count - at) * sizeof(s->chunks[0]));
	s->chunks[at] = c;
	s->chunk_count++;
	return 0;
}

static void remove_chunk(struct region_set *s, size_t at)
{
	free(s->chunks[at]);
	s->chunk_count--;
	memmove(&s->chunks[at], &s->chunks[at + 1],
		(s->chunk_count - at) * sizeof(s->chunks[0]));
}

/* Makes room in front of `at`: halves its chunk when that is full. */
static int make_room(struct region_set *s, struct region_place *at)
{
	struct region_chunk *full, *half;
	int err;

	/* Past the last region: the end of the last chunk. */
	if (at->chunk == s->chunk_count) {
		if (!s->chunk_count)
			return insert_chunk(s, 0);
		at->chunk--;
		at->index = s->chunks[at->chunk]->count;
	}
	full = s->chunks[at->chunk];
	if (full->count < REGION_CHUNK)
		return 0;
	err = insert_chunk(s, at->chunk + 1);
	if (err)
		return err;
	half = s->chunks[at->chunk + 1];
	half->count = REGION_CHUNK / 2;
	full->count = REGION_CHUNK - half->count;
	memcpy(half->list, &full->list[full->count],
	       half->count * sizeof(half->list[0]));
	if (at->index > full->count) {
		at->index -= full->count;
		at->chunk++;
	}
	return 0;
}

int region_set_insert(struct region_set *s, struct region_place at,
		      const struct region *r)
{
	struct region_chunk *c;
	int err = s->count >= s->max ? -ENOSPC : make_room(s, &at);

	if (err)
		return err;
	c = s->chunks[at.chunk];
	memmove(&c->list[at.index + 1], &c->list[at.index],
		(c->count - at.index) * sizeof(c->list[0]));
	c->list[at.index] = *r;
	c->count++;
	s->count++;
	return 0;
}

/* Appends the chunk after `at` to it when both are nearly empty. */
static bool join_chunks(struct region_set *s, size_t at)
{
	struct region_chunk *to, *from;

	if (at + 1 >= s->chunk_count)
		return false;
	to = s->chunks[at];
	from = s->chunks[at + 1];
	if (to->count + from->count > REGION_CHUNK / 2)
		return false;
	memcpy(&to->list[to->count], from->list,
	       from->count * sizeof(from->list[0]));
	to->count += from->count;
	remove_chunk(s, at + 1);
	return true;
}

struct region_place region_set_erase(struct region_set *s,
				     struct region_place at)
{
	struct region_chunk *c = s->chunks[at.chunk];
	uint32_t before;

	s->count--;
	c->count--;
	memmove(&c->list[at.index], &c->list[at.index + 1],
		(c->count - at.index) * sizeof(c->list[0]));
	if (!c->count) {
		remove_chunk(s, at.chunk);
		return (struct region_place){at.chunk, 0};
	}
	before = at.chunk ? s->chunks[at.chunk - 1]->count : 0;
	if (at.chunk && join_chunks(s, at.chunk - 1)) {
		at.chunk--;
		at.index += before;
	} else {
		join_chunks(s, at.chunk);
	}
	if (at.index >= s->chunks[at.chunk]->count)
		at = (struct region_place){at.chunk + 1, 0};
	return at;
}
