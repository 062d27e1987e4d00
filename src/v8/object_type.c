/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an object is, in the words of V8's own heap snapshots where they have
 * some: constructors for JavaScript objects, (kinds) for everything else.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "v8/constructor.h"
#include "v8/js_frame.h"
#include "v8/string.h"

/* Of string instance types. */
#define REPRESENTATION 7u
#define CONS	       1u
#define SLICED	       3u

static const struct {
	const char *type, *text;
} kinds[] = {
	{"AllocationSite", "(allocation site)"},
	{"ArrayList", "(array)"},
	{"ByteArray", "(byte array)"},
	{"BytecodeArray", "(bytecode)"},
	{"Code", "(code)"},
	{"CodeDataContainer", "(code)"},
	{"DescriptorArray", "(object shape)"},
	{"FeedbackCell", "(feedback)"},
	{"FeedbackVector", "(feedback)"},
	{"FixedArray", "(array)"},
	{"FixedDoubleArray", "(double array)"},
	{"FreeSpace", "(free)"},
	{"HeapNumber", "(number)"},
	{"InstructionStream", "(code)"},
	{"Map", "(object shape)"},
	{"PropertyArray", "(object properties)"},
	{"ScopeInfo", "(scope info)"},
	{"SharedFunctionInfo", "(function info)"},
	{"StrongDescriptorArray", "(object shape)"},
	{"Symbol", "(symbol)"},
	{"WeakFixedArray", "(weak array)"},
};

/* Tables have no constants of their own, but the same order in all versions,
 * behind FIXED_ARRAY_TYPE. */
static const char *const tables[] = {
	"(hash table)",	 "(weak map entries)", "(dictionary)",
	"(dictionary)",	 "(hash table)",       "(dictionary)",
	"(map entries)", "(set entries)",      "(dictionary)",
};

static int compare_type(const void *key, const void *element)
{
	return *(const uint16_t *)key - ((const struct v8_type *)element)->type;
}

static const char *type_name(const struct v8_engine *e, uint16_t type)
{
	const struct v8_type *t = bsearch(&type, e->types, e->type_count,
					  sizeof(*e->types), compare_type);

	return t ? t->name : NULL;
}

static const char *string_kind(uint16_t type)
{
	switch (type & REPRESENTATION) {
	case CONS:
		return "(concatenated string)";
	case SLICED:
		return "(sliced string)";
	default:
		return "(string)";
	}
}

static void name_kind(const char *name, char *out, size_t size)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].type, name) == 0) {
			snprintf(out, size, "%s", kinds[i].text);
			return;
		}
	}
	snprintf(out, size, "(%s)", name);
}

/* An object of JavaScript: by its constructor, else by its type. */
static void name_object(const struct v8_reader *r, uint64_t map,
			const char *type, char *out, size_t size)
{
	struct text name = {0};

	if (!v8_constructor_name(r, map, &name))
		snprintf(out, size, "%s", name.data);
	else
		snprintf(out, size, "%s",
			 strncmp(type, "JS", 2) == 0 ? type + 2 : type);
	text_free(&name);
}

static void name_other(const struct v8_engine *e, uint16_t type, char *out,
		       size_t size)
{
	const struct v8_layout *l = &e->layout;
	const char *name = type_name(e, type);
	uint32_t table = (uint32_t)(type - l->type_fixed_array - 1);

	if (type >= l->type_context_first && type <= l->type_context_last)
		snprintf(out, size, "(context)");
	else if (name)
		name_kind(name, out, size);
	else if (type > l->type_fixed_array &&
		 table < sizeof(tables) / sizeof(tables[0]))
		snprintf(out, size, "%s", tables[table]);
	else
		snprintf(out, size, "(internal)");
}

int js_object_type(const struct v8_engine *engine, struct v8_memory *memory,
		   uint64_t address, char *out, size_t size)
{
	struct v8_reader r = {engine, 0, memory};
	const struct v8_layout *l = &engine->layout;
	const char *name;
	uint16_t type;
	uint64_t map;

	v8_memory_begin(memory);
	if (v8_type(&r, address | V8_TAG, &type, &map) ||
	    v8_expect(&r, map, l->type_map))
		return -EINVAL;
	if (v8_is_string_type(l, type))
		snprintf(out, size, "%s", string_kind(type));
	else if (v8_is_function_type(l, type))
		snprintf(out, size, "(closure)");
	else if (v8_is_receiver_type(engine, type)) {
		name = type_name(engine, type);
		name_object(&r, map, name ? name : "Object", out, size);
	} else {
		name_other(engine, type, out, size);
	}
	return 0;
}
