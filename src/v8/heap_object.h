/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Words of V8's heap as seen from outside: Smis, tagged pointers, fields, and
 * the type of an object, which every decoder checks before it believes a field.
 *
 * Errors, here and in the decoders: -EFAULT not readable, -E2BIG too long or
 * over budget, -ESTALE not the kind of object it should be (it has moved or
 * died), -ENOENT it has no such thing.
 */
#ifndef V8_HEAP_OBJECT_H
#define V8_HEAP_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "v8/layout.h"
#include "v8/memory.h"

struct v8_reader {
	const struct v8_engine *engine;
	uint64_t bias; /* load bias of the engine's object */
	struct v8_memory *memory;
};

static inline const struct v8_layout *v8_layout_of(const struct v8_reader *r)
{
	return &r->engine->layout;
}

static inline bool v8_is_smi(uint64_t word)
{
	return (uint32_t)word == 0;
}

static inline int32_t v8_smi(uint64_t word)
{
	return (int32_t)(word >> V8_SMI_SHIFT);
}

static inline bool v8_is_pointer(uint64_t word)
{
	return (word & V8_TAG_MASK) == V8_TAG;
}

/* A weak pointer as a strong one; others unchanged. */
static inline uint64_t v8_strong(uint64_t word)
{
	return (word & V8_TAG_MASK) == V8_TAG_MASK ? word & ~2ULL : word;
}

/* The word at `offset` of the object that `object` (tagged) points to. */
int v8_field(const struct v8_reader *r, uint64_t object, uint32_t offset,
	     uint64_t *out);
/* The same for a field of 32 bits. */
int v8_field_u32(const struct v8_reader *r, uint64_t object, uint32_t offset,
		 uint32_t *out);
/* The same for a Smi; -ESTALE when it is none. */
int v8_field_smi(const struct v8_reader *r, uint64_t object, uint32_t offset,
		 int32_t *out);

/* Instance type of an object; of its map, too, when `map` is not NULL. */
int v8_type(const struct v8_reader *r, uint64_t object, uint16_t *type,
	    uint64_t *map);
/* 0 when the object is of this type. */
int v8_expect(const struct v8_reader *r, uint64_t object, uint16_t type);
/* Number of an instance type by V8's name for it ("JSProxy"), -1: unknown. */
int32_t v8_type_number(const struct v8_engine *engine, const char *name);
bool v8_is_function_type(const struct v8_layout *l, uint16_t type);
/* Of what JavaScript holds by reference: objects, functions, proxies. */
bool v8_is_receiver_type(const struct v8_engine *engine, uint16_t type);

/* Element of a FixedArray, WeakFixedArray or their like; -ENOENT: no such
 * index. */
int v8_element(const struct v8_reader *r, uint64_t array, uint32_t index,
	       uint64_t *out);

/* All bytes of a ByteArray, malloc'ed; -E2BIG beyond `max`. */
int v8_byte_array(const struct v8_reader *r, uint64_t array, size_t max,
		  uint8_t **data, size_t *size);

#endif
