/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"

/* ---- Making files ------------------------------------------------------- */

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("object_test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static uint8_t *read_whole(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *bytes;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	*size = (size_t)st.st_size;
	for (size_t at = 0; at < *size;) {
		ssize_t got = read(fd, bytes + at, *size - at);

		assert_true(got > 0);
		at += (size_t)got;
	}
	close(fd);
	return bytes;
}

/* A small well-formed ELF file: code, symbols, one compressed section. */
struct small_elf {
	Elf64_Ehdr header;
	Elf64_Phdr load, code, note_header;
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint8_t id[20];
	} note;
	char names[64];
	char strings[64];
	Elf64_Sym symbols[6];
	struct {
		Elf64_Chdr header;
		uint8_t bytes[64];
	} packed;
	Elf64_Shdr sections[6];
};

#define PLAIN	   "uncompressed text, text, text, text, text"
#define AT(member) offsetof(struct small_elf, member)

static void add_symbol(struct small_elf *e, size_t i, const char *name,
		       uint8_t type, uint16_t section, uint64_t value)
{
	static const char first[] = "\0alpha\0beta@@V_2\0gone\0V_1.0\0";
	const char *found;

	memcpy(e->strings, first, sizeof(first));
	found = memmem(first, sizeof(first), name, strlen(name));
	e->symbols[i] = (Elf64_Sym){
		.st_name = (Elf64_Word)(found - first),
		.st_info = ELF64_ST_INFO(STB_GLOBAL, type),
		.st_shndx = section,
		.st_value = value,
		.st_size = 16,
	};
}

static void add_sections(struct small_elf *e)
{
	static const char names[] = "\0.names\0.strtab\0.symtab\0.packed\0"
				    ".go.buildinfo";
	uLongf packed = sizeof(e->packed.bytes);

	assert_int_equal(compress(e->packed.bytes, &packed, (Bytef *)PLAIN,
				  sizeof(PLAIN)),
			 Z_OK);
	e->packed.header = (Elf64_Chdr){.ch_type = ELFCOMPRESS_ZLIB,
					.ch_size = sizeof(PLAIN)};
	memcpy(e->names, names, sizeof(names));
	e->sections[1] = (Elf64_Shdr){.sh_name = 1,
				      .sh_type = SHT_STRTAB,
				      .sh_offset = AT(names),
				      .sh_size = sizeof(e->names)};
	e->sections[2] = (Elf64_Shdr){.sh_name = 8,
				      .sh_type = SHT_STRTAB,
				      .sh_offset = AT(strings),
				      .sh_size = sizeof(e->strings)};
	e->sections[3] = (Elf64_Shdr){.sh_name = 16,
				      .sh_type = SHT_SYMTAB,
				      .sh_link = 2,
				      .sh_entsize = sizeof(Elf64_Sym),
				      .sh_offset = AT(symbols),
				      .sh_size = sizeof(e->symbols)};
	e->sections[4] = (Elf64_Shdr){.sh_name = 24,
				      .sh_type = SHT_PROGBITS,
				      .sh_flags = SHF_COMPRESSED,
				      .sh_addr = 0x4242,
				      .sh_offset = AT(packed),
				      .sh_size = sizeof(Elf64_Chdr) + packed};
	e->sections[5] = (Elf64_Shdr){.sh_name = 32, .sh_type = SHT_PROGBITS};
}

static struct small_elf small_elf(void)
{
	struct small_elf e = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64,
				       ELFDATA2LSB, EV_CURRENT},
			   .e_type = ET_DYN,
			   .e_machine = EM_X86_64,
			   .e_version = EV_CURRENT,
			   .e_phoff = AT(load),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 3,
			   .e_shoff = AT(sections),
			   .e_shentsize = sizeof(Elf64_Shdr),
			   .e_shnum = 6,
			   .e_shstrndx = 1},
		.load = {.p_type = PT_LOAD,
			 .p_flags = PF_R,
			 .p_filesz = 0x100,
			 .p_memsz = 0x100},
		.code = {.p_type = PT_LOAD,
			 .p_flags = PF_R | PF_X,
			 .p_offset = 0x100,
			 .p_vaddr = 0x2100,
			 .p_filesz = 0x80,
			 .p_memsz = 0x1000},
		.note_header = {.p_type = PT_NOTE,
				.p_offset = AT(note),
				.p_filesz = sizeof(e.note),
				.p_align = 4},
		.note = {.header = {4, 20, NT_GNU_BUILD_ID},
			 .name = "GNU",
			 .id = {0xde, 0xad, 0xbe, 0xef}},
	};

	add_symbol(&e, 1, "alpha", STT_FUNC, 1, 0x2100);
	add_symbol(&e, 2, "beta", STT_GNU_IFUNC, 1, 0x2110);
	add_symbol(&e, 3, "gone", STT_FUNC, SHN_UNDEF, 0);
	add_symbol(&e, 4, "V_1.0", STT_OBJECT, SHN_ABS, 0);
	add_symbol(&e, 5, "gone", STT_TLS, 1, 8);
	add_sections(&e);
	return e;
}

