/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/symbolizer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "leakbpf/abi_user.h"
#include "symbol/symbolizer_internal.h"

#define DEBUG_DIRECTORY	    "/usr/lib/debug"
#define REQUEST_MS_DEFAULT  5000
#define IDLE_MS_DEFAULT	    5000
#define CACHE_BYTES_DEFAULT (8u << 20)
#define RESOLVE_REQUESTS    4 /* one call lasts at most that many request_ms */

static uint32_t frame_object(uint64_t frame)
{
	return (uint32_t)(frame >> FRAME_OBJECT_SHIFT);
}

const struct object *symbolizer_object_of(const struct symbolizer *s,
					  uint64_t frame)
{
	uint32_t id = frame_object(frame);

	if (id == OBJECT_NONE || id >= OBJECTS_MAX)
		return NULL;
	return object_by_id(s->objects, id);
}

const char *symbolizer_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* ---- Life --------------------------------------------------------------- */

struct symbolizer *symbolizer_new(struct object_registry *objects,
				  const struct symbolizer_options *options)
{
	static const struct symbolizer_options none;
	const struct symbolizer_options *o = options ? options : &none;
	struct worker_options worker = {
		.idle_ms = o->idle_ms ? o->idle_ms : IDLE_MS_DEFAULT,
		.request_ms =
			o->request_ms ? o->request_ms : REQUEST_MS_DEFAULT,
	};
	struct symbolizer *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	err = worker_link_start(&s->link, &worker);
	if (err) {
		free(s);
		errno = -err;
		return NULL;
	}
	s->objects = objects;
	s->no_dwarf = o->no_dwarf;
	s->debuginfod = o->debuginfod;
	s->debug_directory =
		open(o->debug_directory ? o->debug_directory : DEBUG_DIRECTORY,
		     O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->cache = symbol_cache_new(o->cache_bytes ? o->cache_bytes
						   : CACHE_BYTES_DEFAULT);
	if (!s->cache) {
		symbolizer_free(s);
		errno = ENOMEM;
		return NULL;
	}
	return s;
}

void symbolizer_free(struct symbolizer *s)
{
	if (!s)
		return;
	worker_link_stop(&s->link);
	for (size_t i = 0; i < s->target_count; i++)
		target_root_close(&s->targets[i].root);
	if (s->debug_directory >= 0)
		close(s->debug_directory);
	symbol_cache_free(s->cache);
	free(s);
}

void symbolizer_stats(const struct symbolizer *s, struct symbolizer_stats *out)
{
	*out = (struct symbolizer_stats){
		.worker_deaths = s->link.deaths,
		.objects_given_up = s->given_up,
		.symbols_dropped = s->dropped,
		.cache_bytes = symbol_cache_bytes(s->cache),
	};
}

pid_t symbolizer_worker(const struct symbolizer *s)
{
	return s->link.worker;
}

struct traced *symbolizer_target(struct symbolizer *s, pid_t pid)
{
	struct target_root root;
	struct traced *t;

	for (size_t i = 0; i < s->target_count; i++)
		if (s->targets[i].root.pid == pid)
			return &s->targets[i];
	if (pid <= 0 || target_root_open(&root, pid))
		return NULL;
	if (s->target_count < TARGETS_MAX) {
		t = &s->targets[s->target_count++];
	} else {
		t = &s->targets[s->target_oldest++ % TARGETS_MAX];
		target_root_close(&t->root);
	}
	*t = (struct traced){.root = root, .map_size = -1};
	return t;
}

/* ---- Fallback ----------------------------------------------------------- */

const struct symbol *symbolizer_put_fallback(struct symbolizer *s,
					     uint64_t frame, bool final)
{
	const struct object *o = symbolizer_object_of(s, frame);
	const char *module = o ? symbolizer_base_name(o->path) : "";
	unsigned long long address = frame & FRAME_ADDRESS_MASK;
	char build_id[2 * BUILD_ID_BYTES_MAX + 1] = "";
	char text[512];
	struct wire_symbol fallback = {.level_count = 1};

	if (FRAME_IS_JS(frame))
		snprintf(text, sizeof(text), "(JavaScript)");
	else if (o && o->build_id_size)
		snprintf(text, sizeof(text), "%.400s+0x%llx [%.8s]", module,
			 address, object_build_id_text(o, build_id));
	else if (o)
		snprintf(text, sizeof(text), "%.400s+0x%llx", module, address);
	else
		snprintf(text, sizeof(text), "0x%llx", address);
	fallback.levels[0].function = text;
	fallback.levels[0].function_size = (uint32_t)strlen(text);
	return symbol_cache_put(s->cache, frame, &fallback, module, final);
}

const struct symbol *symbolizer_get(struct symbolizer *s, uint64_t frame)
{
	static const struct symbol_level level = {
		.function = "(no memory left for symbols)",
	};
	static const struct symbol full = {
		.levels = &level,
		.level_count = 1,
		.module = "",
	};
	struct symbol_cache_entry entry;

	if (symbol_cache_get(s->cache, frame, &entry))
		return entry.symbol;
	entry.symbol = symbolizer_put_fallback(s, frame, false);
	if (entry.symbol)
		return entry.symbol;
	s->dropped++;
	return &full;
}

void symbolizer_learn(struct symbolizer *s, uint64_t frame,
		      const struct symbol_level *levels, size_t count,
		      const char *module)
{
	struct wire_symbol symbol = {.named = true};

	for (;
	     symbol.level_count < count && symbol.level_count < WIRE_LEVELS_MAX;
	     symbol.level_count++)
		symbol.levels[symbol.level_count] =
			symbol_cache_level(&levels[symbol.level_count]);
	if (!symbol_cache_put(s->cache, frame, &symbol, module, true))
		s->dropped++;
}

/* ---- Forgetting -----------------------------------------------------------
 */

struct forgetting {
	const bool *objects;
	symbol_keep_fn keep; /* NULL: all others */
	void *context;
};

static bool stays(uint64_t frame, void *context)
{
	const struct forgetting *f = context;
	uint32_t id = frame_object(frame);

	if (id < OBJECTS_MAX && f->objects[id])
		return false;
	return !f->keep || f->keep(frame, f->context);
}

bool symbolizer_is_full(const struct symbolizer *s)
{
	return symbol_cache_bytes(s->cache) >
	       symbol_cache_bytes_max(s->cache) / 4 * 3;
}

int symbolizer_forget(struct symbolizer *s, const bool *objects,
		      symbol_keep_fn keep, void *context)
{
	struct forgetting f = {objects, keep, context};
	int err = symbol_cache_drop(s->cache, stays, &f);

	if (err)
		return err;
	for (uint32_t id = 0; id < OBJECTS_MAX; id++)
		if (objects[id])
			s->strikes[id] = 0;
	return keep ? symbol_cache_compact(s->cache) : 0;
}

/* ---- All ---------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorted, each once, without those whose symbol is final. */
static size_t select_open(struct symbolizer *s, uint64_t *list, size_t count)
{
	size_t kept = 0;

	qsort(list, count, sizeof(*list), by_value);
	for (size_t i = 0; i < count; i++) {
		struct symbol_cache_entry entry;

		if (i > 0 && list[i] == list[i - 1])
			continue;
		if (symbol_cache_get(s->cache, list[i], &entry) && entry.final)
			continue;
		list[kept++] = list[i];
	}
	return kept;
}

/* Before it takes long: the first large object, and when it has. */
static void tell_progress(const struct object *o, uint64_t started_ns)
{
	if (o && (o->image_size >= DIAG_PROGRESS_BYTES ||
		  monotonic_ns() - started_ns > 1000000000u))
		diag_progress("looking up names in %s",
			      symbolizer_base_name(o->path));
}

int symbolizer_resolve(struct symbolizer *s, int pid, const uint64_t *frames,
		       size_t count)
{
	uint64_t deadline_ns =
		monotonic_ns() + (uint64_t)RESOLVE_REQUESTS *
					 s->link.options.request_ms * 1000000u;
	uint64_t started_ns = monotonic_ns();
	struct traced *target = symbolizer_target(s, pid);
	CLEANUP_FREE uint64_t *list = NULL;

	if (!count)
		return 0;
	list = malloc(count * sizeof(*list));
	if (!list)
		return -ENOMEM;
	memcpy(list, frames, count * sizeof(*list));
	count = select_open(s, list, count);
	for (size_t i = 0, next; i < count; i = next) {
		uint32_t id = frame_object(list[i]);

		next = i + 1;
		while (next < count && frame_object(list[next]) == id)
			next++;
		tell_progress(symbolizer_object_of(s, list[i]), started_ns);
		if (id == OBJECT_NONE)
			symbolizer_resolve_jit(s, target, list + i, next - i);
		else
			symbolizer_resolve_object(s, target, list + i, next - i,
						  &deadline_ns);
	}
	diag_progress_end();
	return 0;
}
