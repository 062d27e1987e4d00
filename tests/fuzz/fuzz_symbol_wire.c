/* SPDX-License-Identifier: GPL-2.0-only */
/* The worker may be in a hostile file's hands: its answers, any bytes, must be
 * refused or decode to slices of the message, and storing those must give
 * clean texts. libFuzzer entry point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/symbol_cache.h"
#include "symbol/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct symbol *symbol)
{
	for (uint32_t i = 0; i < symbol->level_count; i++) {
		const struct symbol_level *level = &symbol->levels[i];

		if (!level->function[0] || strchr(level->function, '\n') ||
		    (level->file && strchr(level->file, '\033')))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire_symbol decoded;
	struct symbol_cache *cache = symbol_cache_new(1 << 20);
	uint8_t *message = malloc(size + 8);
	uint32_t type = WIRE_SYMBOL;

	if (!cache || !message)
		abort();
	/* Always of the right type: the rest is what is tested. */
	memcpy(message, &type, sizeof(type));
	if (size)
		memcpy(message + sizeof(type), data, size);
	if (!wire_decode_symbol(&decoded, message, sizeof(type) + size) &&
	    decoded.level_count) {
		const struct symbol *s =
			symbol_cache_put(cache, 1, &decoded, "module", true);
		if (s)
			check(s);
	}
	free(message);
	symbol_cache_free(cache);
	return 0;
}