static int open_small(struct object_registry *r, const struct small_elf *e,
		      struct object **o)
{
	return object_open(r, file_of(e, sizeof(*e)), "/small", o);
}

/* ---- Headers ------------------------------------------------------------ */

static void reads_segments_text_range_and_build_id(void **state)
{
	struct object_registry *r = *state;
	struct small_elf e = small_elf();
	char id[2 * BUILD_ID_BYTES_MAX + 1];
	uint64_t value;
	struct object *o;

	assert_int_equal(open_small(r, &e, &o), 0);
	assert_string_equal(o->path, "/small");
	assert_int_equal(o->machine, EM_X86_64);
	assert_int_equal(o->type, ET_DYN);
	assert_int_equal(o->segment_count, 2);
	assert_int_equal(o->text_base, 0x2100);
	assert_int_equal(o->text_end, 0x3100);
	assert_true(o->is_go);
	assert_string_equal(object_build_id_text(o, id),
			    "deadbeef00000000000000000000000000000000");
	assert_true(object_address_to_offset(o, 0x2110, &value));
	assert_int_equal(value, 0x110);
	assert_true(object_offset_to_address(o, 0x17f, &value));
	assert_int_equal(value, 0x217f);
	/* In memory, but not in the file. */
	assert_false(object_address_to_offset(o, 0x2180, &value));
	assert_false(object_offset_to_address(o, 0x180, &value));
	assert_ptr_equal(object_by_id(r, o->id), o);
	assert_null(object_by_id(r, o->id + 1));
	assert_null(object_by_id(r, 0));
}

static void refuses_what_is_no_64_bit_little_endian_program(void **state)
{
	struct object_registry *r = *state;
	struct object *o;

#define REFUSED(change)                                                        \
	do {                                                                   \
		struct small_elf e = small_elf();                              \
		change;                                                        \
		assert_int_equal(open_small(r, &e, &o), -ENOEXEC);             \
		assert_null(o);                                                \
	} while (0)

	REFUSED(e.header.e_ident[0] = 0);
	REFUSED(e.header.e_ident[EI_CLASS] = ELFCLASS32);
	REFUSED(e.header.e_ident[EI_DATA] = ELFDATA2MSB);
	REFUSED(e.header.e_type = ET_REL);
	REFUSED(e.header.e_phentsize = 32);
	REFUSED(e.header.e_phnum = 0xffff);
	REFUSED(e.header.e_phoff = UINT64_MAX - 8);
	REFUSED(e.code.p_vaddr = UINT64_MAX - 0xfff);
	REFUSED(e.code.p_vaddr = 1ULL << 48);
	REFUSED(e.code.p_memsz = UINT64_MAX);
	REFUSED(e.code.p_filesz = 0x2000);
	REFUSED(e.code.p_offset = UINT64_MAX);
#undef REFUSED
}

static void refuses_directories_devices_and_empty_files(void **state)
{
	struct object *o;

	assert_int_equal(object_open(*state, open("/", O_RDONLY), "/", &o),
			 -ENOEXEC);
	assert_int_equal(object_open(*state, open("/dev/zero", O_RDONLY),
				     "/dev/zero", &o),
			 -ENOEXEC);
	assert_int_equal(object_open(*state, file_of("", 0), "empty", &o),
			 -ENOEXEC);
	assert_int_equal(object_open(*state, -1, "no descriptor", &o), -EBADF);
}

