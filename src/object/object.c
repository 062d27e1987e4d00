// SPDX-License-Identifier: GPL-2.0-only
/* The registry, an object's headers, and reading its file. */
#include "object/object.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "leakbpf/abi_user.h"
#include "object/object_internal.h"

/* Program headers looked at; the format allows 65535, no real file has them. */
#define PROGRAM_HEADERS_MAX 64
#define NOTE_BYTES_MAX (64 * 1024)

struct object_registry {
	struct object *list[OBJECTS_MAX]; /* by id; [0] unused */
	uint32_t count;                   /* one past the last id */
};

struct object_registry *object_registry_new(void)
{
	struct object_registry *r = calloc(1, sizeof(*r));

	if (r)
		r->count = 1;
	return r;
}

static void object_free(struct object *o)
{
	if (o->fd >= 0)
		close(o->fd);
	free(o->path);
	free(o->image);
	free(o);
}

void object_registry_free(struct object_registry *r)
{
	if (!r)
		return;
	for (uint32_t i = 1; i < r->count; i++)
		object_free(r->list[i]);
	free(r);
}

struct object *object_by_id(struct object_registry *r, uint32_t id)
{
	return id && id < r->count ? r->list[id] : NULL;
}

/* ---- File access --------------------------------------------------------- */

int object_read(const struct object *o, uint64_t offset, void *to, size_t size)
{
	size_t done = 0;

	if (offset > o->image_size || size > o->image_size - offset)
		return -EIO;
	if (o->image) {
		memcpy(to, o->image + offset, size);
		return 0;
	}
	while (done < size) {
		ssize_t n = pread(o->fd, (char *)to + done, size - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) /* truncated since it was opened */
			return -EIO;
		done += (size_t)n;
	}
	return 0;
}

bool object_address_to_offset(const struct object *o, uint64_t address,
			      uint64_t *offset)
{
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *s = &o->segments[i];

		if (address >= s->address &&
		    address - s->address < s->file_size) {
			*offset = s->file_offset + (address - s->address);
			return true;
		}
	}
	return false;
}

bool object_offset_to_address(const struct object *o, uint64_t offset,
			      uint64_t *address)
{
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *s = &o->segments[i];

		if (offset >= s->file_offset &&
		    offset - s->file_offset < s->file_size) {
			*address = s->address + (offset - s->file_offset);
			return true;
		}
	}
	return false;
}

