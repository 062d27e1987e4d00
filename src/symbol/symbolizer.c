/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/symbolizer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "leakbpf/abi_user.h"
#include "symbol/debug_file.h"
#include "symbol/debuginfod.h"
#include "symbol/symbolizer_internal.h"

#define DEBUG_DIRECTORY	    "/usr/lib/debug"
#define REQUEST_MS_DEFAULT  5000
#define IDLE_MS_DEFAULT	    5000
#define CACHE_BYTES_DEFAULT (8u << 20)
#define RESOLVE_REQUESTS    4 /* one call lasts at most that many request_ms */

/* An object's strikes: each death of a worker is one, a time-out (trying again
 * would take as long) as many as lead to the next stage. */
#define STRIKES_NO_DWARF 2
#define STRIKES_GIVEN_UP 3

static uint32_t frame_object(uint64_t frame)
{
	return (uint32_t)(frame >> FRAME_OBJECT_SHIFT);
}

/* NULL: no object, or an id that no object can have. */
static const struct object *object_of(const struct symbolizer *s,
				      uint64_t frame)
{
	uint32_t id = frame_object(frame);

	if (id == OBJECT_NONE || id >= OBJECTS_MAX)
		return NULL;
	return object_by_id(s->objects, id);
}

static const char *base_name(const char *path)
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

/* The target's file system, opened when its pid is first seen. NULL: none. */
static struct traced *target_of(struct symbolizer *s, pid_t pid)
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
	const struct object *o = object_of(s, frame);
	const char *module = o ? base_name(o->path) : "";
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
	     symbol.level_count++) {
		const struct symbol_level *from = &levels[symbol.level_count];

		symbol.levels[symbol.level_count] = (struct wire_level){
			.function = from->function,
			.file = from->file,
			.function_size = (uint32_t)strlen(from->function),
			.file_size =
				from->file ? (uint32_t)strlen(from->file) : 0,
			.line = from->line,
			.column = from->column,
			.inlined = from->inlined,
			.approximate = from->approximate,
		};
	}
	if (!symbol_cache_put(s->cache, frame, &symbol, module, true))
		s->dropped++;
}

/* ---- Frames in objects -------------------------------------------------- */

/* Sorted frames of one object, being resolved. */
struct batch {
	struct symbolizer *s;
	const struct object *object;
	const struct traced *target;
	const uint64_t *frames;
	size_t done;
	size_t count;
	uint64_t deadline_ns;
};

static int open_for_worker(void *context, const struct wire_want *want)
{
	const struct batch *b = context;
	struct debuginfod *servers = b->s->debuginfod;
	struct debug_search where = {
		.directory = b->s->debug_directory,
		.target_root = b->target ? b->target->root.fd : -1,
		.object_path = b->object->path,
	};

	if (want->kind != WANT_FETCHED)
		return debug_file_open(&where, want);
	if (!servers || want->size > WIRE_NAME_MAX)
		return -ENOENT;
	return debuginfod_open(servers, want->name, want->size,
			       base_name(b->object->path));
}

static void store_answer(void *context, const struct wire_symbol *symbol)
{
	struct batch *b = context;
	uint64_t frame = b->frames[b->done++];

	if (symbol->level_count)
		symbol_cache_put(b->s->cache, frame, symbol,
				 base_name(b->object->path), true);
	else
		symbolizer_put_fallback(b->s, frame, true);
}

/* The object's file, or a memory file with its image; the caller closes. */
static int object_descriptor(const struct object *o)
{
	if (o->fd >= 0)
		return fcntl(o->fd, F_DUPFD_CLOEXEC, 0);
	int fd = memfd_create("leakbpf-image", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, o->image, o->image_size) == (ssize_t)o->image_size)
		return fd;
	close(fd);
	return -EIO;
}

static void strike(struct symbolizer *s, uint32_t id, enum link_end end)
{
	uint8_t *strikes = &s->strikes[id];
	uint8_t before = *strikes;

	if (s->no_dwarf && before < STRIKES_NO_DWARF)
		before = *strikes = STRIKES_NO_DWARF;
	if (end == LINK_STUCK && before < STRIKES_NO_DWARF)
		*strikes = STRIKES_NO_DWARF;
	else
		(*strikes)++;
	if (before < STRIKES_NO_DWARF && *strikes >= STRIKES_NO_DWARF)
		s->given_up++;
	else if (s->no_dwarf && *strikes == STRIKES_GIVEN_UP)
		s->given_up++;
}

/* One request; false: nothing more to be had for this object now. */
static bool ask(struct batch *b, int fd)
{
	struct symbolizer *s = b->s;
	uint64_t addresses[WIRE_ADDRESSES_MAX];
	size_t left = b->count - b->done;
	struct link_request request = {
		.object = b->object->id,
		.fd = fd,
		.addresses = addresses,
		.count = left < WIRE_ADDRESSES_MAX ? (uint32_t)left
						   : WIRE_ADDRESSES_MAX,
		.deadline_ns = b->deadline_ns,
		.open_file = open_for_worker,
		.answer = store_answer,
		.context = b,
	};

	if (s->no_dwarf || s->strikes[b->object->id] >= STRIKES_NO_DWARF)
		request.flags = WIRE_NO_DWARF;
	for (uint32_t i = 0; i < request.count; i++)
		addresses[i] = b->frames[b->done + i] & FRAME_ADDRESS_MASK;
	enum link_end end = worker_link_ask(&s->link, &request);
	b->deadline_ns = request.deadline_ns;
	if (end == LINK_DIED || end == LINK_STUCK)
		strike(s, b->object->id, end);
	return end != LINK_OUT_OF_TIME && end != LINK_UNAVAILABLE;
}

/* Before it takes long: the first large object, and when it has. */
static void tell_progress(const struct object *o, uint64_t started_ns)
{
	if (o && (o->image_size >= DIAG_PROGRESS_BYTES ||
		  monotonic_ns() - started_ns > 1000000000u))
		diag_progress("looking up names in %s", base_name(o->path));
}

static void resolve_object(struct symbolizer *s, const struct traced *target,
			   const uint64_t *frames, size_t count,
			   uint64_t *deadline_ns)
{
	struct batch b = {
		.s = s,
		.object = object_of(s, frames[0]),
		.target = target,
		.frames = frames,
		.count = count,
		.deadline_ns = *deadline_ns,
	};
	CLEANUP_CLOSE int fd = b.object ? object_descriptor(b.object) : -1;
	const uint8_t *strikes = b.object ? &s->strikes[b.object->id] : NULL;
	bool going = fd >= 0;

	while (going && b.done < count && *strikes < STRIKES_GIVEN_UP &&
	       monotonic_ns() < b.deadline_ns)
		going = ask(&b, fd);
	*deadline_ns = b.deadline_ns;
	bool final = strikes && *strikes >= STRIKES_GIVEN_UP;
	while (b.done < count)
		symbolizer_put_fallback(s, frames[b.done++], final);
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

int symbolizer_resolve(struct symbolizer *s, int pid, const uint64_t *frames,
		       size_t count)
{
	uint64_t deadline_ns =
		monotonic_ns() + (uint64_t)RESOLVE_REQUESTS *
					 s->link.options.request_ms * 1000000u;
	uint64_t started_ns = monotonic_ns();
	struct traced *target = target_of(s, pid);
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
		tell_progress(object_of(s, list[i]), started_ns);
		if (id == OBJECT_NONE)
			symbolizer_resolve_jit(s, target, list + i, next - i);
		else
			resolve_object(s, target, list + i, next - i,
				       &deadline_ns);
	}
	diag_progress_end();
	return 0;
}
