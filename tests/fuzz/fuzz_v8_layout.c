/* SPDX-License-Identifier: GPL-2.0-only */
/* A mapped file may claim to hold a V8: whatever its symbols, constants and
 * code say, what comes out must be consistent. libFuzzer entry point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "v8/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct object *o, const struct v8_engine *e)
{
	char version[48];

	v8_version_text(&e->version, version, sizeof(version));
	if ((e->support == V8_FRAMES_AND_HEAP) != !e->reason[0])
		abort();
	if (strnlen(e->reason, sizeof(e->reason)) == sizeof(e->reason))
		abort();
	if (e->builtins_start > e->builtins_end ||
	    e->builtins_end > o->text_end)
		abort();
	if (e->type_count > V8_TYPES_MAX)
		abort();
	for (uint32_t i = 0; i < e->type_count; i++)
		if (strnlen(e->types[i].name, sizeof(e->types[i].name)) ==
			    sizeof(e->types[i].name) ||
		    (i && e->types[i - 1].type > e->types[i].type))
			abort();
	if (e->support != V8_FRAMES_AND_HEAP && e->layout.metadata_mark_bits)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct v8_engine engine;
	struct object_registry *r = object_registry_new();
	int fd = memfd_create("fuzz_v8_layout", MFD_CLOEXEC);
	struct object *o;

	if (!r || fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (object_open(r, fd, "file", &o) == 0) {
		/* Inputs are small, objects with a V8 are not. */
		o->text_end = o->text_base + (16u << 20);
		if (v8_engine_find(o, &engine) == 0)
			check(o, &engine);
	}
	object_registry_free(r);
	return 0;
}
