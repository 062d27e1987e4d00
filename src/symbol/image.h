/* SPDX-License-Identifier: GPL-2.0-only */
/* An ELF file opened in the worker. */
#ifndef SYMBOL_IMAGE_H
#define SYMBOL_IMAGE_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image {
	int fd; /* -1: none */
	Elf *elf;
};

/* Takes the descriptor, which may be negative, in every case: image_close. */
bool image_open(struct image *image, int fd);
void image_close(struct image *image);

/* NULL: none, or without contents. */
Elf_Scn *image_section(Elf *elf, const char *name);
bool image_has_dwarf(Elf *elf);

/* Whether a separate debug file is the one wanted: by its build-id, or by the
 * CRC-32 of all of it that .gnu_debuglink has. */
bool image_has_build_id(Elf *elf, const void *id, size_t size);
bool image_has_crc(Elf *elf, uint32_t crc);

#endif
