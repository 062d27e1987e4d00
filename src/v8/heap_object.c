/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/heap_object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int v8_field(const struct v8_reader *r, uint64_t object, uint32_t offset,
	     uint64_t *out)
{
	if (!v8_is_pointer(object))
		return -ESTALE;
	return v8_read_word(r->memory, object - V8_TAG + offset, out);
}

int v8_field_u32(const struct v8_reader *r, uint64_t object, uint32_t offset,
		 uint32_t *out)
{
	if (!v8_is_pointer(object))
		return -ESTALE;
	return v8_read_u32(r->memory, object - V8_TAG + offset, out);
}

int v8_field_smi(const struct v8_reader *r, uint64_t object, uint32_t offset,
		 int32_t *out)
{
	uint64_t word;
	int err = v8_field(r, object, offset, &word);

	if (err)
		return err;
	if (!v8_is_smi(word))
		return -ESTALE;
	*out = v8_smi(word);
	return 0;
}

int v8_type(const struct v8_reader *r, uint64_t object, uint16_t *type,
	    uint64_t *map)
{
	uint64_t word;
	uint32_t bits;
	int err = v8_field(r, object, 0, &word);

	/* While an object is moved its map word is the new address, untagged:
	 * v8_field_u32 refuses that. */
	if (!err)
		err = v8_field_u32(r, word, v8_layout_of(r)->map_instance_type,
				   &bits);
	if (err)
		return err;
	*type = (uint16_t)bits;
	if (map)
		*map = word;
	return 0;
}

int v8_expect(const struct v8_reader *r, uint64_t object, uint16_t type)
{
	uint16_t found;
	int err = v8_type(r, object, &found, NULL);

	if (err)
		return err;
	return found == type ? 0 : -ESTALE;
}

int32_t v8_type_number(const struct v8_engine *engine, const char *name)
{
	for (uint32_t i = 0; i < engine->type_count; i++)
		if (strcmp(engine->types[i].name, name) == 0)
			return engine->types[i].type;
	return -1;
}

bool v8_is_function_type(const struct v8_layout *l, uint16_t type)
{
	return type >= l->type_js_function_first &&
	       type <= l->type_js_function_last;
}

bool v8_is_receiver_type(const struct v8_engine *engine, uint16_t type)
{
	/* Proxies come first; not all the others have names of their own. */
	int32_t first = v8_type_number(engine, "JSProxy");

	return first >= 0 && type >= first;
}

int v8_element(const struct v8_reader *r, uint64_t array, uint32_t index,
	       uint64_t *out)
{
	const struct v8_layout *l = v8_layout_of(r);
	int32_t length;
	int err = v8_field_smi(r, array, l->array_length, &length);

	if (err)
		return err;
	if (length < 0 || index >= (uint32_t)length)
		return -ENOENT;
	return v8_read_word(r->memory,
			    array - V8_TAG + l->array_data + 8ULL * index, out);
}

int v8_byte_array(const struct v8_reader *r, uint64_t array, size_t max,
		  uint8_t **data, size_t *size)
{
	const struct v8_layout *l = v8_layout_of(r);
	int32_t length;
	int err = v8_field_smi(r, array, l->array_length, &length);

	if (err)
		return err;
	if (length < 0 || (size_t)length > max)
		return -E2BIG;
	*data = malloc(length ? (size_t)length : 1);
	if (!*data)
		return -ENOMEM;
	*size = (size_t)length;
	if (length)
		err = v8_read(r->memory, array - V8_TAG + l->array_data, *data,
			      *size);
	if (err) {
		free(*data);
		*data = NULL;
	}
	return err;
}
