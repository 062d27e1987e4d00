/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of whole objects: hand-written assembly with CFI, linked by the
 * system's tools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unwind_text.h"

#define ROWS_MAX 10000

static const char functions[] =
	".text\n"
	"FUNCTION frame_pointer\n"
	"	push %rbp\n"
	"	.cfi_def_cfa_offset 16\n"
	"	.cfi_offset %rbp, -16\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register %rbp\n"
	"LABEL frame_pointer_body\n"
	"	nop\n"
	"	pop %rbp\n"
	"	.cfi_def_cfa %rsp, 8\n"
	"LABEL frame_pointer_return\n"
	"	ret\n"
	"END frame_pointer\n"
	"FUNCTION two_returns\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_offset %rbx, -16\n"
	"	.cfi_remember_state\n"
	"	test %edi, %edi\n"
	"	je 1f\n"
	"	pop %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"LABEL two_returns_first\n"
	"	ret\n"
	"1:	.cfi_restore_state\n"
	"LABEL two_returns_second\n"
	"	nop\n"
	"	pop %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"END two_returns\n"
	"FUNCTION first_of_thread\n"
	"	.cfi_undefined %rip\n"
	"LABEL first_of_thread_body\n"
	"	hlt\n"
	"END first_of_thread\n"
	"FUNCTION realigned\n"
	"	.cfi_escape 0x0f, 3, 0x76, 0x78, 6\n" /* CFA = *(rbp - 8) */
	"	.cfi_escape 0x10, 6, 2, 0x76, 0\n"    /* rbp at *rbp */
	"LABEL realigned_body\n"
	"	hlt\n"
	"END realigned\n"
	"FUNCTION red_zone\n"
	"	lea -128(%rsp), %rsp\n"
	"	.cfi_adjust_cfa_offset 128\n"
	"LABEL red_zone_body\n"
	"	hlt\n"
	"END red_zone\n";

/* Like musl's __restore_rt: no CFI, known by its bytes. */
static const char without_cfi[] = ".text\n"
				  ".p2align 4\n"
				  "LABEL no_cfi\n"
				  "	.fill 64, 1, 0x90\n"
				  "LABEL restore_rt\n"
				  "	mov $15, %rax\n"
				  "	syscall\n"
				  "LABEL restore_rt_end\n"
				  "	.fill 64, 1, 0x90\n"
				  "LABEL short_restore_rt\n"
				  "	mov $15, %eax\n"
				  "	syscall\n"
				  "	.fill 64, 1, 0x90\n";

static const char macros[] = ".macro LABEL name\n"
			     "	.globl \\name\n"
			     "	.type \\name, @function\n"
			     "\\name:\n"
			     ".endm\n"
			     ".macro FUNCTION name\n"
			     "	.p2align 4\n"
			     "	LABEL \\name\n"
			     "	.cfi_startproc\n"
			     ".endm\n"
			     ".macro END name\n"
			     "	.cfi_endproc\n"
			     "	.size \\name, . - \\name\n"
			     ".endm\n"
			     ".section .note.GNU-stack,\"\",@progbits\n";

/* ---- Building --------------------------------------------------------------
 */

struct fixture {
	char directory[64];
	struct object_registry *registry;
	struct object *object;
	struct unwind_rule_pool pool;
	struct unwind_table table;
};

static void run(struct fixture *f, const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "cd %s && %s", f->directory, command);
	assert_int_equal(system(line), 0);
}

