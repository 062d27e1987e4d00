/* SPDX-License-Identifier: GPL-2.0-only */
/* Source maps: the worker is asked, with the map's file or its text. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "symbol/symbolizer_internal.h"

struct asking {
	const struct symbol_map *map;
	const struct target_root *root;
	size_t first; /* number of the first place of this request */
	symbol_source_fn answer;
	void *context;
	bool usable;
};

static int open_script(void *context, const struct wire_want *want)
{
	const struct asking *a = context;

	if (want->kind != WANT_SCRIPT || !a->map->script || !a->root)
		return -ENOENT;
	return target_open(a->root, a->map->script);
}

static void take(void *context, const struct wire_symbol *symbol)
{
	struct asking *a = context;
	const struct wire_level *level = &symbol->levels[0];
	struct symbol_source source = {0};
	char file[4096];

	a->usable = symbol->named;
	if (!symbol->named)
		return;
	if (symbol->level_count && level->file_size &&
	    level->file_size < sizeof(file)) {
		memcpy(file, level->file, level->file_size);
		file[level->file_size] = '\0';
		source = (struct symbol_source){file, level->line,
						level->column};
	}
	a->answer(a->context, a->first + symbol->index, &source);
}

/* A file of the target, or one in memory. */
static int map_descriptor(const struct asking *a)
{
	const struct symbol_map *map = a->map;
	size_t written = 0;
	int fd;

	if (map->path)
		return a->root ? target_open(a->root, map->path) : -ENOENT;
	fd = memfd_create("leakbpf-map", MFD_CLOEXEC);
	while (fd >= 0 && written < map->size) {
		ssize_t n = write(fd, map->text + written, map->size - written);

		if (n <= 0) {
			close(fd);
			return -EIO;
		}
		written += (size_t)n;
	}
	return fd;
}

static int ask(struct symbolizer *s, struct asking *a, int fd,
	       const uint64_t *places, size_t count, uint64_t deadline_ns)
{
	struct link_request request = {
		.object = a->map->id,
		.flags = WIRE_SOURCE_MAP,
		.units = a->map->path ? a->map->units : 0,
		.fd = fd,
		.addresses = places,
		.count = (uint32_t)count,
		.deadline_ns = deadline_ns,
		.open_file = open_script,
		.answer = take,
		.context = a,
	};

	switch (worker_link_ask(&s->link, &request)) {
	case LINK_DONE:
		return a->usable ? 0 : -EBADMSG;
	case LINK_OUT_OF_TIME:
		return -ETIME;
	default:
		return -EIO;
	}
}

int symbolizer_map(struct symbolizer *s, const struct symbol_map *map,
		   const uint64_t *places, size_t count, uint64_t deadline_ns,
		   symbol_source_fn answer, void *context)
{
	const struct traced *target = symbolizer_target(s, map->pid);
	struct asking a = {
		.map = map,
		.root = target ? &target->root : NULL,
		.answer = answer,
		.context = context,
	};
	CLEANUP_CLOSE int fd = map_descriptor(&a);
	int err = fd < 0 ? -ENOENT : 0;

	while (!err && a.first < count) {
		size_t left = count - a.first;
		size_t n =
			left < WIRE_ADDRESSES_MAX ? left : WIRE_ADDRESSES_MAX;

		err = ask(s, &a, fd, places + a.first, n, deadline_ns);
		a.first += n;
	}
	return err;
}
