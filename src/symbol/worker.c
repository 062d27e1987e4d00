/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/worker.h"

#include <errno.h>
#include <libelf.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/packet.h"
#include "base/sandbox.h"
#include "symbol/module.h"
#include "symbol/source_map.h"
#include "symbol/wire.h"

#define MODULES_MAX 64
/* Beyond these a fresh worker takes over: libdw frees nothing that it read of a
 * unit. Each one answers some requests first, however much an object needs. */
#define HEAP_KEPT_MAX	 (48u << 20)
#define ANSWERS_MIN	 64
#define ANSWERS_PER_LOOK 16
#define CPU_SECONDS_KEPT 60
/* Files are mapped privately and read-only; what is computed from them is the
 * heap. */
#define ADDRESS_SPACE_MAX (8ULL << 30)
#define HEAP_MAX	  (1ULL << 30)

struct slot {
	uint32_t object;
	uint32_t flags;
	uint64_t used; /* request number */
	/* NULL both: a file of another kind, or the slot is free. */
	struct module *module;
	struct source_map *map;
};

struct worker {
	int socket;
	uint64_t requests;
	uint64_t answers;
	struct slot slots[MODULES_MAX];
	struct wire_symbol symbol;
	struct source_place place;
	uint8_t message[WIRE_MESSAGE_MAX];
};

/* Any failure to talk means that there is nobody left to work for. */
static void say(struct worker *w, const void *data, size_t size)
{
	if (packet_send(w->socket, data, size, -1, 0))
		_exit(0);
}

static int ask_for_file(void *context, enum wire_want_kind kind,
			const void *name, size_t size)
{
	struct worker *w = context;
	struct wire_want want = {.type = WIRE_WANT, .kind = kind};
	struct wire_file file;
	int fd;

	if (size > sizeof(want.name))
		return -ENAMETOOLONG;
	want.size = (uint32_t)size;
	if (size)
		memcpy(want.name, name, size);
	say(w, &want, sizeof(want));
	ssize_t got;
	do
		got = packet_receive(w->socket, &file, sizeof(file), &fd, 0);
	while (got == -EAGAIN);
	if (got != sizeof(file) || file.type != WIRE_FILE)
		_exit(0);
	return fd >= 0 ? fd : -ENOENT;
}

static struct slot *oldest_slot(struct worker *w)
{
	struct slot *oldest = &w->slots[0];

	for (size_t i = 1; i < MODULES_MAX; i++)
		if (w->slots[i].used < oldest->used)
			oldest = &w->slots[i];
	return oldest;
}

/* The script as it is now may be another than the one that runs: built anew,
 * and the map with it. */
static bool script_is_same(struct worker *w, uint32_t units)
{
	int fd = ask_for_file(w, WANT_SCRIPT, NULL, 0);
	bool same = fd < 0 || source_map_fits(fd, units);

	if (fd >= 0)
		close(fd);
	return same;
}

static void open_file(struct worker *w, struct slot *slot,
		      const struct wire_resolve *r, int fd)
{
	struct module_files files = {ask_for_file, w};

	if (slot->flags & WIRE_SOURCE_MAP) {
		if (!r->units || script_is_same(w, r->units))
			slot->map = source_map_read(fd);
		close(fd);
	} else {
		slot->module =
			module_open(fd, slot->flags & WIRE_NO_DWARF, &files);
	}
}

static const struct slot *slot_of(struct worker *w,
				  const struct wire_resolve *r, int fd)
{
	struct slot *slot;

	w->requests++;
	for (size_t i = 0; i < MODULES_MAX; i++) {
		slot = &w->slots[i];
		if (slot->used && slot->object == r->object &&
		    slot->flags == r->flags) {
			slot->used = w->requests;
			close(fd);
			return slot;
		}
	}
	slot = oldest_slot(w);
	module_close(slot->module);
	source_map_free(slot->map);
	*slot = (struct slot){
		.object = r->object,
		.flags = r->flags,
		.used = w->requests,
	};
	open_file(w, slot, r, fd);
	return slot;
}

