/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "object/elf_file.h"

static int section_by_header(const struct object *o, const char *name,
			     uint8_t **data, size_t *size, uint64_t *address)
{
	struct elf_sections sections;
	const Elf64_Shdr *found;
	int err = elf_sections_read(o, &sections);

	if (err)
		return err;
	found = elf_section_find(&sections, name);
	err = found ? elf_section_bytes(o, found, data, size) : -ENOENT;
	if (!err)
		*address = found->sh_addr;
	elf_sections_free(&sections);
	return err;
}

/* The bytes at `address` up to the end of the file part of its segment, at
 * most `size_max`. */
static int bytes_at_address(const struct object *o, uint64_t address,
			    uint64_t size_max, uint8_t **data, size_t *size)
{
	Elf64_Shdr range = {.sh_type = SHT_PROGBITS};
	const struct object_segment *s;

	if (!object_address_to_offset(o, address, &range.sh_offset))
		return -ENOENT;
	for (s = o->segments;
	     address < s->address || address - s->address >= s->file_size; s++)
		;
	range.sh_size = s->file_size - (address - s->address);
	if (range.sh_size > size_max)
		range.sh_size = size_max;
	/* The file may have been cut short. */
	if (range.sh_offset >= o->image_size)
		return -ENOENT;
	if (range.sh_size > o->image_size - range.sh_offset)
		range.sh_size = o->image_size - range.sh_offset;
	return elf_section_bytes(o, &range, data, size);
}

/* The first fields of .eh_frame_hdr (LSB Core, "Exception frame header"):
 * version, three encodings, pointer to .eh_frame. Every linker writes that
 * pointer pc-relative, 4 bytes signed (0x1b); nothing else is supported. */
static int eh_frame_address(const uint8_t *header, size_t size,
			    uint64_t header_address, uint64_t *address)
{
	enum { DW_EH_PE_pcrel_sdata4 = 0x1b };
	struct cursor c = cursor_make(header, size);
	uint8_t version = cursor_u8(&c);
	uint8_t encoding = cursor_u8(&c);
	int32_t relative;

	cursor_skip(&c, 2);
	relative = (int32_t)cursor_u32(&c);
	if (c.failed || version != 1 || encoding != DW_EH_PE_pcrel_sdata4)
		return -ENOENT;
	*address = header_address + 4 + (uint64_t)(int64_t)relative;
	return 0;
}

static int find_eh_frame_header(const struct object *o, uint64_t *address,
				uint64_t *size)
{
	CLEANUP_FREE Elf64_Phdr *list = NULL;
	size_t count;
	int err = elf_program_headers(o, &list, &count);

	for (size_t i = 0; !err && i < count; i++) {
		if (list[i].p_type != PT_GNU_EH_FRAME)
			continue;
		*address = list[i].p_vaddr;
		*size = list[i].p_memsz;
		return 0;
	}
	return err ? err : -ENOENT;
}

/* Length up to the terminator (a zero length), or to where the records no
 * longer make sense: what follows belongs to other sections. */
static size_t eh_frame_size(const uint8_t *data, size_t size)
{
	struct cursor c = cursor_make(data, size);
	size_t end = 0;

	while (cursor_left(&c) >= 4) {
		uint64_t length = cursor_u32(&c);

		if (!length)
			return (size_t)(c.at - data);
		if (length == 0xffffffff)
			length = cursor_u64(&c);
		cursor_skip(&c, length);
		if (c.failed)
			break;
		end = (size_t)(c.at - data);
	}
	return end;
}

static int section_by_segment(const struct object *o, const char *name,
			      uint8_t **data, size_t *size, uint64_t *address)
{
	CLEANUP_FREE uint8_t *header = NULL;
	size_t header_size = 0;
	uint64_t at, memory_size;
	bool is_header = strcmp(name, ".eh_frame_hdr") == 0;
	int err;

	if (!is_header && strcmp(name, ".eh_frame") != 0)
		return -ENOENT;
	err = find_eh_frame_header(o, &at, &memory_size);
	if (!err)
		err = bytes_at_address(o, at, memory_size, &header,
				       &header_size);
	if (err)
		return err;
	if (is_header) {
		*address = at;
		*size = header_size;
		*data = TAKE_PTR(header);
		return 0;
	}
	err = eh_frame_address(header, header_size, at, address);
	if (err)
		return err;
	err = bytes_at_address(o, *address, UINT64_MAX, data, size);
	if (!err)
		*size = eh_frame_size(*data, *size);
	return err;
}

int object_section(const struct object *o, const char *name, uint8_t **data,
		   size_t *size, uint64_t *address)
{
	int err;

	*data = NULL;
	*size = 0;
	*address = 0;
	err = section_by_header(o, name, data, size, address);
	if (err != 0 && err != -ENOMEM) {
		int fallback = section_by_segment(o, name, data, size, address);

		if (fallback != -ENOENT)
			return fallback;
	}
	return err;
}