static void the_same_file_is_the_same_object(void **state)
{
	struct object *first, *second, *other;
	const char *path = "/proc/self/exe";

	assert_int_equal(
		object_open(*state, open(path, O_RDONLY), path, &first), 0);
	assert_int_equal(
		object_open(*state, open(path, O_RDONLY), "again", &second), 0);
	assert_ptr_equal(first, second);
	assert_int_equal(object_open(*state, open("/bin/sh", O_RDONLY),
				     "/bin/sh", &other),
			 0);
	assert_ptr_not_equal(first, other);
	assert_int_not_equal(first->id, other->id);
}

static void many_segments_keep_the_executable_ones(void **state)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr loads[40];
	} e = {.header = small_elf().header};
	struct object *o;

	e.header.e_shoff = 0;
	e.header.e_phoff = sizeof(e.header);
	e.header.e_phnum = 40;
	for (uint32_t i = 0; i < 40; i++)
		e.loads[i] = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = i == 7 || i == 30 ? PF_X : PF_R,
			.p_vaddr = 0x1000 * i,
			.p_memsz = 0x1000,
		};
	assert_int_equal(object_open(*state, file_of(&e, sizeof(e)), "", &o),
			 0);
	assert_int_equal(o->segment_count, 2);
	assert_int_equal(o->text_base, 0x7000);
	assert_int_equal(o->text_end, 0x1f000);
	for (uint32_t i = 0; i < 40; i++)
		e.loads[i].p_flags = PF_X;
	assert_int_equal(object_open(*state, file_of(&e, sizeof(e)), "", &o),
			 -ENOEXEC);
}

/* ---- Sections ----------------------------------------------------------- */

static void sections_are_found_and_decompressed(void **state)
{
	struct small_elf e = small_elf();
	struct object *o;
	uint64_t address;
	uint8_t *data;
	size_t size;

	assert_int_equal(open_small(*state, &e, &o), 0);
	assert_int_equal(object_section(o, ".packed", &data, &size, &address),
			 0);
	assert_int_equal(size, sizeof(PLAIN));
	assert_string_equal((char *)data, PLAIN);
	assert_int_equal(address, 0x4242);
	free(data);
	assert_int_equal(object_section(o, ".nosuch", &data, &size, &address),
			 -ENOENT);
	assert_null(data);
}

static void malformed_sections_fail_without_harm(void **state)
{
	struct object *o;
	uint64_t address;
	uint8_t *data;
	size_t size;

#define FAILS(expected, change)                                                \
	do {                                                                   \
		struct small_elf e = small_elf();                              \
		change;                                                        \
		assert_int_equal(open_small(*state, &e, &o), 0);               \
		assert_int_equal(                                              \
			object_section(o, ".packed", &data, &size, &address),  \
			expected);                                             \
		assert_null(data);                                             \
	} while (0)

	FAILS(-EIO, e.sections[4].sh_offset = UINT64_MAX - 3);
	FAILS(-EIO, e.sections[4].sh_size = UINT64_MAX);
	FAILS(-EINVAL, e.sections[4].sh_size = 3);
	FAILS(-EINVAL, e.packed.header.ch_type = 77);
	FAILS(-EINVAL, e.packed.header.ch_size -= 1);
	FAILS(-EINVAL, e.packed.header.ch_size = 1 << 20);
	FAILS(-EFBIG, e.packed.header.ch_size = UINT64_MAX);
	FAILS(-EINVAL, e.packed.bytes[0] ^= 0xff);
	FAILS(-ENOENT, e.sections[4].sh_name = 0xffffff);
	FAILS(-ENOENT, e.sections[4].sh_type = SHT_NOBITS);
	FAILS(-ENOENT, e.header.e_shstrndx = 60);
	FAILS(-ENOENT, e.header.e_shoff = 0);
	FAILS(-ENOEXEC, e.header.e_shoff = UINT64_MAX);
	FAILS(-ENOEXEC, e.header.e_shentsize = 8);
	FAILS(-ENOEXEC, e.header.e_shnum = 0xfff0);
#undef FAILS
}

