/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "symbol/perf_map.h"
#include "symbol/symbolizer_internal.h"

/* Whether the map has to be read: it is new or has changed, or some frame was
 * not looked up in it yet. */
static bool map_is_news(struct symbolizer *s, struct traced *t, int fd,
			const uint64_t *frames, size_t count)
{
	struct symbol_cache_entry entry;
	struct stat st;
	bool news = false;

	if (fstat(fd, &st))
		return false;
	news = st.st_size != t->map_size ||
	       st.st_mtim.tv_sec != t->map_time.tv_sec ||
	       st.st_mtim.tv_nsec != t->map_time.tv_nsec;
	t->map_size = st.st_size;
	t->map_time = st.st_mtim;
	for (size_t i = 0; i < count && !news; i++)
		news = !symbol_cache_get(s->cache, frames[i], &entry);
	return news;
}

static void put_jit(struct symbolizer *s, uint64_t frame,
		    const struct perf_match *m)
{
	struct wire_symbol symbol = {
		.named = true,
		.function_offset = m->address - m->start,
		.level_count = 1,
	};

	symbol.levels[0].function = m->name;
	symbol.levels[0].function_size = (uint32_t)strlen(m->name);
	symbol_cache_put(s->cache, frame, &symbol, "", true);
}

void symbolizer_resolve_jit(struct symbolizer *s, struct traced *t,
			    const uint64_t *frames, size_t count)
{
	CLEANUP_CLOSE int fd = t ? perf_map_open(&t->root) : -1;
	CLEANUP_FREE struct perf_match *matches = NULL;
	struct perf_map_reader reader = {.count = count};

	if (fd >= 0 && map_is_news(s, t, fd, frames, count))
		matches = calloc(count, sizeof(*matches));
	for (size_t i = 0; matches && i < count; i++)
		matches[i].address = frames[i] & FRAME_ADDRESS_MASK;
	reader.matches = matches;
	if (matches)
		perf_map_read(&reader, fd);
	for (size_t i = 0; i < count; i++) {
		struct symbol_cache_entry entry;

		if (matches && matches[i].name)
			put_jit(s, frames[i], &matches[i]);
		else if (!symbol_cache_get(s->cache, frames[i], &entry))
			symbolizer_put_fallback(s, frames[i], false);
		if (matches)
			free(matches[i].name);
	}
}