const char *object_build_id_text(const struct object *o,
				 char text[2 * BUILD_ID_BYTES_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (uint32_t i = 0; i < o->build_id_size; i++) {
		text[2 * i] = digits[o->build_id[i] >> 4];
		text[2 * i + 1] = digits[o->build_id[i] & 15];
	}
	text[2 * o->build_id_size] = '\0';
	return text;
}

/* ---- Headers -------------------------------------------------------------- */

static bool header_is_sane(const Elf64_Ehdr *h)
{
	return !memcmp(h->e_ident, ELFMAG, SELFMAG) &&
	       h->e_ident[EI_CLASS] == ELFCLASS64 &&
	       h->e_ident[EI_DATA] == ELFDATA2LSB &&
	       (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
	       h->e_phentsize == sizeof(Elf64_Phdr) && h->e_phnum;
}

/* Sums of untrusted numbers must not wrap. */
static bool segment_is_sane(const Elf64_Phdr *p)
{
	return p->p_filesz <= p->p_memsz &&
	       p->p_vaddr + p->p_memsz >= p->p_vaddr &&
	       p->p_offset + p->p_filesz >= p->p_offset &&
	       p->p_vaddr + p->p_memsz <= FRAME_ADDRESS_MASK;
}

static void add_segment(struct object *o, const Elf64_Phdr *p)
{
	struct object_segment *s;

	if (o->segment_count >= OBJECT_SEGMENTS_MAX || !segment_is_sane(p))
		return;
	s = &o->segments[o->segment_count++];
	s->address = p->p_vaddr;
	s->memory_size = p->p_memsz;
	s->file_offset = p->p_offset;
	s->file_size = p->p_filesz;
	s->executable = p->p_flags & PF_X;
	if (!s->executable || !s->memory_size)
		return;
	if (s->address < o->text_base || !o->text_end)
		o->text_base = s->address;
	if (s->address + s->memory_size > o->text_end)
		o->text_end = s->address + s->memory_size;
}

/* NT_GNU_BUILD_ID among the notes of one PT_NOTE segment. */
static void read_build_id(struct object *o, const Elf64_Phdr *p)
{
	size_t size = p->p_filesz < NOTE_BYTES_MAX ? p->p_filesz :
						     NOTE_BYTES_MAX;
	uint8_t *notes;
	size_t at = 0;

	if (o->build_id_size)
		return;
	notes = malloc(size ? size : 1);
	if (!notes || object_read(o, p->p_offset, notes, size))
		size = 0;
	while (size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr n;
		uint64_t name, description, next;

		memcpy(&n, notes + at, sizeof(n));
		name = at + sizeof(n);
		description = name + ((n.n_namesz + 3ULL) & ~3ULL);
		next = description + ((n.n_descsz + 3ULL) & ~3ULL);
		if (description + n.n_descsz > size)
			break;
		if (n.n_type == NT_GNU_BUILD_ID && n.n_namesz == 4 &&
		    !memcmp(notes + name, "GNU", 4) &&
		    n.n_descsz <= BUILD_ID_BYTES_MAX) {
			memcpy(o->build_id, notes + description, n.n_descsz);
			o->build_id_size = n.n_descsz;
			break;
		}
		if (next > size)
			break;
		at = next;
	}
	free(notes);
}

static int read_headers(struct object *o)
{
	Elf64_Phdr headers[PROGRAM_HEADERS_MAX];
	Elf64_Ehdr h;
	uint32_t count;

	if (object_read(o, 0, &h, sizeof(h)) || !header_is_sane(&h))
		return -ENOEXEC;
	count = h.e_phnum < PROGRAM_HEADERS_MAX ? h.e_phnum :
						  PROGRAM_HEADERS_MAX;
	if (object_read(o, h.e_phoff, headers, count * sizeof(*headers)))
		return -ENOEXEC;
	o->machine = h.e_machine;
	o->type = h.e_type;
	for (uint32_t i = 0; i < count; i++) {
		if (headers[i].p_type == PT_LOAD)
			add_segment(o, &headers[i]);
		else if (headers[i].p_type == PT_NOTE)
			read_build_id(o, &headers[i]);
	}
	/* Row addresses are 32-bit offsets from text_base. */
	if (!o->text_end || o->text_end - o->text_base > UINT32_MAX)
		return -ENOEXEC;
	return 0;
}

/* ---- Opening ---------------------------------------------------------------- */

static struct object *find_file(const struct object_registry *r, dev_t device,
				ino_t inode)
{
	for (uint32_t i = 1; i < r->count; i++)
		if (!r->list[i]->is_vdso && r->list[i]->device == device &&
		    r->list[i]->inode == inode)
			return r->list[i];
	return NULL;
}

/* Gives the object an id, or frees it. */
static int enroll(struct object_registry *r, struct object *o,
		  struct object **out)
{
	int err = read_headers(o);

	if (!err && r->count >= OBJECTS_MAX)
		err = -ENOSPC;
	if (err) {
		object_free(o);
		return err;
	}
	o->is_go = object_has_section(o, ".go.buildinfo") ||
		   object_has_section(o, ".gopclntab");
	o->id = r->count;
	r->list[r->count++] = o;
	*out = o;
	return 0;
}

static struct object *object_new(const char *path)
{
	struct object *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->fd = -1;
	o->path = strdup(path);
	if (!o->path) {
		free(o);
		return NULL;
	}
	return o;
}

int object_open(struct object_registry *r, int fd, const char *path,
		struct object **out)
{
	struct object *o;
	struct stat st;

	if (fstat(fd, &st)) {
		int err = -errno;

		close(fd);
		return err;
	}
	o = find_file(r, st.st_dev, st.st_ino);
	if (o || !S_ISREG(st.st_mode)) {
		close(fd);
		*out = o;
		return o ? 0 : -ENOEXEC;
	}
	o = object_new(path);
	if (!o) {
		close(fd);
		return -ENOMEM;
	}
	o->fd = fd;
	o->device = st.st_dev;
	o->inode = st.st_ino;
	o->image_size = (size_t)st.st_size;
	return enroll(r, o, out);
}

static struct object *find_image(const struct object_registry *r,
				 const void *image, size_t size)
{
	for (uint32_t i = 1; i < r->count; i++)
		if (r->list[i]->image && r->list[i]->image_size == size &&
		    !memcmp(r->list[i]->image, image, size))
			return r->list[i];
	return NULL;
}

int object_from_memory(struct object_registry *r, const void *image,
		       size_t size, const char *name, struct object **out)
{
	struct object *o = find_image(r, image, size);

	if (o) {
		*out = o;
		return 0;
	}
	o = object_new(name);
	if (!o)
		return -ENOMEM;
	o->is_vdso = true;
	o->image = malloc(size ? size : 1);
	if (!o->image) {
		object_free(o);
		return -ENOMEM;
	}
	memcpy(o->image, image, size);
	o->image_size = size;
	return enroll(r, o, out);
}
