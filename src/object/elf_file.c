/* SPDX-License-Identifier: GPL-2.0-only */
#include "object/elf_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"

/* deflate cannot expand more than 1032 times (zlib technical details). */
#define DEFLATE_RATIO_MAX 1032

int elf_read_header(const struct object *o, Elf64_Ehdr *header)
{
	int err = object_read(o, 0, header, sizeof(*header));

	if (err)
		return err == -EIO ? -ENOEXEC : err;
	if (memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
	    header->e_ident[EI_CLASS] != ELFCLASS64 ||
	    header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_ident[EI_VERSION] != EV_CURRENT)
		return -ENOEXEC;
	return 0;
}

/* `count` records of `record_size` bytes at `offset`, if the file has them. */
static int read_array(const struct object *o, uint64_t offset, size_t count,
		      size_t record_size, void *list_out)
{
	CLEANUP_FREE void *list = NULL;
	size_t bytes = count * record_size; /* counts are capped */
	int err;

	if (offset > o->image_size || bytes > o->image_size - offset)
		return -ENOEXEC;
	list = malloc(bytes);
	if (!list)
		return -ENOMEM;
	err = object_read(o, offset, list, bytes);
	if (err)
		return err;
	*(void **)list_out = TAKE_PTR(list);
	return 0;
}

int elf_program_headers(const struct object *o, Elf64_Phdr **list,
			size_t *count)
{
	Elf64_Ehdr header;
	int err = elf_read_header(o, &header);

	*list = NULL;
	*count = 0;
	if (err || !header.e_phnum)
		return err;
	if (header.e_phentsize != sizeof(Elf64_Phdr) ||
	    header.e_phnum > ELF_PROGRAM_HEADERS_MAX)
		return -ENOEXEC;
	err = read_array(o, header.e_phoff, header.e_phnum, sizeof(Elf64_Phdr),
			 list);
	if (!err)
		*count = header.e_phnum;
	return err;
}

/* Section counts that do not fit the header are in section 0 (gABI, "ELF
 * header", e_shnum and e_shstrndx). */
static int read_section_list(const struct object *o, struct elf_sections *s,
			     size_t *names_index)
{
	Elf64_Ehdr header;
	Elf64_Shdr first;
	uint64_t count;
	int err = elf_read_header(o, &header);

	if (err || !header.e_shoff)
		return err;
	if (header.e_shentsize != sizeof(Elf64_Shdr))
		return -ENOEXEC;
	err = object_read(o, header.e_shoff, &first, sizeof(first));
	if (err)
		return -ENOEXEC;
	count = header.e_shnum ? header.e_shnum : first.sh_size;
	if (count > ELF_SECTIONS_MAX)
		return -ENOEXEC;
	if (!count)
		return 0;
	err = read_array(o, header.e_shoff, count, sizeof(Elf64_Shdr),
			 &s->list);
	if (err)
		return err;
	s->count = count;
	*names_index = header.e_shstrndx == SHN_XINDEX ? first.sh_link
						       : header.e_shstrndx;
	return 0;
}

int elf_sections_read(const struct object *o, struct elf_sections *s)
{
	size_t names_index = 0;
	uint8_t *names = NULL;
	int err;

	*s = (struct elf_sections){0};
	err = read_section_list(o, s, &names_index);
	if (err || !s->count)
		return err;
	if (names_index >= s->count || names_index == SHN_UNDEF ||
	    s->list[names_index].sh_size > ELF_SECTION_NAMES_MAX)
		return 0; /* nameless sections: nothing will be found */
	err = elf_section_bytes(o, &s->list[names_index], &names,
				&s->names_size);
	if (err == -ENOMEM) {
		elf_sections_free(s);
		return err;
	}
	s->names = (char *)names;
	return 0;
}

void elf_sections_free(struct elf_sections *s)
{
	free(s->list);
	free(s->names);
	*s = (struct elf_sections){0};
}

/* "" when the name lies outside the table. */
static const char *elf_section_name(const struct elf_sections *s,
				    const Elf64_Shdr *section)
{
	return section->sh_name < s->names_size ? s->names + section->sh_name
						: "";
}

const Elf64_Shdr *elf_section_find(const struct elf_sections *s,
				   const char *name)
{
	for (size_t i = 1; i < s->count; i++) {
		const Elf64_Shdr *section = &s->list[i];

		/* Separate debug files keep the headers of what they left
		 * out, as SHT_NOBITS. */
		if (section->sh_type != SHT_NOBITS &&
		    section->sh_type != SHT_NULL &&
		    strcmp(elf_section_name(s, section), name) == 0)
			return section;
	}
	return NULL;
}

static int decompress(const uint8_t *data, size_t size, uint8_t **out,
		      size_t *out_size)
{
	CLEANUP_FREE uint8_t *plain = NULL;
	const uint8_t *packed = data + sizeof(Elf64_Chdr);
	size_t packed_size = size - sizeof(Elf64_Chdr);
	Elf64_Chdr header;
	uLongf got;

	if (size < sizeof(header))
		return -EINVAL;
	memcpy(&header, data, sizeof(header));
	if (header.ch_type != ELFCOMPRESS_ZLIB)
		return -EINVAL;
	if (header.ch_size > ELF_SECTION_BYTES_MAX)
		return -EFBIG;
	if (header.ch_size / DEFLATE_RATIO_MAX > packed_size)
		return -EINVAL;
	plain = malloc(header.ch_size + 1);
	if (!plain)
		return -ENOMEM;
	got = header.ch_size;
	if (uncompress(plain, &got, packed, packed_size) != Z_OK ||
	    got != header.ch_size)
		return -EINVAL;
	plain[got] = 0;
	*out_size = got;
	*out = TAKE_PTR(plain);
	return 0;
}

int elf_section_bytes(const struct object *o, const Elf64_Shdr *section,
		      uint8_t **data, size_t *size)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	int err;

	if (section->sh_type == SHT_NOBITS)
		return -ENOENT;
	if (section->sh_offset > o->image_size ||
	    section->sh_size > o->image_size - section->sh_offset)
		return -EIO;
	if (section->sh_size > ELF_SECTION_BYTES_MAX)
		return -EFBIG;
	bytes = malloc(section->sh_size + 1);
	if (!bytes)
		return -ENOMEM;
	err = object_read(o, section->sh_offset, bytes, section->sh_size);
	if (err)
		return err;
	if (section->sh_flags & SHF_COMPRESSED)
		return decompress(bytes, section->sh_size, data, size);
	bytes[section->sh_size] = 0;
	*size = section->sh_size;
	*data = TAKE_PTR(bytes);
	return 0;
}