static void eh_frame_is_found_without_section_headers(void **state)
{
	size_t file_size, with_size, without_size;
	uint8_t *file = read_whole("/proc/self/exe", &file_size);
	uint8_t *with, *without;
	uint64_t with_address, without_address;
	struct object *whole, *stripped;

	assert_int_equal(
		object_open(*state, file_of(file, file_size), "whole", &whole),
		0);
	((Elf64_Ehdr *)file)->e_shoff = 0;
	((Elf64_Ehdr *)file)->e_shnum = 0;
	((Elf64_Ehdr *)file)->e_shstrndx = 0;
	assert_int_equal(object_open(*state, file_of(file, file_size),
				     "stripped", &stripped),
			 0);
	assert_int_equal(object_section(whole, ".eh_frame", &with, &with_size,
					&with_address),
			 0);
	assert_int_equal(object_section(stripped, ".eh_frame", &without,
					&without_size, &without_address),
			 0);
	assert_int_equal(with_address, without_address);
	assert_true(without_size >= with_size);
	assert_memory_equal(with, without, with_size);
	free(with);
	free(without);
	free(file);
}

/* ---- Symbols ------------------------------------------------------------ */

struct seen {
	int count;
	int stop_after;
	char text[256];
};

static int collect(const struct object_symbol *s, void *context)
{
	struct seen *seen = context;
	size_t used = strlen(seen->text);

	snprintf(seen->text + used, sizeof(seen->text) - used, "%s:%lx%s%s;",
		 s->name, (unsigned long)s->address,
		 s->is_function ? ":function" : "",
		 s->is_ifunc ? ":ifunc" : "");
	return ++seen->count == seen->stop_after ? -7 : 0;
}

static void visits_defined_symbols_without_versions(void **state)
{
	struct small_elf e = small_elf();
	struct seen seen = {0};
	struct object *o;

	assert_int_equal(open_small(*state, &e, &o), 0);
	assert_int_equal(object_each_symbol(o, collect, &seen), 0);
	assert_string_equal(seen.text,
			    "alpha:2100:function;beta:2110:function:ifunc;");
}

static void a_callback_stops_the_walk(void **state)
{
	struct seen seen = {.stop_after = 1};
	struct object *o;

	assert_int_equal(object_open(*state, open("/proc/self/exe", O_RDONLY),
				     "self", &o),
			 0);
	assert_int_equal(object_each_symbol(o, collect, &seen), -7);
	assert_int_equal(seen.count, 1);
}

static void malformed_symbol_tables_yield_no_symbols(void **state)
{
	struct object *o;

#define NO_SYMBOLS(expected, change)                                           \
	do {                                                                   \
		struct small_elf e = small_elf();                              \
		struct seen seen = {0};                                        \
		change;                                                        \
		assert_int_equal(open_small(*state, &e, &o), 0);               \
		assert_int_equal(object_each_symbol(o, collect, &seen),        \
				 expected);                                    \
		assert_string_equal(seen.text, "");                            \
	} while (0)

	NO_SYMBOLS(0, e.sections[3].sh_entsize = 1);
	NO_SYMBOLS(0, e.sections[3].sh_link = 600);
	NO_SYMBOLS(0, e.sections[2].sh_size = 0);
	NO_SYMBOLS(-EIO, e.sections[2].sh_offset = UINT64_MAX);
	NO_SYMBOLS(-EIO, e.sections[3].sh_size = UINT64_MAX);
	NO_SYMBOLS(-EINVAL, e.sections[3].sh_flags = SHF_COMPRESSED);
	NO_SYMBOLS(0, {
		e.symbols[1].st_name = 64;
		e.symbols[2].st_name = UINT32_MAX;
	});
#undef NO_SYMBOLS
}

static int count_symbol(const struct object_symbol *s, void *context)
{
	*(size_t *)context += strlen(s->name);
	return 0;
}

/* Thousands of symbols that all have the same long name. */
#define NAMES	30000
#define SYMBOLS 4096

struct long_names_elf {
	struct small_elf elf;
	char names[NAMES];
	Elf64_Sym symbols[SYMBOLS];
};

