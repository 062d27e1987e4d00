/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An object is an ELF image that a target executes: program, shared library,
 * vdso. Objects are opened once, when first seen mapped, through
 * /proc/PID/map_files (so a deleted or replaced file is still the one that
 * runs) and stay open, so that symbols resolve after the target has exited,
 * until nobody refers to them any more. One object per (device, inode):
 * processes that map the same file share it.
 *
 * Every byte of the file is untrusted. It is read with pread into checked
 * copies or through libelf, never mapped MAP_SHARED (the target could truncate
 * the file under us and SIGBUS a mapping).
 */
#ifndef OBJECT_OBJECT_H
#define OBJECT_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "leakbpf/abi_user.h"

#define BUILD_ID_BYTES_MAX  32
#define OBJECT_SEGMENTS_MAX 16

/* A PT_LOAD segment. */
struct object_segment {
	uint64_t address; /* p_vaddr, link-time */
	uint64_t memory_size;
	uint64_t file_offset;
	uint64_t file_size;
	bool executable;
};

struct object {
	uint32_t id;	 /* 1..OBJECTS_MAX-1, see FRAME_OBJECT_SHIFT */
	uint32_t serial; /* unlike the id never that of another */
	char *path;	 /* as in /proc/PID/maps, without " (deleted)" */
	int fd;		 /* O_RDONLY; -1 for images in memory (vdso) */
	dev_t device;
	ino_t inode;
	uint8_t build_id[BUILD_ID_BYTES_MAX];
	uint32_t build_id_size; /* 0: none */
	uint16_t machine;	/* e_machine */
	uint16_t type;		/* ET_EXEC or ET_DYN */
	bool is_vdso;
	bool is_go; /* has .go.buildinfo or .gopclntab: never return-probe */
	/* Lowest and one past the highest link-time executable address:
	 * text_base is what unwind_row.pc 0 stands for. */
	uint64_t text_base;
	uint64_t text_end;
	uint32_t segment_count;
	struct object_segment segments[OBJECT_SEGMENTS_MAX];
	uint8_t *image;	   /* vdso: the bytes; else NULL */
	size_t image_size; /* file or image size */
};

struct object_registry;

struct object_registry *object_registry_new(void);
void object_registry_free(struct object_registry *r);

/*
 * The object behind an open file; takes the descriptor in every case.
 * Returns 0 and *out (owned by the registry, valid until released), or
 * -ENOEXEC not an ELF file this tool understands (64-bit little-endian, sane
 * headers), -ENOSPC too many objects, -ENOMEM, or what read gave.
 * The same (device, inode) yields the same object.
 */
int object_open(struct object_registry *r, int fd, const char *path,
		struct object **out);
/* An ELF image copied from memory (the vdso); one object per build-id. */
int object_from_memory(struct object_registry *r, const void *image,
		       size_t size, const char *name, struct object **out);
struct object *object_by_id(const struct object_registry *r, uint32_t id);
uint32_t object_registry_count(const struct object_registry *r);

/*
 * Ids are few. Those of objects that have not been in use (`in_use`, by id) at
 * any call for `idle_ns` and longer: writes up to `max`, returns how many. They
 * may be released, and the ids given to others, once nobody remembers them.
 */
uint32_t object_registry_idle(struct object_registry *r, const bool *in_use,
			      uint64_t now_ns, uint64_t idle_ns, uint32_t *ids,
			      uint32_t max);
void object_release(struct object_registry *r, uint32_t id);
/* Notes the object of a frame. */
static inline void object_mark(bool *in_use, uint64_t frame)
{
	uint64_t id = frame >> FRAME_OBJECT_SHIFT;

	if (id < OBJECTS_MAX)
		in_use[id] = true;
}

/* Reads exactly `size` bytes of the file or image at `offset`; 0, or -EIO when
 * there are fewer. */
int object_read(const struct object *o, uint64_t offset, void *to, size_t size);

/* Link-time address <-> file offset; false when no segment's file part holds
 * it. */
bool object_address_to_offset(const struct object *o, uint64_t address,
			      uint64_t *offset);
bool object_offset_to_address(const struct object *o, uint64_t offset,
			      uint64_t *address);

/* Lower-case hex, "" when there is none. */
const char *object_build_id_text(const struct object *o,
				 char text[2 * BUILD_ID_BYTES_MAX + 1]);

/* A section by name: its bytes, decompressed if SHF_COMPRESSED, malloc'ed into
 * *data; *address is sh_addr. -ENOENT when there is none. For an image in
 * memory without section headers only ".eh_frame_hdr"/".eh_frame" are found,
 * through PT_GNU_EH_FRAME (also the fallback for stripped files). */
int object_section(const struct object *o, const char *name, uint8_t **data,
		   size_t *size, uint64_t *address);

/* A function or other defined symbol. */
struct object_symbol {
	const char *name; /* valid during the callback only */
	uint64_t address; /* link-time */
	uint64_t size;	  /* 0: unknown */
	bool is_function; /* STT_FUNC or STT_GNU_IFUNC */
	bool is_ifunc;
	bool is_dynamic; /* from .dynsym, else .symtab */
};

/* Calls `each` for every defined symbol of .dynsym and .symtab (versions
 * stripped from names), until it returns non-zero, which is then returned. */
int object_each_symbol(const struct object *o,
		       int (*each)(const struct object_symbol *s,
				   void *context),
		       void *context);

#endif
