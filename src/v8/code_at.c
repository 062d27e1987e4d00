/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions of compiled functions follow the header of an InstructionStream,
 * which points to its Code; up to V8 10 they follow the Code itself. The header
 * is known by its map.
 */
#include <errno.h>

#include "v8/code.h"

#define PAGE_BYTES 4096
#define PAGES_MAX  64
/* Instructions are aligned to 32 bytes or more, headers are 16, 64 or 128 long.
 */
#define ALIGNMENT      16
#define CANDIDATES_MAX 256
#define STREAM_CODE    8 /* first field of a header, in all versions */

struct search {
	const struct v8_reader *r;
	uint64_t address;
	int32_t stream_type; /* -1: the Code itself is the header */
	uint32_t candidates;
	struct v8_code *out;
};

static bool could_be_map(uint64_t word)
{
	return v8_is_pointer(word) && word > V8_PAGE_BYTES && word >> 47 == 0;
}

static bool is_its_code(struct search *s, uint64_t code)
{
	return v8_is_pointer(code) && !v8_code_read(s->r, code, s->out) &&
	       v8_code_holds(s->out, s->address);
}

static bool is_header(struct search *s, uint64_t start)
{
	uint64_t object = start | V8_TAG, code;

	s->candidates++;
	if (s->stream_type < 0)
		return is_its_code(s, object);
	if (v8_expect(s->r, object, (uint16_t)s->stream_type))
		return false;
	return !v8_field(s->r, object, STREAM_CODE, &code) &&
	       is_its_code(s, code);
}

int v8_code_at(const struct v8_reader *r, uint64_t address, struct v8_code *out)
{
	struct search s = {r, address,
			   v8_type_number(r->engine, "InstructionStream"), 0,
			   out};
	uint64_t page = address / PAGE_BYTES * PAGE_BYTES;
	uint64_t words[PAGE_BYTES / sizeof(uint64_t)];

	for (int i = 0; i < PAGES_MAX; i++, page -= PAGE_BYTES) {
		if (v8_read(r->memory, page, words, sizeof(words)))
			return -ENOENT;
		for (uint64_t at = PAGE_BYTES; at > 0;) {
			at -= ALIGNMENT;
			if (page + at > address ||
			    !could_be_map(words[at / sizeof(words[0])]))
				continue;
			if (is_header(&s, page + at))
				return 0;
			if (s.candidates == CANDIDATES_MAX)
				return -ENOENT;
		}
	}
	return -ENOENT;
}
