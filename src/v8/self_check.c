/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/self_check.h"

#include <stdbool.h>

/* User space ends here on x86-64 (47 bits; V8 asks for no more). */
#define USER_END 0x800000000000ULL

static bool is_pointer(uint64_t value)
{
	return value >= 4096 && value < USER_END && value % 8 == 0;
}

static uint64_t page_of(uint64_t address)
{
	return address & ~(V8_PAGE_BYTES - 1);
}

/* Objects and areas end where the next one may start: the last byte counts. */
static bool same_page(uint64_t start, uint64_t end)
{
	return start == end || page_of(start) == page_of(end - 1);
}

enum v8_finding v8_self_check_lab(const struct v8_layout *layout,
				  struct v8_memory *memory, uint64_t allocator)
{
	struct {
		uint64_t start, top, limit;
	} lab;
	uint64_t at;

	if (v8_read_word(memory, allocator + layout->allocator_lab, &at))
		return V8_FOUND_NOTHING;
	if (!is_pointer(at))
		return V8_FOUND_WRONG;
	if (v8_read(memory, at, &lab, sizeof(lab)))
		return V8_FOUND_NOTHING;
	if (!lab.start && !lab.top && !lab.limit)
		return V8_FOUND_NOTHING;
	if (!is_pointer(lab.start) || lab.top % 8 || lab.limit % 8 ||
	    lab.top < lab.start || lab.limit < lab.top)
		return V8_FOUND_WRONG;
	return same_page(lab.start, lab.limit) ? V8_FOUND_SANE : V8_FOUND_WRONG;
}

enum v8_finding v8_self_check_heap(const struct v8_layout *layout,
				   struct v8_memory *memory, uint64_t allocator,
				   uint64_t heap)
{
	uint64_t isolate = heap - layout->isolate_from_heap;
	uint64_t found, frame;

	if (v8_read_word(memory, allocator + layout->allocator_heap, &found))
		return V8_FOUND_NOTHING;
	if (found != heap)
		return V8_FOUND_WRONG;
	if (v8_read_word(memory, isolate + layout->isolate_c_entry_fp, &frame))
		return V8_FOUND_NOTHING;
	return !frame || is_pointer(frame) ? V8_FOUND_SANE : V8_FOUND_WRONG;
}

enum v8_finding v8_self_check_page(const struct v8_layout *layout,
				   struct v8_memory *memory, uint64_t object)
{
	uint64_t page = page_of(object), metadata = page;
	uint64_t flags, area_start;

	if (v8_read_word(memory, page + layout->page_flags, &flags))
		return V8_FOUND_NOTHING;
	if ((flags & V8_PAGE_FROM) && (flags & V8_PAGE_TO))
		return V8_FOUND_WRONG;
	if (layout->page_metadata != V8_PAGE_INLINE) {
		if (v8_read_word(memory, page + layout->page_metadata,
				 &metadata))
			return V8_FOUND_NOTHING;
		if (!is_pointer(metadata))
			return V8_FOUND_WRONG;
	}
	if (v8_read_word(memory, metadata + layout->metadata_area_start,
			 &area_start))
		return V8_FOUND_NOTHING;
	return is_pointer(area_start) && area_start <= object &&
			       page_of(area_start) == page
		       ? V8_FOUND_SANE
		       : V8_FOUND_WRONG;
}

enum v8_finding v8_self_check_object(const struct v8_layout *layout,
				     struct v8_memory *memory, uint64_t object)
{
	uint64_t map, meta;
	uint16_t type;

	if (v8_read_word(memory, object, &map))
		return V8_FOUND_NOTHING;
	if ((map & V8_TAG_MASK) != V8_TAG || !is_pointer(map - V8_TAG))
		return V8_FOUND_WRONG;
	if (v8_read_word(memory, map - V8_TAG, &meta))
		return V8_FOUND_NOTHING;
	if ((meta & V8_TAG_MASK) != V8_TAG || !is_pointer(meta - V8_TAG))
		return V8_FOUND_WRONG;
	if (v8_read(memory, meta - V8_TAG + layout->map_instance_type, &type,
		    sizeof(type)))
		return V8_FOUND_NOTHING;
	return type == layout->type_map ? V8_FOUND_SANE : V8_FOUND_WRONG;
}
