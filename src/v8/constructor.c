/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/constructor.h"

#include <errno.h>

#include "v8/function.h"

/* Transitions between maps that lead back to the constructor. */
#define BACK_POINTERS_MAX 1024
/* Properties of a prototype that are looked at. In objects and property arrays
 * the constructor comes first; in dictionaries anywhere. */
#define SLOTS_IN_OBJECT	 4
#define SLOTS_ARRAY	 4
#define SLOTS_DICTIONARY 192
#define SLOTS_MAX	 SLOTS_DICTIONARY

/* Of an object: map, properties, elements, then the first property. */
#define OBJECT_HEADER_BYTES 24

static int allocating_function(const struct v8_reader *r, uint64_t map,
			       uint64_t *function)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint16_t type = l->type_map;
	int err = 0;

	*function = map;
	for (uint32_t i = 0; !err && type == l->type_map; i++) {
		if (i == BACK_POINTERS_MAX)
			return -E2BIG;
		err = v8_field(r, *function, l->map_constructor, function);
		if (!err)
			err = v8_type(r, *function, &type, NULL);
	}
	return err ? err : v8_is_function_type(l, type) ? 0 : -ENOENT;
}

/* Is this the function whose `prototype` property is `prototype`? */
static bool has_prototype(const struct v8_reader *r, uint64_t function,
			  uint64_t prototype)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t word;
	uint16_t type;

	if (v8_type(r, function, &type, NULL) ||
	    !v8_is_function_type(l, type) ||
	    v8_field(r, function, l->function_prototype, &word))
		return false;
	if (word == prototype)
		return true;
	return !v8_expect(r, word, l->type_map) &&
	       !v8_field(r, word, l->map_prototype, &word) && word == prototype;
}

/* The constructor among `count` words; false: none of them. */
static bool find_among(const struct v8_reader *r, uint64_t address,
		       uint32_t count, uint64_t prototype, uint64_t *function)
{
	uint64_t words[SLOTS_MAX];

	if (v8_read(r->memory, address, words, count * sizeof(words[0])))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (v8_is_pointer(words[i]) &&
		    has_prototype(r, words[i], prototype)) {
			*function = words[i];
			return true;
		}
	}
	return false;
}

static bool find_in_properties(const struct v8_reader *r, uint64_t prototype,
			       uint64_t *function)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t properties;
	uint16_t type;
	int32_t length;
	bool is_table;

	if (v8_field(r, prototype, l->object_properties, &properties) ||
	    v8_type(r, properties, &type, NULL) ||
	    v8_field_smi(r, properties, l->array_length, &length))
		return false;
	/* NameDictionary; a PropertyArray's length has other bits, too. */
	is_table =
		type > l->type_fixed_array && type < l->type_fixed_array + 10;
	if (!is_table)
		length &= 0x3ff;
	if (length > (is_table ? SLOTS_DICTIONARY : SLOTS_ARRAY))
		length = is_table ? SLOTS_DICTIONARY : SLOTS_ARRAY;
	return length > 0 && find_among(r, properties - V8_TAG + l->array_data,
					(uint32_t)length, prototype, function);
}

int v8_prototype_constructor(const struct v8_reader *r, uint64_t prototype,
			     uint64_t *function)
{
	if (find_among(r, prototype - V8_TAG + OBJECT_HEADER_BYTES,
		       SLOTS_IN_OBJECT, prototype, function) ||
	    find_in_properties(r, prototype, function))
		return 0;
	return -ENOENT;
}

int v8_constructor_name(const struct v8_reader *r, uint64_t map,
			struct text *out)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t function, prototype, shared;
	int err = allocating_function(r, map, &function);

	if (err)
		return err;
	if (!v8_field(r, map, l->map_prototype, &prototype) &&
	    v8_is_pointer(prototype) && !has_prototype(r, function, prototype))
		v8_prototype_constructor(r, prototype, &function);
	err = v8_function_shared(r, function, &shared);
	return err ? err : v8_function_name(r, shared, out);
}
