/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frame -> symbol, with interned texts, in bounded memory. What was handed out
 * stays valid until the cache is compacted or freed, also when a frame gets a
 * better symbol later.
 */
#ifndef SYMBOL_SYMBOL_CACHE_H
#define SYMBOL_SYMBOL_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/symbolizer.h"
#include "symbol/wire.h"

struct symbol_cache;

struct symbol_cache_entry {
	const struct symbol *symbol;
	bool final; /* false: worth asking again */
};

/* NULL without memory. */
struct symbol_cache *symbol_cache_new(size_t bytes_max);
void symbol_cache_free(struct symbol_cache *c);
size_t symbol_cache_bytes(const struct symbol_cache *c);
size_t symbol_cache_bytes_max(const struct symbol_cache *c);

/* False: not there. */
bool symbol_cache_get(const struct symbol_cache *c, uint64_t frame,
		      struct symbol_cache_entry *entry);
/* Copies and cleans the texts of `s`, which needs at least one level. Returns
 * the symbol, or NULL when the cache is full. */
const struct symbol *symbol_cache_put(struct symbol_cache *c, uint64_t frame,
				      const struct wire_symbol *s,
				      const char *module, bool final);

/* A level as symbol_cache_put takes it; the texts are not copied. */
struct wire_level symbol_cache_level(const struct symbol_level *l);

/* Drops all frames but those that `keep` wants. 0, or -ENOMEM and nothing has
 * changed. */
int symbol_cache_drop(struct symbol_cache *c, symbol_keep_fn keep,
		      void *context);
/* Gives back the memory of what was dropped or replaced. 0, or -ENOMEM and
 * nothing has changed. */
int symbol_cache_compact(struct symbol_cache *c);

#endif
