/* SPDX-License-Identifier: GPL-2.0-only */
#include "object/object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/cursor.h"
#include "leakbpf/abi_user.h"
#include "object/elf_file.h"

#define NOTE_BYTES_MAX 65536

/* ---- Reading ------------------------------------------------------------ */

static int read_file(int fd, uint64_t offset, void *to, size_t size)
{
	uint8_t *at = to;

	while (size) {
		ssize_t got = pread(fd, at, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EIO;
		at += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return 0;
}

int object_read(const struct object *o, uint64_t offset, void *to, size_t size)
{
	if (!size)
		return 0;
	if (offset > o->image_size || size > o->image_size - offset)
		return -EIO;
	if (!o->image)
		return read_file(o->fd, offset, to, size);
	memcpy(to, o->image + offset, size);
	return 0;
}

/* ---- Addresses ---------------------------------------------------------- */

bool object_address_to_offset(const struct object *o, uint64_t address,
			      uint64_t *offset)
{
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *s = &o->segments[i];

		if (address < s->address ||
		    address - s->address >= s->file_size)
			continue;
		*offset = s->file_offset + (address - s->address);
		return true;
	}
	return false;
}

bool object_offset_to_address(const struct object *o, uint64_t offset,
			      uint64_t *address)
{
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *s = &o->segments[i];

		if (offset < s->file_offset ||
		    offset - s->file_offset >= s->file_size)
			continue;
		*address = s->address + (offset - s->file_offset);
		return true;
	}
	return false;
}

const char *object_build_id_text(const struct object *o,
				 char text[2 * BUILD_ID_BYTES_MAX + 1])
{
	static const char hex[] = "0123456789abcdef";

	for (uint32_t i = 0; i < o->build_id_size; i++) {
		text[2 * i] = hex[o->build_id[i] >> 4];
		text[2 * i + 1] = hex[o->build_id[i] & 15];
	}
	text[2 * o->build_id_size] = 0;
	return text;
}

/* ---- What the headers say ----------------------------------------------- */

/* Frames have 48 bits for an address, and sums must not wrap around. */
static bool segment_is_sane(const Elf64_Phdr *p)
{
	return p->p_vaddr <= FRAME_ADDRESS_MASK &&
	       p->p_memsz <= FRAME_ADDRESS_MASK - p->p_vaddr &&
	       p->p_filesz <= p->p_memsz &&
	       p->p_offset <= UINT64_MAX - p->p_filesz;
}

static size_t count_loads(const Elf64_Phdr *list, size_t count)
{
	size_t loads = 0;

	for (size_t i = 0; i < count; i++)
		loads += list[i].p_type == PT_LOAD;
	return loads;
}

static int take_segments(struct object *o, const Elf64_Phdr *list, size_t count)
{
	/* With more segments than there is room for, only code matters. */
	bool code_only = count_loads(list, count) > OBJECT_SEGMENTS_MAX;

	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr *p = &list[i];
		bool code = p->p_flags & PF_X;

		if (p->p_type != PT_LOAD || (code_only && !code))
			continue;
		if (!segment_is_sane(p) ||
		    o->segment_count == OBJECT_SEGMENTS_MAX)
			return -ENOEXEC;
		o->segments[o->segment_count++] = (struct object_segment){
			.address = p->p_vaddr,
			.memory_size = p->p_memsz,
			.file_offset = p->p_offset,
			.file_size = p->p_filesz,
			.executable = code,
		};
	}
	return 0;
}

/* An object without code has no rows, and a row's address is a 32-bit offset
 * from text_base. */
static int find_text(struct object *o)
{
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *s = &o->segments[i];
		uint64_t end = s->address + s->memory_size;

		if (!s->executable || !s->memory_size)
			continue;
		if (o->text_base == o->text_end || s->address < o->text_base)
			o->text_base = s->address;
		if (end > o->text_end)
			o->text_end = end;
	}
	return !o->text_end || o->text_end - o->text_base > UINT32_MAX
		       ? -ENOEXEC
		       : 0;
}

/* gABI "Note section": sizes, type, then name and descriptor, each padded to
 * the segment's alignment (4, or 8 for some GNU properties). */
static bool find_build_id(struct object *o, const uint8_t *notes, size_t size,
			  uint64_t alignment)
{
	struct cursor c = cursor_make(notes, size);
	size_t mask = alignment == 8 ? 7 : 3;

	while (cursor_left(&c) >= sizeof(Elf64_Nhdr)) {
		uint32_t name_size = cursor_u32(&c);
		uint32_t value_size = cursor_u32(&c);
		uint32_t type = cursor_u32(&c);
		const uint8_t *name = cursor_bytes(&c, name_size);
		const uint8_t *value;

		cursor_skip(&c, -(size_t)(c.at - notes) & mask);
		value = cursor_bytes(&c, value_size);
		if (c.failed)
			return false;
		if (type == NT_GNU_BUILD_ID && name_size == 4 &&
		    memcmp(name, "GNU", 4) == 0 && value_size &&
		    value_size <= BUILD_ID_BYTES_MAX) {
			memcpy(o->build_id, value, value_size);
			o->build_id_size = value_size;
			return true;
		}
		cursor_skip(&c, -(size_t)(c.at - notes) & mask);
	}
	return false;
}

static int take_build_id(struct object *o, const Elf64_Phdr *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr *p = &list[i];
		CLEANUP_FREE uint8_t *notes = NULL;

		if (p->p_type != PT_NOTE || p->p_filesz > NOTE_BYTES_MAX)
			continue;
		notes = malloc(p->p_filesz + 1);
		if (!notes)
			return -ENOMEM;
		if (object_read(o, p->p_offset, notes, p->p_filesz) == 0 &&
		    find_build_id(o, notes, p->p_filesz, p->p_align))
			break;
	}
	return 0;
}

/* Section names are optional: a file whose section headers are malformed still
 * runs, so it is only an object without symbols. */
static int take_section_facts(struct object *o)
{
	struct elf_sections sections;
	int err = elf_sections_read(o, &sections);

	if (err)
		return err == -ENOMEM ? err : 0;
	o->is_go = elf_section_find(&sections, ".go.buildinfo") ||
		   elf_section_find(&sections, ".gopclntab") ||
		   elf_section_find(&sections, ".data.rel.ro.gopclntab");
	elf_sections_free(&sections);
	return 0;
}

int object_read_headers(struct object *o)
{
	CLEANUP_FREE Elf64_Phdr *list = NULL;
	Elf64_Ehdr header;
	size_t count = 0;
	int err = elf_read_header(o, &header);

	if (!err && header.e_type != ET_EXEC && header.e_type != ET_DYN)
		err = -ENOEXEC;
	if (!err)
		err = elf_program_headers(o, &list, &count);
	if (!err)
		err = take_segments(o, list, count);
	if (!err)
		err = find_text(o);
	if (!err)
		err = take_build_id(o, list, count);
	if (!err)
		err = take_section_facts(o);
	if (err)
		return err;
	o->machine = header.e_machine;
	o->type = header.e_type;
	return 0;
}
