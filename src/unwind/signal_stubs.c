// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "unwind/rows.h"

#define WINDOW_BYTES (256u << 10)
#define STUBS_MAX    8
/* Objects without CFI are scanned whole, up to here: a sparse file can claim
 * gigabytes of code. */
#define SCAN_BYTES_MAX (32ULL << 20)

struct stub {
	uint8_t size;
	uint8_t code[9];
};

/* mov $15, %rax (or %eax); syscall: rt_sigreturn (musl, src/signal/x86_64/
 * restore.s; 15 is __NR_rt_sigreturn). */
static const struct stub known_stubs[] = {
	{9, {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05}},
	{7, {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05}},
};

#define STUB_BYTES_MIN 7
#define STUB_BYTES_MAX 9

/* The code last read: gaps are small and many, reads should not be. */
struct window {
	const struct object *object;
	const struct object_segment *segment;
	uint8_t *bytes;
	uint64_t start; /* link-time */
	size_t size;
	uint64_t scanned; /* bytes, in all segments */
};

struct stubs {
	struct row_overlay list[STUBS_MAX];
	size_t count;
};

/* Makes [start, start + size) readable, size being at most WINDOW_BYTES. */
static bool window_reach(struct window *w, uint64_t start, size_t size)
{
	const struct object_segment *s = w->segment;
	uint64_t rest = s->file_size - (start - s->address);

	if (start >= w->start && start - w->start <= w->size &&
	    size <= w->size - (start - w->start))
		return true;
	w->start = start;
	w->size = rest < WINDOW_BYTES ? (size_t)rest : WINDOW_BYTES;
	if (w->size < size ||
	    object_read(w->object, s->file_offset + (start - s->address),
			w->bytes, w->size) != 0)
		w->size = 0; /* cut short since: nothing to find */
	return w->size != 0;
}

static void scan_window(const struct window *w, uint64_t start, size_t size,
			struct stubs *found)
{
	const uint8_t *code = w->bytes + (start - w->start);
	uint32_t base = (uint32_t)(start - w->object->text_base);

	for (size_t i = 0; i < sizeof(known_stubs) / sizeof(*known_stubs);
	     i++) {
		const struct stub *stub = &known_stubs[i];
		const uint8_t *at = code, *end = code + size;

		while (found->count < STUBS_MAX &&
		       (at = memmem(at, (size_t)(end - at), stub->code,
				    stub->size))) {
			uint32_t pc = base + (uint32_t)(at - code);

			/* The handler returns to its first byte, and return
			 * addresses are looked up minus one. */
			found->list[found->count++] = (struct row_overlay){
				.start = pc ? pc - 1 : 0,
				.end = pc + stub->size,
				.rule = UNWIND_SIGNAL,
			};
			at += stub->size;
		}
	}
}

static void scan_range(struct window *w, uint64_t start, uint64_t end,
		       struct stubs *found)
{
	while (start < end && end - start >= STUB_BYTES_MIN &&
	       w->scanned < SCAN_BYTES_MAX) {
		size_t size =
			end - start < WINDOW_BYTES ? end - start : WINDOW_BYTES;

		if (!window_reach(w, start, size))
			return;
		scan_window(w, start, size, found);
		w->scanned += size;
		if (start + size == end)
			return;
		start += size - (STUB_BYTES_MAX - 1);
	}
}

/* What of the gap [start, end) lies in the file part of the segment. */
static void scan_gap(struct window *w, uint64_t start, uint64_t end,
		     struct stubs *found)
{
	uint64_t first = w->segment->address;
	uint64_t last = first + w->segment->file_size;

	scan_range(w, start > first ? start : first, end < last ? end : last,
		   found);
}

static void scan_segment(struct window *w, const struct unwind_table *t,
			 struct stubs *found)
{
	uint64_t base = w->object->text_base, start = base;
	bool gap = true;

	for (size_t i = 0; i < t->row_count; i++) {
		uint64_t pc = base + t->rows[i].pc;

		if (gap)
			scan_gap(w, start, pc, found);
		start = pc;
		gap = UNWIND_RULE_KIND(t->rows[i].rule) == UNWIND_NONE;
	}
	if (gap)
		scan_gap(w, start, w->object->text_end, found);
}

int rows_add_signal_stubs(struct unwind_table *t, const struct object *o,
			  size_t limit)
{
	CLEANUP_FREE uint8_t *buffer = malloc(WINDOW_BYTES);
	struct window w = {.object = o, .bytes = buffer};
	struct stubs found = {.count = 0};

	if (!buffer)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->segment_count; i++) {
		if (!o->segments[i].executable)
			continue;
		w.segment = &o->segments[i];
		w.size = 0;
		scan_segment(&w, t, &found);
	}
	return rows_overlay(t, found.list, found.count, limit);
}