static unsigned cpu_seconds_used(void)
{
	struct timespec used;

	if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used))
		return 0;
	return (unsigned)used.tv_sec;
}

static bool spent(const struct worker *w)
{
	struct mallinfo2 heap;

	if (w->answers < ANSWERS_MIN || w->answers % ANSWERS_PER_LOOK)
		return false;
	heap = mallinfo2();
	return heap.uordblks + heap.hblkhd > HEAP_KEPT_MAX ||
	       cpu_seconds_used() > CPU_SECONDS_KEPT;
}

static void leave(struct worker *w)
{
	uint32_t bye = WIRE_BYE;

	say(w, &bye, sizeof(bye));
	_exit(0);
}

static void find_source(struct worker *w, const struct source_map *map,
			uint64_t place)
{
	struct wire_level *level = &w->symbol.levels[0];

	w->symbol.named = true;
	if (!source_map_find(map, (uint32_t)(place >> 32), (uint32_t)place,
			     &w->place))
		return;
	*level = (struct wire_level){
		.file = w->place.file.data,
		.file_size = (uint32_t)w->place.file.size,
		.line = w->place.line,
		.column = w->place.column,
	};
	w->symbol.level_count = 1;
}

static void resolve(struct worker *w, const struct wire_resolve *r, int fd)
{
	const struct slot *slot = slot_of(w, r, fd);

	for (uint32_t i = 0; i < r->count; i++) {
		w->symbol.level_count = 0;
		w->symbol.named = false;
		w->symbol.function_offset = 0;
		if (slot->module)
			module_resolve(slot->module, r->addresses[i],
				       &w->symbol);
		if (slot->map)
			find_source(w, slot->map, r->addresses[i]);
		w->symbol.index = i;
		say(w, w->message, wire_encode_symbol(w->message, &w->symbol));
		w->answers++;
		if (spent(w))
			leave(w); /* what is left will be asked again */
	}
}

static void serve(struct worker *w)
{
	struct wire_resolve request;
	int fd;

	for (;;) {
		ssize_t got = packet_receive(w->socket, &request,
					     sizeof(request), &fd, 0);

		if (got == -EAGAIN)
			leave(w); /* idle */
		size_t head = offsetof(struct wire_resolve, addresses);
		if (got < (ssize_t)head || request.type != WIRE_RESOLVE ||
		    request.count > WIRE_ADDRESSES_MAX || fd < 0 ||
		    (size_t)got != head + request.count * sizeof(uint64_t))
			_exit(0);
		resolve(w, &request, fd);
	}
}

/* Parsing files that are already open takes no more. */
static int confine(unsigned cpu_seconds)
{
	static const int calls[] = {SYS_read, SYS_pread64, SYS_lseek};
	int err = sandbox_limit(cpu_seconds, ADDRESS_SPACE_MAX, HEAP_MAX);

	return err ? err
		   : sandbox_filter(calls, sizeof(calls) / sizeof(calls[0]));
}

void worker_main(int socket, void *context)
{
	const struct worker_options *options = context;
	struct timeval idle = {
		.tv_sec = options->idle_ms / 1000,
		.tv_usec = (options->idle_ms % 1000) * 1000,
	};
	struct worker *w = calloc(1, sizeof(*w));

	if (!w)
		_exit(1);
	w->socket = socket;
	setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	elf_version(EV_CURRENT);
	source_map_prepare();
	/* The symbolizer enforces the time of a request; this stops a worker
	 * that runs on after it died. A request may last for many answers. */
	unsigned answer_s = options->request_ms / 1000 + 1;
	if (confine(CPU_SECONDS_KEPT + WIRE_ADDRESSES_MAX * answer_s))
		_exit(1);
	serve(w);
}
