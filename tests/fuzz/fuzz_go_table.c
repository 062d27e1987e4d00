/* SPDX-License-Identifier: GPL-2.0-only */
/* Go's table of functions is a part of the target's file: whatever it holds,
 * texts end within it, and look-ups agree with the list. libFuzzer entry
 * point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object/go_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct go_table *t, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	if (at < t->data || at >= t->data + t->size ||
	    !memchr(at, 0, (size_t)(t->data + t->size - at)))
		abort();
}

static void check_address(const struct go_table *t, uint64_t address)
{
	struct go_function f;
	const char *file;
	uint32_t line;

	if (!go_table_find(t, address, &f))
		return;
	if (address < f.address || address >= f.end)
		abort();
	check_text(t, f.name);
	go_table_position(t, &f, address, &file, &line);
	if (file)
		check_text(t, file);
	else if (line)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct go_table t;
	uint64_t start;

	go_table_text_start(data, size, 0x18, &start);
	if (go_table_open(&t, data, size))
		return 0;
	for (uint32_t i = 0; i < t.count && i < 64; i++) {
		struct go_function f;

		if (!go_table_function(&t, i, &f))
			continue;
		check_text(&t, f.name);
		check_address(&t, f.address);
		check_address(&t, f.end - 1);
	}
	check_address(&t, t.text_start + 0x1234);
	return 0;
}
