/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of real binaries against an independent reader of the same CFI:
 * libdw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gnu/lib-names.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <time.h>
#include <unistd.h>

#include "unwind_text.h"

#define SAMPLES	 20000
#define DWARF_FP 6
#define DWARF_SP 7
#define DWARF_RA 16
#define PADDING	 16 /* shorter gaps belong to the function before */

/* ---- What libdw says ------------------------------------------------------
 */

/* An address expression of the forms that a rule can hold; false: another. */
static bool address_text(const Dwarf_Op *ops, size_t count, char *to,
			 size_t size)
{
	int64_t reg, offset, after = 0;
	bool deref = false;

	if (!count)
		return false;
	if (ops[0].atom == DW_OP_bregx) {
		reg = (int64_t)ops[0].number;
		offset = (int64_t)ops[0].number2;
	} else if (ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31) {
		reg = ops[0].atom - DW_OP_breg0;
		offset = (int64_t)ops[0].number;
	} else {
		return false;
	}
	if (reg != DWARF_FP && reg != DWARF_SP)
		return false;
	for (size_t i = 1; i < count; i++) {
		if (ops[i].atom == DW_OP_deref && !deref)
			deref = true;
		else if (ops[i].atom == DW_OP_plus_uconst)
			*(deref ? &after : &offset) += (int64_t)ops[i].number;
		else
			return false;
	}
	if (deref)
		snprintf(to, size, "*(%s%+d)%+d", reg == DWARF_SP ? "sp" : "fp",
			 (int)offset, (int)after);
	else
		snprintf(to, size, "%s%+d", reg == DWARF_SP ? "sp" : "fp",
			 (int)offset);
	return true;
}

static bool is_plt(const Dwarf_Op *ops, size_t count)
{
	static const uint8_t atoms[] = {
		DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, 0,
		DW_OP_ge,    DW_OP_lit3,   DW_OP_shl,	DW_OP_plus};

	if (count != sizeof(atoms))
		return false;
	for (size_t i = 0; i < count; i++)
		if (atoms[i] && ops[i].atom != atoms[i])
			return false;
	return true;
}

static bool cfa_text(Dwarf_Frame *frame, char *to, size_t size)
{
	Dwarf_Op *ops;
	size_t count;

	assert_int_equal(dwarf_frame_cfa(frame, &ops, &count), 0);
	if (!is_plt(ops, count))
		return address_text(ops, count, to, size);
	snprintf(to, size, "plt(%d) sp%+d", ops[4].atom - DW_OP_lit0,
		 (int)ops[0].number);
	return true;
}

static bool fp_text(Dwarf_Frame *frame, char *to, size_t size)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	assert_int_equal(
		dwarf_frame_register(frame, DWARF_FP, memory, &ops, &count), 0);
	if (!count) { /* same value or undefined */
		snprintf(to, size, "same");
		return true;
	}
	if (ops[count - 1].atom == DW_OP_stack_value)
		return false;
	/* The CFA is what an expression finds on its stack. */
	if (ops[0].atom == DW_OP_call_frame_cfa && count > 1 &&
	    ops[1].atom != DW_OP_plus_uconst)
		return address_text(ops + 1, count - 1, to, size);
	if (count > 2)
		return false;
	snprintf(to, size, "cfa%+d", count == 2 ? (int)ops[1].number : 0);
	return true;
}

enum ra { RA_USUAL, RA_UNDEFINED, RA_OTHER };

static enum ra ra_rule(Dwarf_Frame *frame)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	assert_int_equal(
		dwarf_frame_register(frame, DWARF_RA, memory, &ops, &count), 0);
	if (!count)
		return ops ? RA_UNDEFINED : RA_OTHER;
	return count == 2 && ops[0].atom == DW_OP_call_frame_cfa &&
			       ops[1].atom == DW_OP_plus_uconst &&
			       (int64_t)ops[1].number == -8
		       ? RA_USUAL
		       : RA_OTHER;
}

static struct rule_text expected_text(Dwarf_CFI *cfi, uint64_t address)
{
	struct rule_text t = {"none"};
	char cfa[40] = "", fp[40] = "";
	Dwarf_Frame *frame;
	bool is_signal, representable;