static void names_are_not_read_over_and_over(void **state)
{
	struct long_names_elf *e = calloc(1, sizeof(*e));
	size_t bytes = 0;
	struct object *o;

	assert_non_null(e);
	e->elf = small_elf();
	memset(e->names, 'a', NAMES - 1);
	for (size_t i = 0; i < SYMBOLS; i++)
		e->symbols[i] = e->elf.symbols[1];
	e->elf.sections[2].sh_offset = offsetof(struct long_names_elf, names);
	e->elf.sections[2].sh_size = NAMES;
	e->elf.sections[3].sh_offset = offsetof(struct long_names_elf, symbols);
	e->elf.sections[3].sh_size = sizeof(e->symbols);
	assert_int_equal(object_open(*state, file_of(e, sizeof(*e)), "", &o),
			 0);
	free(e);
	assert_int_equal(object_each_symbol(o, count_symbol, &bytes), -EFBIG);
	assert_in_range(bytes, NAMES, 5 * NAMES + 64 * SYMBOLS);
}

struct wanted {
	const char *name;
	uint64_t address;
};

static int find_symbol(const struct object_symbol *s, void *context)
{
	struct wanted *w = context;

	if (!s->is_function || strcmp(s->name, w->name) != 0)
		return 0;
	w->address = s->address;
	return 1;
}

static int own_bias(struct dl_phdr_info *info, size_t size, void *context)
{
	*(uint64_t *)context = info->dlpi_addr;
	return 1; /* the program itself comes first */
}

static void a_symbol_has_the_address_the_linker_gave_it(void **state)
{
	struct wanted w = {
		.name = "a_symbol_has_the_address_the_linker_gave_it"};
	uint64_t bias = 0,
		 here = (uintptr_t)a_symbol_has_the_address_the_linker_gave_it;
	struct object *o;

	dl_iterate_phdr(own_bias, &bias);
	assert_int_equal(object_open(*state, open("/proc/self/exe", O_RDONLY),
				     "self", &o),
			 0);
	assert_int_equal(object_each_symbol(o, find_symbol, &w), 1);
	assert_int_equal(w.address, here - bias);
}

/* ---- Images in memory --------------------------------------------------- */

/* The section headers stand at its end. */
static size_t image_size(const void *image)
{
	const Elf64_Ehdr *header = image;

	return header->e_shoff + header->e_shnum * sizeof(Elf64_Shdr);
}

static void the_vdso_is_an_object_with_symbols_and_cfi(void **state)
{
	const uint8_t *image = (const uint8_t *)getauxval(AT_SYSINFO_EHDR);
	struct wanted w = {.name = "__vdso_clock_gettime"};
	struct object *o, *again;
	uint64_t address;
	uint8_t *data;
	size_t size;

	if (!image)
		skip(); /* valgrind hides it */
	assert_int_equal(object_from_memory(*state, image, image_size(image),
					    "[vdso]", &o),
			 0);
	assert_true(o->is_vdso);
	assert_int_equal(o->fd, -1);
	assert_true(o->text_end > o->text_base);
	assert_int_equal(object_each_symbol(o, find_symbol, &w), 1);
	assert_true(w.address > 0);
	assert_int_equal(object_section(o, ".eh_frame", &data, &size, &address),
			 0);
	assert_true(size > 0);
	free(data);
	assert_int_equal(object_from_memory(*state, image, image_size(image),
					    "[vdso]", &again),
			 0);
	assert_ptr_equal(o, again);
}

static void the_registry_has_an_upper_limit(void **state)
{
	struct small_elf e = small_elf();
	struct object *o;

	e.header.e_phnum = 2; /* no build-id: told apart by their bytes */
	for (uint64_t i = 1; i < OBJECTS_MAX; i++) {
		e.symbols[5].st_size = i;
		assert_int_equal(
			object_from_memory(*state, &e, sizeof(e), "m", &o), 0);
		assert_int_equal(o->id, i);
	}
	e.symbols[5].st_size = 0;
	assert_int_equal(object_from_memory(*state, &e, sizeof(e), "m", &o),
			 -ENOSPC);
	assert_null(o);
}

/* ---- Hostile files ------------------------------------------------------ */

static void use_everything(const struct object *o)
{
	static const char *const names[] = {".eh_frame", ".eh_frame_hdr",
					    ".packed"};
	size_t total = 0, size;
	uint64_t address;
	uint8_t *data;

	object_each_symbol(o, count_symbol, &total);
	for (size_t i = 0; i < 3; i++) {
		object_section(o, names[i], &data, &size, &address);
		free(data);
	}
}

/* Objects that have not been in use for a while are named, and once they are
 * released there is room for others. Ids come again late, serials never. */
