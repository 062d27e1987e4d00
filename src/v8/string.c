/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/string.h"

#include <errno.h>

/* Of an instance type (v8dbg: StringRepresentationMask, StringEncodingMask). */
#define REPRESENTATION 7u
#define ONE_BYTE       8u
#define UNCACHED       16u /* external, without a pointer to its characters */
enum { SEQUENTIAL = 0, CONS = 1, EXTERNAL = 2, SLICED = 3, THIN = 5 };

/* Of a left-leaning tree of concatenations; V8 flattens what it compiles and
 * most of what it looks up. */
#define PIECES_MAX  256
#define CHUNK_UNITS 4096

/* Units [from, to) of a string. */
struct piece {
	uint64_t string;
	uint32_t from, to;
};

struct walk {
	const struct v8_reader *r;
	v8_units each;
	void *context;
	uint32_t waiting;
	struct piece pieces[PIECES_MAX];
};

bool v8_is_string_type(const struct v8_layout *l, uint16_t type)
{
	return type < l->type_first_nonstring;
}

int v8_string_length(const struct v8_reader *r, uint64_t string,
		     uint32_t *length)
{
	uint16_t type;
	int err = v8_type(r, string, &type, NULL);

	if (err)
		return err;
	if (!v8_is_string_type(v8_layout_of(r), type))
		return -ESTALE;
	return v8_field_u32(r, string, v8_layout_of(r)->string_length, length);
}

static int push(struct walk *w, uint64_t string, uint32_t from, uint32_t to)
{
	if (from >= to)
		return 0;
	if (w->waiting == PIECES_MAX)
		return -E2BIG;
	w->pieces[w->waiting++] = (struct piece){string, from, to};
	return 0;
}

static int hand_out(struct walk *w, uint64_t address, bool one_byte,
		    const struct piece *p)
{
	uint16_t units[CHUNK_UNITS];
	uint8_t bytes[CHUNK_UNITS];

	for (uint32_t at = p->from; at < p->to;) {
		uint32_t n =
			p->to - at < CHUNK_UNITS ? p->to - at : CHUNK_UNITS;
		int err =
			one_byte ? v8_read(w->r->memory, address + at, bytes, n)
				 : v8_read(w->r->memory, address + 2ULL * at,
					   units, 2ULL * n);

		if (err)
			return err;
		for (uint32_t i = 0; one_byte && i < n; i++)
			units[i] = bytes[i];
		err = w->each(w->context, units, n);
		if (err)
			return err;
		at += n;
	}
	return 0;
}

static int walk_cons(struct walk *w, const struct piece *p)
{
	const struct v8_layout *l = v8_layout_of(w->r);
	uint64_t first, second;
	uint32_t length;
	int err = v8_field(w->r, p->string, l->cons_first, &first);

	if (!err)
		err = v8_field(w->r, p->string, l->cons_second, &second);
	if (!err)
		err = v8_string_length(w->r, first, &length);
	if (!err && p->to > length)
		err = push(w, second, p->from > length ? p->from - length : 0,
			   p->to - length);
	if (!err)
		err = push(w, first, p->from, p->to < length ? p->to : length);
	return err;
}

static int walk_sliced(struct walk *w, const struct piece *p)
{
	const struct v8_layout *l = v8_layout_of(w->r);
	uint64_t parent;
	int32_t offset;
	int err = v8_field(w->r, p->string, l->sliced_parent, &parent);

	if (!err)
		err = v8_field_smi(w->r, p->string, l->sliced_offset, &offset);
	if (err)
		return err;
	if (offset < 0 || p->to > UINT32_MAX - (uint32_t)offset)
		return -ESTALE;
	return push(w, parent, p->from + (uint32_t)offset,
		    p->to + (uint32_t)offset);
}

static int walk_piece(struct walk *w, const struct piece *p)
{
	const struct v8_layout *l = v8_layout_of(w->r);
	uint16_t type;
	uint32_t length;
	uint64_t word;
	int err = v8_type(w->r, p->string, &type, NULL);

	if (!err)
		err = v8_field_u32(w->r, p->string, l->string_length, &length);
	if (err)
		return err;
	if (!v8_is_string_type(l, type) || p->to > length)
		return -ESTALE;
	switch (type & REPRESENTATION) {
	case SEQUENTIAL:
		return hand_out(w, p->string - V8_TAG + l->string_chars,
				type & ONE_BYTE, p);
	case CONS:
		return walk_cons(w, p);
	case SLICED:
		return walk_sliced(w, p);
	case THIN:
		err = v8_field(w->r, p->string, l->thin_actual, &word);
		return err ? err : push(w, word, p->from, p->to);
	case EXTERNAL:
		if (type & UNCACHED)
			return -ENOENT;
		err = v8_field(w->r, p->string, l->external_data, &word);
		return err ? err : hand_out(w, word, type & ONE_BYTE, p);
	default:
		return -ESTALE;
	}
}

int v8_string_each(const struct v8_reader *r, uint64_t string, uint32_t max,
		   v8_units each, void *context)
{
	struct walk w = {.r = r, .each = each, .context = context};
	uint32_t length;
	int err = v8_string_length(r, string, &length);

	if (!err)
		err = push(&w, string, 0, length < max ? length : max);
	while (!err && w.waiting) {
		struct piece p = w.pieces[--w.waiting];

		err = walk_piece(&w, &p);
	}
	return err;
}

struct utf8 {
	struct text *out;
	size_t left;
	uint32_t high; /* surrogate that waits for its second half */
};

#define FULL		     1
#define REPLACEMENT	     0xfffd
#define IS_HIGH_SURROGATE(u) ((u) >> 10 == 0x36)
#define IS_LOW_SURROGATE(u)  ((u) >> 10 == 0x37)

static int put(struct utf8 *u, uint32_t c)
{
	char s[4];
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n > u->left)
		return FULL;
	if (n == 1)
		s[0] = (char)c;
	else
		s[0] = (char)((0xf00 >> n & 0xff) | c >> 6 * (n - 1));
	for (size_t i = 1; i < n; i++)
		s[i] = (char)(0x80 | (c >> 6 * (n - 1 - i) & 0x3f));
	text_append(u->out, s, n);
	u->left -= n;
	return 0;
}

static int put_units(void *context, const uint16_t *units, size_t count)
{
	struct utf8 *u = context;
	int err = 0;

	for (size_t i = 0; i < count && !err; i++) {
		uint32_t c = units[i];

		if (u->high && IS_LOW_SURROGATE(c)) {
			c = 0x10000 + ((u->high & 0x3ff) << 10 | (c & 0x3ff));
			u->high = 0;
		} else if (u->high) {
			err = put(u, REPLACEMENT);
			u->high = 0;
		}
		if (err)
			break;
		if (IS_HIGH_SURROGATE(c))
			u->high = c;
		else
			err = put(u,
				  !c || IS_LOW_SURROGATE(c) ? REPLACEMENT : c);
	}
	return err;
}

int v8_string_utf8(const struct v8_reader *r, uint64_t string, size_t max_bytes,
		   struct text *out)
{
	struct utf8 u = {out, max_bytes, 0};
	/* No unit takes less than a byte. */
	uint32_t max =
		max_bytes < UINT32_MAX ? (uint32_t)max_bytes : UINT32_MAX;
	int err = v8_string_each(r, string, max, put_units, &u);

	if (!err && u.high)
		err = put(&u, REPLACEMENT);
	if (err < 0)
		return err;
	return out->failed ? -ENOMEM : 0;
}
