/* SPDX-License-Identifier: GPL-2.0-only */
/* A mapped file is the target's: any bytes must be refused, or be an object
 * whose symbols, sections, PLT and unwind table can be asked for. libFuzzer
 * entry point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "object/object.h"
#include "probe/code_slots.h"
#include "unwind/unwind_table.h"

#define ROWS_MAX    100000
#define STUBS_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int count_symbol(const struct object_symbol *s, void *context)
{
	*(size_t *)context += strlen(s->name);
	return 0;
}

static void read_sections(const struct object *o)
{
	static const char *const names[] = {".eh_frame_hdr", ".eh_frame",
					    ".debug_frame", ".dynstr"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint64_t address;
		uint8_t *bytes;
		size_t size;

		if (object_section(o, names[i], &bytes, &size, &address) &&
		    bytes)
			abort();
		free(bytes);
	}
}

static void check_segments(const struct object *o)
{
	char id[2 * BUILD_ID_BYTES_MAX + 1];
	uint64_t offset, address;

	object_build_id_text(o, id);
	if (o->text_base >= o->text_end ||
	    o->text_end - o->text_base > UINT32_MAX)
		abort();
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *s = &o->segments[i];

		if (object_address_to_offset(o, s->address, &offset) &&
		    !object_offset_to_address(o, offset, &address))
			abort();
	}
}

/* What its PLT leads to, if that is where its code begins. */
static void follow_stubs(const struct object *o)
{
	const struct code_slot *slot;
	struct code_slots slots;

	if (code_slots_read(o, &slots))
		return;
	for (uint64_t at = o->text_base; at - o->text_base < STUBS_BYTES;
	     at += 8)
		if (!code_slots_stub(&slots, o, at, &slot) && slot)
			abort();
	code_slots_free(&slots);
}

static void use(const struct object *o)
{
	static struct unwind_rule_pool pool;
	struct unwind_mark mark = {o->text_base + 1, o->text_end - 1, false};
	struct unwind_table table;
	size_t names = 0;

	check_segments(o);
	follow_stubs(o);
	object_each_symbol(o, count_symbol, &names);
	read_sections(o);
	memset(&pool, 0, sizeof(pool));
	if (unwind_table_build(o, &pool, &mark, 1, ROWS_MAX, &table) == 0)
		for (size_t i = 1; i < table.row_count; i++)
			if (table.rows[i].pc <= table.rows[i - 1].pc)
				abort();
	unwind_table_free(&table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct object_registry *r = object_registry_new();
	int fd = memfd_create("fuzz_object", MFD_CLOEXEC);
	struct object *o;

	if (!r || fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (object_open(r, fd, "file", &o) == 0)
		use(o);
	if (object_from_memory(r, data, size, "image", &o) == 0)
		use(o);
	object_registry_free(r);
	return 0;
}
