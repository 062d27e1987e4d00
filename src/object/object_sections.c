// SPDX-License-Identifier: GPL-2.0-only
/* Sections by name, and what stands in for them in a file without any. */
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "object/object_internal.h"

/* Larger sections are not read: the largest .eh_frame or .symtab seen is some
 * 30 MB. */
#define SECTION_BYTES_MAX (512UL << 20)

Elf *object_elf(const struct object *o)
{
	Elf *elf;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return NULL;
	elf = o->image ? elf_memory((char *)o->image, o->image_size) :
			 elf_begin(o->fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) != ELF_K_ELF) {
		elf_end(elf);
		return NULL;
	}
	return elf;
}

static Elf_Scn *find_section(Elf *elf, const char *name, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		const char *found;

		if (!gelf_getshdr(section, header))
			continue;
		found = elf_strptr(elf, names, header->sh_name);
		if (found && !strcmp(found, name))
			return section;
	}
	return NULL;
}

bool object_has_section(const struct object *o, const char *name)
{
	Elf *elf = object_elf(o);
	GElf_Shdr header;
	bool found = elf && find_section(elf, name, &header);

	elf_end(elf);
	return found;
}

static int copy_bytes(const void *from, size_t size, uint8_t **data,
		      size_t *size_out)
{
	*data = malloc(size ? size : 1);
	if (!*data)
		return -ENOMEM;
	memcpy(*data, from, size);
	*size_out = size;
	return 0;
}

static int copy_section(Elf_Scn *section, const GElf_Shdr *header,
			uint8_t **data, size_t *size)
{
	Elf_Data *d;

	if (header->sh_type == SHT_NOBITS)
		return -ENOENT;
	if (header->sh_size > SECTION_BYTES_MAX)
		return -EFBIG;
	if (header->sh_flags & SHF_COMPRESSED) {
		GElf_Chdr compressed;

		if (!gelf_getchdr(section, &compressed) ||
		    compressed.ch_size > SECTION_BYTES_MAX ||
		    elf_compress(section, 0, 0) < 0)
			return -ENOEXEC;
	}
	d = elf_rawdata(section, NULL);
	if (header->sh_flags & SHF_COMPRESSED)
		d = elf_getdata(section, NULL);
	if (!d || !d->d_buf || d->d_size > SECTION_BYTES_MAX)
		return -ENOEXEC;
	return copy_bytes(d->d_buf, d->d_size, data, size);
}

/* ---- Without section headers ------------------------------------------------ */

/* The program header of the exception frame index. */
static int find_frame_header(const struct object *o, GElf_Phdr *p)
{
	Elf *elf = object_elf(o);
	size_t count = 0;
	int err = -ENOENT;

	if (elf && !elf_getphdrnum(elf, &count))
		for (size_t i = 0; i < count && i < 64; i++)
			if (gelf_getphdr(elf, (int)i, p) &&
			    p->p_type == PT_GNU_EH_FRAME) {
				err = 0;
				break;
			}
	elf_end(elf);
	return err;
}

static int read_range(const struct object *o, uint64_t address, uint64_t size,
		      uint8_t **data, size_t *size_out)
{
	uint64_t offset;

	if (!size || size > SECTION_BYTES_MAX ||
	    !object_address_to_offset(o, address, &offset))
		return -ENOENT;
	*data = malloc(size);
	if (!*data)
		return -ENOMEM;
	if (object_read(o, offset, *data, size)) {
		free(*data);
		*data = NULL;
		return -EIO;
	}
	*size_out = size;
	return 0;
}

static uint64_t segment_rest(const struct object *o, uint64_t address)
{
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *s = &o->segments[i];

		if (address >= s->address &&
		    address - s->address < s->file_size)
			return s->file_size - (address - s->address);
	}
	return 0;
}

/* .eh_frame through .eh_frame_hdr (LSB Core, 10.6.2): version 1, encoding of
 * the pointer (pc-relative sdata4 in practice), two more encodings, pointer.
 * Its size is not recorded: it ends at a zero length or with its segment. */
static int frame_from_header(const struct object *o, const char *name,
			     uint8_t **data, size_t *size, uint64_t *address)
{
	uint8_t *header = NULL;
	size_t header_size;
	struct cursor c;
	GElf_Phdr p;
	uint64_t frame;
	int err = find_frame_header(o, &p);

	if (err)
		return err;
	err = read_range(o, p.p_vaddr, p.p_filesz, &header, &header_size);
	if (err)
		return err;
	if (!strcmp(name, ".eh_frame_hdr")) {
		*data = header;
		*size = header_size;
		*address = p.p_vaddr;
		return 0;
	}
	c = cursor_make(header, header_size);
	if (cursor_u8(&c) != 1 || cursor_u8(&c) != 0x1b) {
		free(header);
		return -ENOENT;
	}
	cursor_skip(&c, 2);
	frame = p.p_vaddr + 4 + (uint64_t)(int64_t)(int32_t)cursor_u32(&c);
	free(header);
	if (c.failed)
		return -ENOENT;
	*address = frame;
	return read_range(o, frame, segment_rest(o, frame), data, size);
}

int object_section(const struct object *o, const char *name, uint8_t **data,
		   size_t *size, uint64_t *address)
{
	Elf *elf = object_elf(o);
	GElf_Shdr header;
	Elf_Scn *section = elf ? find_section(elf, name, &header) : NULL;
	int err = -ENOENT;

	*data = NULL;
	*size = 0;
	if (section) {
		*address = header.sh_addr;
		err = copy_section(section, &header, data, size);
	}
	elf_end(elf);
	if (err == -ENOENT && !strncmp(name, ".eh_frame", 9))
		err = frame_from_header(o, name, data, size, address);
	return err;
}
