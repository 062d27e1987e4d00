/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/method_class.h"

#include <errno.h>
#include <string.h>

#include "v8/constructor.h"
#include "v8/function.h"

/* The receiver and its prototypes. */
#define CHAIN_MAX 16
/* Of a map: the size of its objects in words, one byte, 0: it varies; the same
 * in all versions. */
#define MAP_INSTANCE_WORDS 8
/* Behind an object's map, properties and elements. */
#define OBJECT_HEADER_WORDS 3
/* Of properties outside of the object: some 1,000 methods, as tables have three
 * words for each and room to grow. */
#define PROPERTY_WORDS_MAX 8192
#define CHUNK_WORDS	   128

static bool is_among(const struct v8_reader *r, uint64_t address, size_t count,
		     uint64_t wanted)
{
	uint64_t words[CHUNK_WORDS];

	while (count) {
		size_t n = count < CHUNK_WORDS ? count : CHUNK_WORDS;

		if (v8_read(r->memory, address, words, n * sizeof(words[0])))
			return false;
		for (size_t i = 0; i < n; i++)
			if (words[i] == wanted)
				return true;
		address += n * sizeof(words[0]);
		count -= n;
	}
	return false;
}

/* Whether a property's value lies in the object itself. */
static bool is_inside(const struct v8_reader *r, uint64_t object, uint64_t map,
		      uint64_t wanted)
{
	uint32_t words;

	if (v8_field_u32(r, map, MAP_INSTANCE_WORDS, &words))
		return false;
	words &= 0xff;
	return words > OBJECT_HEADER_WORDS &&
	       is_among(r, object - V8_TAG + 8 * OBJECT_HEADER_WORDS,
			words - OBJECT_HEADER_WORDS, wanted);
}

/* Or in its array or table of properties. */
static bool is_outside(const struct v8_reader *r, uint64_t object,
		       uint64_t wanted)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t properties;
	uint16_t type;
	int32_t length;

	if (v8_field(r, object, l->object_properties, &properties) ||
	    !v8_is_pointer(properties) || v8_type(r, properties, &type, NULL) ||
	    v8_field_smi(r, properties, l->array_length, &length))
		return false;
	/* An array's length is in the lower bits, a hash in the others. */
	if (type == v8_type_number(r->engine, "PropertyArray"))
		length &= 0x3ff;
	return length > 0 && length <= PROPERTY_WORDS_MAX &&
	       is_among(r, properties - V8_TAG + l->array_data, (size_t)length,
			wanted);
}

/* The object that holds the function: the receiver (`own`) or one of its
 * prototypes. */
static int find_holder(const struct v8_reader *r, uint64_t function,
		       uint64_t object, uint64_t *holder, uint64_t *map,
		       bool *own)
{
	const struct v8_layout *l = v8_layout_of(r);
	int32_t proxy = v8_type_number(r->engine, "JSProxy");
	uint16_t type;

	for (int i = 0; i < CHAIN_MAX; i++) {
		if (!v8_is_pointer(object) || v8_type(r, object, &type, map) ||
		    !v8_is_receiver_type(r->engine, type) || type == proxy)
			return -ENOENT;
		if (is_inside(r, object, *map, function) ||
		    is_outside(r, object, function)) {
			*holder = object;
			*own = i == 0;
			return 0;
		}
		if (v8_field(r, *map, l->map_prototype, &object))
			return -ENOENT;
	}
	return -ENOENT;
}

/* The class that the holder is: itself, the one whose prototype it is, or the
 * one that made it. */
static int name_holder(const struct v8_reader *r, uint64_t function,
		       uint64_t holder, uint64_t map, bool own,
		       struct text *out)
{
	uint64_t class = holder, shared;
	uint16_t type;
	int err = v8_type(r, holder, &type, NULL);

	if (!err && !v8_is_function_type(v8_layout_of(r), type)) {
		err = v8_prototype_constructor(r, holder, &class);
		if (err && own)
			return v8_constructor_name(r, map, out);
	}
	if (!err && class == function) /* called to make an object */
		err = -ENOENT;
	if (!err)
		err = v8_function_shared(r, class, &shared);
	return err ? err : v8_function_name(r, shared, out);
}

int v8_method_class(const struct v8_reader *r, uint64_t function,
		    uint64_t receiver, struct text *out)
{
	size_t before = out->size;
	uint64_t holder, map;
	bool own;
	int err = find_holder(r, function, receiver, &holder, &map, &own);

	if (!err)
		err = name_holder(r, function, holder, map, own, out);
	if (err || out->failed)
		return err ? err : -ENOMEM;
	/* That it is a method of some object says nothing. */
	return out->size == before || !strcmp(out->data + before, "Object") ||
			       out->data[before] == '('
		       ? -ENOENT
		       : 0;
}
