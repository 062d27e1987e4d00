/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to src/v8: what an object's symbols say about its V8. */
#ifndef V8_LAYOUT_SYMBOLS_H
#define V8_LAYOUT_SYMBOLS_H

#include "v8/layout.h"

struct v8_symbol {
	uint64_t address; /* link-time; 0: not there */
	uint64_t size;	  /* 0: unknown */
};

/* Symbols that are neither probed nor constants of the layout. */
enum v8_helper {
	V8_VERSION_MAJOR, /* int */
	V8_VERSION_MINOR,
	V8_VERSION_BUILD,
	V8_VERSION_PATCH,
	V8_TAGGED_SIZE, /* int: 4 with pointer compression */
	V8_BYTECODE_SIZES,
	V8_DEFAULT_ISOLATE_GROUP,
	/* Functions whose code is read: layout_code.h */
	V8_COLLECT_GARBAGE,
	V8_IS_UNMARKED_HEAP_OBJECT,
	V8_C_ENTRY,
	V8_MUTEX_LOCK, /* what is called there */
	V8_MUTEX_UNLOCK,
	V8_UPDATE_LIMIT, /* of the new space, when it allocates */
	V8_DISPATCH_TABLE_ADDRESS,
	V8_BLOB_CODE,
	V8_BLOB_CODE_SIZE,
	V8_ALLOCATE_YOUNG,
	V8_ALLOCATE_OLD,
	V8_ALLOCATE_PAGE,
	V8_ALLOCATE_LARGE_PAGE,
	V8_EXTERNAL_SINCE_MARK_COMPACT, /* its code is read, too */
	V8_HANDLE_API_CALL,
	V8_HANDLE_API_CALL_HELPER,
	V8_HANDLE_API_CALL_HELPER_NEW,
	V8_CALLBACK_ARGUMENTS_CALL,
	V8_HELPERS
};

/* Fields of struct v8_layout that have a v8dbg_* constant in some version. */
#define V8_CONSTANTS_MAX 64

struct v8_symbols {
	uint32_t constant_count; /* v8dbg_* symbols seen */
	struct v8_symbol constants[V8_CONSTANTS_MAX];
	struct v8_symbol points[V8_POINTS];
	struct v8_symbol helpers[V8_HELPERS];
	/* v8dbg_type_*: where the numbers are, in parallel with `types`. */
	uint32_t type_count;
	uint64_t type_addresses[V8_TYPES_MAX];
	struct v8_type types[V8_TYPES_MAX];
};

/* 0 or -errno. An object without V8 leaves `constant_count` 0; then only the
 * names of its dynamic symbols have been read, if it is large enough. */
int v8_symbols_collect(const struct object *o, struct v8_symbols *out);

/* An int in the object's data; false: not in the object. */
bool v8_int_read(const struct object *o, uint64_t address, int32_t *out);

/* Overwrites the fields of `layout` that have a constant in the object. */
void v8_constants_apply(const struct object *o, const struct v8_symbols *s,
			struct v8_layout *layout);

/* Whether the object has constants, enough to tell versions apart, and all of
 * them are as in `layout`. *differs: the first one that is not, after "v8dbg_",
 * or NULL. */
bool v8_constants_agree(const struct object *o, const struct v8_symbols *s,
			const struct v8_layout *layout, const char **differs);

/* The types' numbers, ordered. */
void v8_types_read(const struct object *o, const struct v8_symbols *s,
		   struct v8_engine *out);

#endif
