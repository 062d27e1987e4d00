/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to src/object: ELF headers, read and checked. */
#ifndef OBJECT_ELF_FILE_H
#define OBJECT_ELF_FILE_H

#include <elf.h>

#include "object/object.h"

/* Caps on what a file may make us allocate. */
#define ELF_PROGRAM_HEADERS_MAX 512
#define ELF_SECTIONS_MAX	65536
#define ELF_SECTION_NAMES_MAX	(4u << 20)
#define ELF_SECTION_BYTES_MAX	(256u << 20)

/* Checks that this is a 64-bit little-endian ELF file; -ENOEXEC, -EIO. */
int elf_read_header(const struct object *o, Elf64_Ehdr *header);

/* Fills what the headers say of an object whose contents can be read. 0,
 * -ENOEXEC, -ENOMEM, -EIO. */
int object_read_headers(struct object *o);

/* malloc'ed; the count may be 0, then *list is NULL. -ENOEXEC, -ENOMEM, -EIO */
int elf_program_headers(const struct object *o, Elf64_Phdr **list,
			size_t *count);

/* Section headers with the table of their names (NUL-terminated). */
struct elf_sections {
	Elf64_Shdr *list;
	size_t count;
	char *names;
	size_t names_size; /* without the added NUL */
};

/* A file without section headers yields count 0. */
int elf_sections_read(const struct object *o, struct elf_sections *s);
void elf_sections_free(struct elf_sections *s);
/* The first section of that name that has bytes in the file, or NULL. */
const Elf64_Shdr *elf_section_find(const struct elf_sections *s,
				   const char *name);
/* Its bytes, decompressed, malloc'ed with a NUL after the last one.
 * -EFBIG beyond ELF_SECTION_BYTES_MAX, -EINVAL not decompressible. */
int elf_section_bytes(const struct object *o, const Elf64_Shdr *section,
		      uint8_t **data, size_t *size);

#endif