static void what_is_idle_makes_room(void **state)
{
	struct small_elf e = small_elf();
	bool in_use[OBJECTS_MAX] = {[7] = true};
	uint32_t ids[OBJECTS_MAX], serial;
	struct object *o;

	e.header.e_phnum = 2;
	for (uint64_t i = 1; i < 100; i++) {
		e.symbols[5].st_size = i;
		assert_int_equal(
			object_from_memory(*state, &e, sizeof(e), "m", &o), 0);
	}
	serial = o->serial;
	assert_int_equal(object_registry_idle(*state, in_use, 1000, 50, ids,
					      OBJECTS_MAX),
			 0);
	in_use[8] = true;
	assert_int_equal(object_registry_idle(*state, in_use, 1040, 50, ids,
					      OBJECTS_MAX),
			 0);
	in_use[8] = false; /* idle again, but not for long */
	assert_int_equal(object_registry_idle(*state, in_use, 1060, 50, ids,
					      OBJECTS_MAX),
			 97);
	for (uint32_t i = 0; i < 97; i++) {
		assert_true(ids[i] != 7 && ids[i] != 8);
		object_release(*state, ids[i]);
		assert_null(object_by_id(*state, ids[i]));
	}
	assert_int_equal(object_registry_count(*state), 2);
	e.symbols[5].st_size = 1; /* was there before */
	assert_int_equal(object_from_memory(*state, &e, sizeof(e), "m", &o), 0);
	assert_int_equal(o->id, 100);
	assert_true(o->serial > serial);
}

static void a_file_cut_anywhere_is_harmless(void **state)
{
	struct small_elf e = small_elf();
	size_t opened = 0;

	for (size_t size = 0; size < sizeof(e); size += 4) {
		struct object_registry *r = object_registry_new();
		struct object *o;

		if (object_open(r, file_of(&e, size), "cut", &o) == 0) {
			use_everything(o);
			opened++;
		}
		object_registry_free(r);
	}
	assert_true(opened > 0);
}

static void a_file_cut_after_opening_is_harmless(void **state)
{
	struct small_elf e = small_elf();
	struct seen seen = {0};
	struct object *o;
	uint64_t address;
	uint8_t *data;
	size_t size;

	assert_int_equal(open_small(*state, &e, &o), 0);
	assert_int_equal(ftruncate(o->fd, 0), 0);
	assert_true(object_each_symbol(o, collect, &seen) < 0);
	assert_true(object_section(o, ".packed", &data, &size, &address) < 0);
	assert_string_equal(seen.text, "");
}

/* Every byte of the file in turn takes an extreme value. */
static void any_changed_byte_is_harmless(void **state)
{
	static const uint8_t values[] = {0x00, 0x7f, 0x80, 0xff};
	struct small_elf good = small_elf();

	for (size_t i = 0; i < 4 * sizeof(good); i++) {
		struct object_registry *r = object_registry_new();
		struct small_elf e = good;
		struct object *o;

		((uint8_t *)&e)[i / 4] = values[i % 4];
		if (object_open(r, file_of(&e, sizeof(e)), "bad", &o) == 0)
			use_everything(o);
		object_registry_free(r);
	}
}

/* ------------------------------------------------------------------------- */

static int setup(void **state)
{
	*state = object_registry_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	object_registry_free(*state);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_segments_text_range_and_build_id),
		TEST(refuses_what_is_no_64_bit_little_endian_program),
		TEST(refuses_directories_devices_and_empty_files),
		TEST(the_same_file_is_the_same_object),
		TEST(many_segments_keep_the_executable_ones),
		TEST(sections_are_found_and_decompressed),
		TEST(malformed_sections_fail_without_harm),
		TEST(eh_frame_is_found_without_section_headers),
		TEST(visits_defined_symbols_without_versions),
		TEST(a_callback_stops_the_walk),
		TEST(malformed_symbol_tables_yield_no_symbols),
		TEST(names_are_not_read_over_and_over),
		TEST(a_symbol_has_the_address_the_linker_gave_it),
		TEST(the_vdso_is_an_object_with_symbols_and_cfi),
		TEST(the_registry_has_an_upper_limit),
		TEST(what_is_idle_makes_room),
		TEST(a_file_cut_anywhere_is_harmless),
		TEST(a_file_cut_after_opening_is_harmless),
		TEST(any_changed_byte_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
