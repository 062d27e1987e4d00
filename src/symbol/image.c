/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/image.h"

#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

bool image_open(struct image *image, int fd)
{
	image->fd = fd;
	image->elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	return image->elf && elf_kind(image->elf) == ELF_K_ELF;
}

void image_close(struct image *image)
{
	if (image->elf)
		elf_end(image->elf);
	if (image->fd >= 0)
		close(image->fd);
	*image = (struct image){.fd = -1};
}

Elf_Scn *image_section(Elf *elf, const char *name)
{
	size_t names;
	Elf_Scn *scn = NULL;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr header;
		const char *found = NULL;

		if (gelf_getshdr(scn, &header) && header.sh_type != SHT_NOBITS)
			found = elf_strptr(elf, names, header.sh_name);
		if (found && !strcmp(found, name))
			return scn;
	}
	return NULL;
}

bool image_has_dwarf(Elf *elf)
{
	return image_section(elf, ".debug_info") ||
	       image_section(elf, ".zdebug_info");
}

bool image_has_build_id(Elf *elf, const void *id, size_t size)
{
	const void *found;
	ssize_t n = dwelf_elf_gnu_build_id(elf, &found);

	return n > 0 && (size_t)n == size && !memcmp(found, id, size);
}

bool image_has_crc(Elf *elf, uint32_t crc)
{
	size_t size;
	const char *bytes = elf_rawfile(elf, &size);

	return bytes && crc32_z(0, (const Bytef *)bytes, size) == crc;
}