	if (dwarf_cfi_addrframe(cfi, address, &frame))
		return t;
	representable = cfa_text(frame, cfa, sizeof(cfa)) &&
			fp_text(frame, fp, sizeof(fp));
	dwarf_frame_info(frame, NULL, NULL, &is_signal);
	if (ra_rule(frame) == RA_UNDEFINED)
		strcpy(t.text, "root");
	else if (is_signal && cfa[0] == '*')
		strcpy(t.text, "signal");
	else if (!representable || ra_rule(frame) == RA_OTHER)
		strcpy(t.text, "bad");
	else
		snprintf(t.text, sizeof(t.text), "%s, fp %s", cfa, fp);
	free(frame);
	return t;
}

/* ---- Comparing -------------------------------------------------------------
 */

struct subject {
	struct object_registry *registry;
	struct object *object;
	struct unwind_rule_pool *pool;
	struct unwind_table table;
	Elf *elf;
	Dwarf_CFI *cfi;
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void build(struct subject *s)
{
	double start = now_ms(), took;

	s->pool = calloc(1, sizeof(*s->pool));
	assert_non_null(s->pool);
	assert_int_equal(unwind_table_build(s->object, s->pool, NULL, 0,
					    1 << 22, &s->table),
			 0);
	took = now_ms() - start;
	print_message("%s: %zu FDEs -> %zu rows (%zu extended, %zu rules not "
		      "supported) in %.1f ms\n",
		      s->object->path, s->table.fde_count, s->table.row_count,
		      s->table.ext_rows, s->table.unsupported_rows, took);
	assert_int_equal(s->table.bad_fdes, 0);
	assert_non_null(s->elf);
	s->cfi = dwarf_getcfi_elf(s->elf);
	assert_non_null(s->cfi);
}

static void open_file(struct subject *s, const char *path)
{
	memset(s, 0, sizeof(*s));
	s->registry = object_registry_new();
	assert_int_equal(object_open(s->registry,
				     open(path, O_RDONLY | O_CLOEXEC), path,
				     &s->object),
			 0);
	elf_version(EV_CURRENT);
	s->elf = elf_begin(s->object->fd, ELF_C_READ, NULL);
	build(s);
}

static void close_subject(struct subject *s)
{
	dwarf_cfi_end(s->cfi);
	elf_end(s->elf);
	unwind_table_free(&s->table);
	free(s->pool);
	object_registry_free(s->registry);
}

/* Whether [address, ...) lies in a gap that counts as padding. */
static bool is_padding(const struct subject *s, uint64_t address)
{
	Dwarf_Frame *frame;

	for (int i = 0; i < PADDING; i++)
		if (dwarf_cfi_addrframe(s->cfi, address + (uint64_t)i,
					&frame) == 0) {
			free(frame);
			return true;
		}
	return false;
}

static void check_at(const struct subject *s, uint64_t address)
{
	uint32_t rule =
		unwind_table_find(&s->table, s->object->text_base, address);
	struct rule_text expected = expected_text(s->cfi, address);
	char expected_line[128], seen_line[128];

	if (strcmp(expected.text, "none") == 0 && is_padding(s, address))
		return;
	snprintf(expected_line, sizeof(expected_line), "%#lx: %s",
		 (unsigned long)address, expected.text);
	snprintf(seen_line, sizeof(seen_line), "%#lx: %s",
		 (unsigned long)address, rule_text(rule, s->pool).text);
	assert_string_equal(seen_line, expected_line);
}

/* Both sides of row edges, and places drawn evenly from the code. */
static void check_everywhere(const struct subject *s)
{
	uint64_t base = s->object->text_base;
	uint64_t size = s->object->text_end - base;
	size_t stride = s->table.row_count / SAMPLES + 1;
	unsigned short seed[3] = {1, 2, 3};

	assert_true(s->table.row_count > 0);
	for (size_t i = 1; i < s->table.row_count; i += stride) {
		check_at(s, base + s->table.rows[i].pc - 1);
		check_at(s, base + s->table.rows[i].pc);
	}
	for (int i = 0; i < SAMPLES; i++)
		check_at(s, base + (uint64_t)(erand48(seed) * (double)size));
}

static void check_rows_are_sorted_and_merged(const struct subject *s)
{
	for (size_t i = 1; i < s->table.row_count; i++) {
		assert_true(s->table.rows[i - 1].pc < s->table.rows[i].pc);
		assert_int_not_equal(s->table.rows[i - 1].rule,
				     s->table.rows[i].rule);
	}
}

static void check_file(const char *path)
{
	struct subject s;

	open_file(&s, path);
	check_rows_are_sorted_and_merged(&s);
	check_everywhere(&s);
	close_subject(&s);
}

/* ---- Tests ------------------------------------------------------------------
 */

static void this_program_agrees_with_libdw(void **state)
{
	check_file("/proc/self/exe");
}

struct library {
	const char *name;
	char path[4096];
};

static int find_library(struct dl_phdr_info *info, size_t size, void *context)
{
	struct library *l = context;

	if (!strstr(info->dlpi_name, l->name))
		return 0;
	snprintf(l->path, sizeof(l->path), "%s", info->dlpi_name);
	return 1;
}

static void check_library(const char *name)
{
	struct library l = {.name = name};

	assert_int_equal(dl_iterate_phdr(find_library, &l), 1);
	check_file(l.path);
}

static void libc_agrees_with_libdw(void **state)
{
	check_library(LIBC_SO);
}

static void the_dynamic_linker_agrees_with_libdw(void **state)
{
	check_library(LD_SO);
}

/* Optional programs: skipped, visibly, where they are not installed. */
static void check_program(const char *path)
{
	if (access(path, R_OK))
		skip();
	check_file(path);
}

static void redis_agrees_with_libdw(void **state)
{
	check_program("/usr/bin/redis-server");
}

static void python_agrees_with_libdw(void **state)
{
	check_program("/usr/bin/python3");
}

static void node_agrees_with_libdw_and_compiles_in_time(void **state)
{
	double start = now_ms();
	struct subject s;

	if (access("/usr/bin/node", R_OK))
		skip();
	open_file(&s, "/usr/bin/node");
	assert_true(now_ms() - start < 5000); /* sanitizers are slow */
	check_rows_are_sorted_and_merged(&s);
	check_everywhere(&s);
	close_subject(&s);
}

static void the_vdso_agrees_with_libdw(void **state)
{
	uint8_t *image = (uint8_t *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
	struct subject s = {.registry = object_registry_new()};
	size_t size;

	if (!image)
		skip();
	size = header->e_shoff + header->e_shnum * sizeof(Elf64_Shdr);
	assert_int_equal(object_from_memory(s.registry, image, size, "[vdso]",
					    &s.object),
			 0);
	elf_version(EV_CURRENT);
	s.elf = elf_memory((char *)s.object->image, size);
	build(&s);
	check_everywhere(&s);
	close_subject(&s);
}

/* The link-time address of the bytes in the code, 0 when they do not occur. */
static uint64_t find_code(const struct object *o, const void *bytes,
			  size_t size)
{
	uint64_t address = 0;

	for (uint32_t i = 0; i < o->segment_count && !address; i++) {
		const struct object_segment *seg = &o->segments[i];
		uint8_t *code = malloc(seg->file_size + 1), *at;

		assert_non_null(code);
		assert_int_equal(
			object_read(o, seg->file_offset, code, seg->file_size),
			0);
		at = memmem(code, seg->file_size, bytes, size);
		if (seg->executable && at)
			address = seg->address + (uint64_t)(at - code);
		free(code);
	}
	return address;
}

static void the_signal_trampoline_of_libc_is_known(void **state)
{
	/* mov $15, %rax; syscall */
	static const char stub[] = "\x48\xc7\xc0\x0f\0\0\0\x0f\x05";
	struct library l = {.name = LIBC_SO};
	struct subject s;
	uint64_t address;
	uint32_t rule;

	assert_int_equal(dl_iterate_phdr(find_library, &l), 1);
	open_file(&s, l.path);
	address = find_code(s.object, stub, 9);
	assert_true(address > 0);
	rule = unwind_table_find(&s.table, s.object->text_base, address - 1);
	assert_string_equal(rule_text(rule, s.pool).text, "signal");
	close_subject(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_program_agrees_with_libdw),
		cmocka_unit_test(libc_agrees_with_libdw),
		cmocka_unit_test(the_dynamic_linker_agrees_with_libdw),
		cmocka_unit_test(redis_agrees_with_libdw),
		cmocka_unit_test(python_agrees_with_libdw),
		cmocka_unit_test(node_agrees_with_libdw_and_compiles_in_time),
		cmocka_unit_test(the_vdso_agrees_with_libdw),
		cmocka_unit_test(the_signal_trampoline_of_libc_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