static void write_source(struct fixture *f, const char *name,
			 const char *prologue, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(macros, file);
	fputs(prologue, file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void build_marked(struct fixture *f, const char *file,
			 const struct unwind_mark *marks, size_t mark_count)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", f->directory, file);
	assert_int_equal(object_open(f->registry,
				     open(path, O_RDONLY | O_CLOEXEC), path,
				     &f->object),
			 0);
	unwind_table_free(&f->table);
	assert_int_equal(unwind_table_build(f->object, &f->pool, marks,
					    mark_count, ROWS_MAX, &f->table),
			 0);
}

static void build(struct fixture *f, const char *file)
{
	build_marked(f, file, NULL, 0);
}

struct wanted {
	const char *name;
	uint64_t address;
};

static int find_symbol(const struct object_symbol *s, void *context)
{
	struct wanted *w = context;

	if (strcmp(s->name, w->name) != 0)
		return 0;
	w->address = s->address;
	return 1;
}

static uint64_t address_of(struct fixture *f, const char *symbol)
{
	struct wanted w = {.name = symbol};

	if (object_each_symbol(f->object, find_symbol, &w) != 1)
		fail_msg("no symbol %s in %s", symbol, f->object->path);
	return w.address;
}

static void expect_at(struct fixture *f, uint64_t address, const char *name,
		      const char *expected)
{
	uint32_t rule =
		unwind_table_find(&f->table, f->object->text_base, address);
	char seen_line[160], expected_line[160];

	snprintf(seen_line, sizeof(seen_line), "%s: %s", name,
		 rule_text(rule, &f->pool).text);
	snprintf(expected_line, sizeof(expected_line), "%s: %s", name,
		 expected);
	assert_string_equal(seen_line, expected_line);
}

static void expect(struct fixture *f, const char *symbol, const char *rule)
{
	expect_at(f, address_of(f, symbol), symbol, rule);
}

static void expect_functions(struct fixture *f)
{
	expect(f, "frame_pointer", "sp+8, fp same");
	expect(f, "frame_pointer_body", "fp+16, fp cfa-16");
	/* .cfi_def_cfa alone: rbp's rule stays, as in leave's of gcc */
	expect(f, "frame_pointer_return", "sp+8, fp cfa-16");
	expect(f, "two_returns", "sp+8, fp same");
	expect(f, "two_returns_first", "sp+8, fp same");
	expect(f, "two_returns_second", "sp+16, fp same");
	expect(f, "first_of_thread_body", "root");
	expect(f, "realigned_body", "*(fp-8)+0, fp fp+0");
	expect(f, "red_zone_body", "sp+136, fp same");
}

#define LINK "gcc -shared -nostdlib -o "

/* ---- Tests ------------------------------------------------------------------
 */

static void assembly_with_eh_frame_is_compiled(void **state)
{
	struct fixture *f = *state;

	write_source(f, "f.s", "", functions);
	run(f, LINK "f.so f.s");
	build(f, "f.so");
	expect_functions(f);
	assert_int_equal(f->table.bad_fdes, 0);
}

static void assembly_with_debug_frame_only_is_compiled(void **state)
{
	struct fixture *f = *state;

	write_source(f, "f.s", ".cfi_sections .debug_frame\n", functions);
	run(f, LINK "f.so f.s");
	build(f, "f.so");
	expect_functions(f);
}

/* Enough of it to be worth compressing. */
static const char many_functions[] = ".rept 200\n"
				     "	.cfi_startproc\n"
				     "	.fill 16, 1, 0x90\n"
				     "	.cfi_endproc\n"
				     ".endr\n";

#define COMPRESS                                                               \
	LINK "plain.so f.s m.s && "                                            \
	     "objcopy --compress-debug-sections=zlib plain.so f.so && "        \
	     "readelf -SW f.so | grep '\\.debug_frame.* C ' >compressed"

static void a_compressed_debug_frame_is_compiled(void **state)
{
	struct fixture *f = *state;

	write_source(f, "f.s", ".cfi_sections .debug_frame\n", functions);
	write_source(f, "m.s", ".cfi_sections .debug_frame\n", many_functions);
	run(f, COMPRESS);
	build(f, "f.so");
	expect_functions(f);
}

static void debug_frame_fills_what_eh_frame_leaves(void **state)
{
	static const char other[] = ".text\n"
				    "FUNCTION other\n"
				    "	.cfi_adjust_cfa_offset 48\n"
				    "LABEL other_body\n"
				    "	hlt\n"
				    "END other\n";
	struct fixture *f = *state;

	write_source(f, "eh.s", ".cfi_sections .eh_frame\n", functions);
	write_source(f, "debug.s", ".cfi_sections .debug_frame\n", other);
	run(f, LINK "f.so eh.s debug.s");
	build(f, "f.so");
	expect_functions(f);
	expect(f, "other_body", "sp+56, fp same");
}

static void a_stripped_object_is_compiled(void **state)
{
	struct fixture *f = *state;
	uint64_t body;

	write_source(f, "f.s", "", functions);
	run(f, LINK "f.so f.s && cp f.so s.so && strip s.so && "
		    /* e_shoff, then e_shnum and e_shstrndx to 0 */
		    "dd if=/dev/zero of=s.so bs=1 seek=40 count=8 "
		    "conv=notrunc status=none && "
		    "dd if=/dev/zero of=s.so bs=1 seek=60 count=4 "
		    "conv=notrunc status=none");
	build(f, "f.so");
	body = address_of(f, "frame_pointer_body");
	build(f, "s.so");
	expect_at(f, body, "frame_pointer_body", "fp+16, fp cfa-16");
}

static void signal_stubs_without_cfi_are_known_by_their_bytes(void **state)
{
	struct fixture *f = *state;

	write_source(f, "f.s", "", functions);
	write_source(f, "n.s", "", without_cfi);
	run(f, LINK "f.so f.s n.s");
	build(f, "f.so");
	expect_functions(f);
	expect(f, "no_cfi", "none");
	expect_at(f, address_of(f, "restore_rt") - 2, "before", "none");
	expect_at(f, address_of(f, "restore_rt") - 1, "return - 1", "signal");
	expect(f, "restore_rt", "signal");
	expect(f, "restore_rt_end", "none");
	expect(f, "short_restore_rt", "signal");
}

static void an_object_without_cfi_has_its_stubs_and_marks(void **state)
{
	struct fixture *f = *state;
	struct unwind_mark mark;

	write_source(f, "n.s", "", without_cfi);
	run(f, LINK "n.so n.s");
	build(f, "n.so");
	assert_int_equal(f->table.fde_count, 0);
	expect(f, "restore_rt", "signal");
	mark = (struct unwind_mark){address_of(f, "no_cfi") + 16,
				    address_of(f, "no_cfi") + 32, false};
	build_marked(f, "n.so", &mark, 1);
	expect(f, "no_cfi", "none");
	expect_at(f, mark.start, "marked", "allocator none");
	expect_at(f, mark.end - 1, "marked", "allocator none");
	expect_at(f, mark.end, "after", "none");
	expect(f, "restore_rt", "signal");
}

static void marks_split_rows_and_keep_their_rules(void **state)
{
	struct fixture *f = *state;
	struct unwind_mark marks[4];
	uint64_t body, first;

	write_source(f, "f.s", "", functions);
	run(f, LINK "f.so f.s");
	build(f, "f.so");
	body = address_of(f, "frame_pointer_body");
	first = address_of(f, "two_returns_first");
	/* unsorted, overlapping, adjacent, outside */
	marks[0] = (struct unwind_mark){first, first + 1, false};
	marks[1] = (struct unwind_mark){body, body + 1, false};
	marks[2] = (struct unwind_mark){first, first, false};
	marks[3] = (struct unwind_mark){UINT64_MAX - 1, UINT64_MAX, false};
	build_marked(f, "f.so", marks, 4);
	expect_at(f, body - 1, "before", "sp+16, fp cfa-16");
	expect_at(f, body, "marked", "allocator fp+16, fp cfa-16");
	expect_at(f, body + 1, "after", "fp+16, fp cfa-16");
	expect_at(f, first, "marked", "allocator sp+8, fp same");
	expect_at(f, first + 1, "after", "sp+16, fp same");

	marks[0] = (struct unwind_mark){0, UINT64_MAX, false};
	marks[2] = (struct unwind_mark){body + 1, first, false};
	build_marked(f, "f.so", marks, 3);
	for (size_t i = 0; i < f->table.row_count; i++)
		assert_int_equal(!!(f->table.rows[i].rule & UNWIND_ALLOCATOR),
				 f->table.rows[i].pc <
					 f->object->text_end -
						 f->object->text_base);
}

static void marks_count_against_the_limit(void **state)
{
	struct fixture *f = *state;
	struct unwind_table t;
	struct unwind_mark mark;

	write_source(f, "n.s", "", without_cfi);
	run(f, LINK "n.so n.s");
	build(f, "n.so");
	mark = (struct unwind_mark){address_of(f, "no_cfi"),
				    address_of(f, "no_cfi") + 8, false};
	assert_int_equal(unwind_table_build(f->object, &f->pool, &mark, 1,
					    f->table.row_count, &t),
			 -E2BIG);
	assert_null(t.rows);
}

static void a_damaged_debug_frame_does_not_cost_the_eh_frame(void **state)
{
	struct fixture *f = *state;

	write_source(f, "f.s", ".cfi_sections .eh_frame\n", functions);
	write_source(f, "m.s", ".cfi_sections .debug_frame\n", many_functions);
	run(f, COMPRESS);
	build(f, "f.so");
	assert_true(f->table.fde_count > 200);
	/* Zeros behind the compression header (24 bytes). */
	run(f, "cp f.so d.so && dd if=/dev/zero of=d.so bs=1 count=16 "
	       "conv=notrunc status=none "
	       "seek=$((0x$(sed 's/.*PROGBITS *[0-9a-f]* \\([0-9a-f]*\\).*/"
	       "\\1/' compressed) + 24))");
	build(f, "d.so");
	expect_functions(f);
	assert_true(f->table.fde_count < 200);
	assert_int_equal(f->table.bad_fdes, 1);
}

/* ------------------------------------------------------------------------------
 */

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->directory, "/tmp/unwind_object_test.XXXXXX");
	f->registry = object_registry_new();
	*state = f;
	return mkdtemp(f->directory) && f->registry ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];
	int err;

	snprintf(command, sizeof(command), "rm -rf '%s'", f->directory);
	err = system(command);
	unwind_table_free(&f->table);
	object_registry_free(f->registry);
	free(f);
	return err;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(assembly_with_eh_frame_is_compiled),
		TEST(assembly_with_debug_frame_only_is_compiled),
		TEST(a_compressed_debug_frame_is_compiled),
		TEST(debug_frame_fills_what_eh_frame_leaves),
		TEST(a_stripped_object_is_compiled),
		TEST(signal_stubs_without_cfi_are_known_by_their_bytes),
		TEST(an_object_without_cfi_has_its_stubs_and_marks),
		TEST(marks_split_rows_and_keep_their_rules),
		TEST(marks_count_against_the_limit),
		TEST(a_damaged_debug_frame_does_not_cost_the_eh_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
