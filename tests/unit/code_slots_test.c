/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls by way of the PLT lead to the functions that they call, in libraries as
 * linkers make them; damaged ones are read without harm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "probe/code_slots.h"
#include "probe/insn.h"
#include "registry.h"
#include "scratch.h"

/* One function of each kind that a PLT leads to: the library's own, one whose
 * address is taken as well (.plt.got), two of others. */
static const char source[] =
	"#include <stdlib.h>\n"
	"int elsewhere(void);\n"
	"__attribute__((noinline)) int one(void) { return 1; }\n"
	"__attribute__((noinline)) int two(void) { return 2; }\n"
	"void *taken(void) { return (void *)two; }\n"
	"int caller(void **p)\n"
	"{\n"
	"	*p = malloc(1);\n"
	"	return one() + two() + elsewhere();\n"
	"}\n";

static const struct object *opened(const char *path)
{
	struct object *o;

	assert_int_equal(object_open(registry, open(path, O_RDONLY | O_CLOEXEC),
				     path, &o),
			 0);
	return o;
}

static void compile(const char *flags, char path[128])
{
	static int count;
	char command[512];
	FILE *f;

	snprintf(path, 128, "%s/%d.so", scratch, count++);
	snprintf(command, sizeof(command),
		 "gcc -x c -O2 -fPIC -fsemantic-interposition -shared %s -o %s "
		 "-",
		 flags, path);
	f = popen(command, "w");
	assert_non_null(f);
	assert_int_equal(fputs(source, f) >= 0, 1);
	assert_int_equal(pclose(f), 0);
}

static int take_address(const struct object_symbol *s, void *context)
{
	struct object_symbol *wanted = context;

	if (strcmp(s->name, wanted->name) != 0)
		return 0;
	wanted->address = s->address;
	wanted->size = s->size;
	return 1;
}

static struct object_symbol symbol(const struct object *o, const char *name)
{
	struct object_symbol s = {.name = name};

	assert_int_equal(object_each_symbol(o, take_address, &s), 1);
	return s;
}

/* What the calls in `caller` lead to. */
struct called {
	unsigned int one, two, allocators, unknown;
};

static struct called calls(const struct object *o,
			   const struct code_slots *slots)
{
	struct object_symbol caller = symbol(o, "caller");
	uint64_t one = symbol(o, "one").address, offset;
	uint64_t two = symbol(o, "two").address;
	struct called found = {0};
	struct insn_reader reader;
	uint8_t code[256];
	struct insn i;

	assert_true(caller.size <= sizeof(code));
	assert_true(object_address_to_offset(o, caller.address, &offset));
	assert_int_equal(object_read(o, offset, code, caller.size), 0);
	assert_int_equal(insn_reader_open(&reader, code, caller.size,
					  caller.address, false),
			 0);
	while (insn_read(&reader, &i)) {
		const struct code_slot *slot;

		if (i.flow != INSN_CALL)
			continue;
		assert_true(code_slots_stub(slots, o, i.target, &slot));
		found.one += slot && slot->address == one;
		found.two += slot && slot->address == two;
		found.allocators += slot && !slot->address && slot->kind;
		found.unknown += !slot;
	}
	insn_reader_close(&reader);
	return found;
}

static void assert_resolved(const struct object *o)
{
	struct code_slots slots;
	struct called found;

	assert_int_equal(code_slots_read(o, &slots), 0);
	found = calls(o, &slots);
	code_slots_free(&slots);
	assert_int_equal(found.one, 1);
	assert_int_equal(found.two, 1);
	assert_int_equal(found.allocators, 1);
	assert_int_equal(found.unknown, 1);
}

static void stubs_lead_to_their_functions(void **state)
{
	static const char *const flags[] = {
		"-Wl,-z,lazy", "-Wl,-z,now", "-Wl,-z,lazy,-z,ibtplt",
		"-Wl,-z,now,-z,ibtplt -fcf-protection=full", "-Wl,-z,now -s"};
	char path[128];

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		compile(flags[i], path);
		assert_resolved(opened(path));
	}
}

