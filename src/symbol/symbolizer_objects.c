/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames in objects: the worker is asked, and objects that are too much for it
 * are given up. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "symbol/debug_file.h"
#include "symbol/debuginfod.h"
#include "symbol/symbolizer_internal.h"

/* An object's strikes: each death of a worker is one, a time-out (trying again
 * would take as long) as many as lead to the next stage. */
#define STRIKES_NO_DWARF 2
#define STRIKES_GIVEN_UP 3

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
			       symbolizer_base_name(b->object->path));
}

static void store_answer(void *context, const struct wire_symbol *symbol)
{
	struct batch *b = context;
	uint64_t frame = b->frames[b->done++];

	if (symbol->level_count)
		symbol_cache_put(b->s->cache, frame, symbol,
				 symbolizer_base_name(b->object->path), true);
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
		.object = b->object->serial,
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

void symbolizer_resolve_object(struct symbolizer *s,
			       const struct traced *target,
			       const uint64_t *frames, size_t count,
			       uint64_t *deadline_ns)
{
	struct batch b = {
		.s = s,
		.object = symbolizer_object_of(s, frames[0]),
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
