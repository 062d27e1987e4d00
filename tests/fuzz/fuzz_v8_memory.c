/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of a Node process is its own to write: frames and objects of a
 * real one, with words of it changed, are decoded with bounded work and to
 * bounded names. The input: a byte for what is decoded, then 12 bytes each for
 * a word that is put somewhere. libFuzzer entry point.
 */
#include <stdlib.h>

#include "../unit/v8_image.h"
#include "v8/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IMAGE "tests/unit/data/v8/node24.gz"

struct edit {
	uint16_t block;
	uint16_t word; /* of the block; above: what to change is in a byte */
	uint64_t value;
} __attribute__((packed));

#define WORDS (IMAGE_BLOCK_BYTES / sizeof(uint64_t))

static void check(int condition)
{
	if (!condition)
		abort();
}

/* Pointers within the image and small changes do more than random words. */
static uint64_t changed(const struct v8_image *m, uint64_t old,
			const struct edit *e)
{
	switch (e->word / WORDS % 4) {
	case 0:
		return e->value;
	case 1:
		return old ^ 1ULL << e->value % 64;
	case 2:
		return e->value << V8_SMI_SHIFT;
	default:
		return m->blocks[e->value % m->block_count].address +
		       (e->value >> 16) % IMAGE_BLOCK_BYTES;
	}
}

static void apply(struct v8_image *m, const uint8_t *data, size_t size)
{
	for (; size >= sizeof(struct edit); size -= sizeof(struct edit)) {
		uint64_t word;
		struct edit e;
		uint8_t *at;

		memcpy(&e, data, sizeof(e));
		data += sizeof(e);
		at = m->blocks[e.block % m->block_count].bytes +
		     e.word % WORDS * sizeof(word);
		memcpy(&word, at, sizeof(word));
		word = changed(m, word, &e);
		memcpy(at, &word, sizeof(word));
	}
}

static void restore(struct v8_image *m, const struct v8_image *original,
		    const uint8_t *data, size_t size)
{
	for (; size >= sizeof(struct edit); size -= sizeof(struct edit)) {
		struct edit e;
		size_t block;

		memcpy(&e, data, sizeof(e));
		data += sizeof(e);
		block = e.block % m->block_count;
		m->blocks[block] = original->blocks[block];
	}
}

static void decode(struct v8_image *m, uint8_t which)
{
	struct js_scripts *scripts = js_scripts_new(1 << 16);
	struct js_location at;
	char type[32];

	check(scripts != NULL);
	m->reads = 0;
	if (which & 1)
		js_object_type(&m->engine, &m->memory,
			       m->objects[which / 2 % m->object_count].address,
			       type, sizeof(type));
	else {
		check(!js_frame_resolve(
			&m->engine, m->bias, &m->memory, scripts,
			&m->frames[which / 2 % m->frame_count], &at));
		check(at.level_count <= JS_LEVELS_MAX);
		for (uint32_t i = 0; i < at.level_count; i++)
			check(strlen(at.levels[i].function) <= V8_NAME_BYTES);
		js_location_free(&at);
	}
	check(m->reads <= V8_REQUEST_READS);
	js_scripts_free(scripts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct v8_image *original, *m;

	if (!original) {
		original = image_open(IMAGE);
		m = malloc(sizeof(*m));
		check(original && m && original->frame_count);
		memcpy(m, original, sizeof(*m));
		m->memory.context = m;
	}
	if (!size)
		return 0;
	apply(m, data + 1, size - 1);
	decode(m, data[0]);
	restore(m, original, data + 1, size - 1);
	return 0;
}