/* The linker has made what the test above is about. */
static void all_kinds_of_plt_were_there(void **state)
{
	static const struct {
		const char *flags, *sections[3];
	} cases[] = {
		{"-Wl,-z,lazy", {".plt", ".plt.got"}},
		{"-Wl,-z,now,-z,ibtplt", {".plt", ".plt.sec", ".plt.got"}},
	};
	char path[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct object *o;

		compile(cases[i].flags, path);
		o = opened(path);
		for (int n = 0; n < 3 && cases[i].sections[n]; n++) {
			CLEANUP_FREE uint8_t *data = NULL;
			uint64_t address;
			size_t size;

			assert_int_equal(object_section(o, cases[i].sections[n],
							&data, &size, &address),
					 0);
			assert_true(size >= 8);
		}
	}
}

static void other_code_is_no_stub(void **state)
{
	const struct code_slot *slot;
	struct code_slots slots;
	const struct object *o;
	char path[128];

	compile("-Wl,-z,now", path);
	o = opened(path);
	assert_int_equal(code_slots_read(o, &slots), 0);
	assert_true(slots.count >= 3);
	assert_false(
		code_slots_stub(&slots, o, symbol(o, "one").address, &slot));
	assert_null(slot);
	assert_false(code_slots_stub(&slots, o, 0, &slot));
	assert_false(code_slots_stub(&slots, o, UINT64_MAX, &slot));
	assert_null(code_slots_find(&slots, slots.list[0].slot + 1));
	code_slots_free(&slots);
}

/* ---- Damaged files ---- */

static void write_at(const char *path, off_t at, const void *bytes, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, at), (ssize_t)size);
	close(fd);
}

/* Where a section's bytes are in the file. */
static off_t section_offset(const char *path, const char *name, size_t *size)
{
	CLEANUP_FREE uint8_t *data = NULL;
	const struct object *o = opened(path);
	uint64_t address, offset;

	assert_int_equal(object_section(o, name, &data, size, &address), 0);
	assert_true(object_address_to_offset(o, address, &offset));
	object_release(registry, o->id);
	return (off_t)offset;
}

/* Relocations that name symbols, and symbols that name text, beyond the end. */
static void numbers_beyond_the_tables_lead_nowhere(void **state)
{
	uint32_t beyond = UINT32_MAX - 1;
	struct code_slots slots;
	const struct object *o;
	struct called found;
	char path[128];
	size_t size;
	off_t at;

	for (int names = 0; names < 2; names++) {
		compile("-Wl,-z,now,-z,norelro", path);
		at = section_offset(path, names ? ".dynsym" : ".rela.plt",
				    &size);
		if (names)
			for (size_t i = 0; i < size; i += sizeof(Elf64_Sym))
				write_at(path, at + (off_t)i, &beyond, 4);
		else
			for (size_t i = 0; i < size; i += sizeof(Elf64_Rela))
				write_at(
					path,
					at +
						(off_t)(i + offsetof(Elf64_Rela,
								     r_info)) +
						4,
					&beyond, 4);
		o = opened(path);
		assert_int_equal(code_slots_read(o, &slots), 0);
		if (!names) {
			found = calls(o, &slots);
			assert_int_equal(found.one + found.allocators, 0);
		} else {
			assert_int_equal(slots.count, 0);
		}
		code_slots_free(&slots);
	}
}

/* Any number of bytes that is left of a file. */
static void files_cut_short_are_read_as_far_as_they_go(void **state)
{
	const struct code_slot *slot;
	struct code_slots slots;
	const struct object *o;
	char path[128];
	off_t size;
	int fd;

	compile("-Wl,-z,lazy", path);
	o = opened(path);
	size = (off_t)o->image_size;
	object_release(registry, o->id);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	for (off_t left = size - 1; left > 4096; left -= 97) {
		struct object *cut;

		assert_int_equal(ftruncate(fd, left), 0);
		if (object_open(registry, open(path, O_RDONLY | O_CLOEXEC),
				path, &cut))
			continue;
		assert_int_equal(code_slots_read(cut, &slots), 0);
		for (uint64_t at = cut->text_base; at < cut->text_end; at++)
			code_slots_stub(&slots, cut, at, &slot);
		code_slots_free(&slots);
		object_release(registry, cut->id);
	}
	close(fd);
}

#define TEST(f)                                                                \
	cmocka_unit_test_setup_teardown(f, registry_make, registry_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stubs_lead_to_their_functions),
		TEST(all_kinds_of_plt_were_there),
		TEST(other_code_is_no_stub),
		TEST(numbers_beyond_the_tables_lead_nowhere),
		TEST(files_cut_short_are_read_as_far_as_they_go),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
