/* SPDX-License-Identifier: GPL-2.0-only */
/* Compilation of CFI, on sections assembled byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cfi_image.h"
#include "unwind_text.h"

#define PROGRAM(...)                                                           \
	(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define ROWS_MAX 100000

struct fixture {
	struct cfi_image image;
	struct unwind_rule_pool pool;
	struct unwind_table table;
	char line[160];
};

/* Builds from a copy without slack behind it, so that a sanitizer sees every
 * read too far. */
static int build_limited(struct fixture *f, size_t row_limit)
{
	uint8_t *exact = malloc(f->image.size ? f->image.size : 1);
	int err;

	assert_non_null(exact);
	assert_true(f->image.size <= IMAGE_BYTES);
	memcpy(exact, f->image.bytes, f->image.size);
	unwind_table_free(&f->table);
	err = unwind_table_build_section(exact, f->image.size, IMAGE_ADDRESS,
					 !f->image.form.is_debug_frame,
					 TEXT_BASE, TEXT_END, &f->pool,
					 row_limit, &f->table);
	free(exact);
	return err;
}

static void build(struct fixture *f)
{
	assert_int_equal(build_limited(f, ROWS_MAX), 0);
}

static void hold(struct fixture *f, struct unwind_rules_held *held)
{
	assert_int_equal(unwind_rules_hold(&f->pool, &f->table, held), 0);
}

static const char *rule_at(struct fixture *f, uint64_t address)
{
	uint32_t rule = unwind_table_find(&f->table, TEXT_BASE, address);

	snprintf(f->line, sizeof(f->line), "%s",
		 rule_text(rule, &f->pool).text);
	return f->line;
}

static void reset(struct fixture *f, struct cfi_form form)
{
	unwind_table_free(&f->table);
	memset(f, 0, sizeof(*f));
	f->image.form = form;
}

static const struct cfi_form eh_form = {.encoding = PE_PCREL_SDATA4};

/* ---- Instructions -----------------------------------------------------------
 */

struct opcode_case {
	const char *name;
	uint8_t program[40];
	size_t size;
	uint64_t offset; /* in the function */
	const char *rule;
};

#define CASE(name, offset, rule, ...)                                          \
	{                                                                      \
		name, {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}),   \
			offset, rule                                           \
	}

static const struct opcode_case opcode_cases[] = {
	CASE("nop", 0, "sp+8, fp same", 0x00),
	CASE("def_cfa", 0, "fp+16, fp same", 0x0c, 6, 16),
	CASE("def_cfa_register", 0, "fp+8, fp same", 0x0d, 6),
	CASE("def_cfa_offset", 0, "sp+32, fp same", 0x0e, 32),
	CASE("def_cfa_offset, 2 bytes", 0, "sp+4112, fp same", 0x0e, 0x90,
	     0x20),
	CASE("def_cfa_sf", 0, "fp+24, fp same", 0x12, 6, 0x7d),
	CASE("def_cfa_offset_sf", 0, "sp+40, fp same", 0x13, 0x7b),
	CASE("def_cfa of another register", 0, "bad", 0x0c, 3, 16),
	CASE("def_cfa beyond the inline range", 0, "sp+4194304, fp same", 0x0e,
	     0x80, 0x80, 0x80, 0x02),
	CASE("def_cfa not a multiple of 8", 0, "sp+12, fp same", 0x0e, 12),
	CASE("def_cfa below the register", 0, "sp-8, fp same", 0x13, 1),
	CASE("def_cfa beyond 32 bits", 0, "bad", 0x0e, 0x80, 0x80, 0x80, 0x80,
	     0x80, 0x01),

	CASE("advance_loc, before", 3, "sp+8, fp same", 0x44, 0x0e, 16),
	CASE("advance_loc, after", 4, "sp+16, fp same", 0x44, 0x0e, 16),
	CASE("advance_loc1", 200, "sp+16, fp same", 0x02, 200, 0x0e, 16),
	CASE("advance_loc2", 0x201, "sp+16, fp same", 0x03, 1, 2, 0x0e, 16),
	CASE("advance_loc4", 0x301, "sp+16, fp same", 0x04, 1, 3, 0, 0, 0x0e,
	     16),
	CASE("advance beyond the function", 0x3ff, "sp+8, fp same", 0x04, 0, 4,
	     0, 0, 0x0e, 16),

	CASE("offset of rbp", 0, "sp+8, fp cfa-16", 0x86, 2),
	CASE("offset of another register", 0, "sp+8, fp same", 0x83, 2),
	CASE("offset of rbp, farthest inline", 0, "sp+8, fp cfa-2040", 0x86,
	     0xff, 0x01),
	CASE("offset of rbp beyond inline", 0, "sp+8, fp cfa-2048", 0x86, 0x80,
	     0x02),
	CASE("offset_extended", 0, "sp+8, fp cfa-24", 0x05, 6, 3),
	CASE("offset_extended_sf", 0, "sp+8, fp cfa-24", 0x11, 6, 3),
	CASE("offset_extended_sf above the CFA", 0, "sp+8, fp cfa+24", 0x11, 6,
	     0x7d),
	CASE("negative_offset_extended", 0, "sp+8, fp cfa+24", 0x2f, 6, 3),
	CASE("restore of rbp", 0, "sp+8, fp same", 0x86, 2, 0xc6),
	CASE("restore_extended of rbp", 0, "sp+8, fp same", 0x86, 2, 0x06, 6),
	CASE("undefined rbp", 0, "sp+8, fp same", 0x86, 2, 0x07, 6),
	CASE("same_value of rbp", 0, "sp+8, fp same", 0x86, 2, 0x08, 6),
	CASE("rbp in another register", 0, "bad", 0x09, 6, 3),
	CASE("another register in a register", 0, "sp+8, fp same", 0x09, 3, 6),
	CASE("val_offset of rbp", 0, "bad", 0x14, 6, 2),
	CASE("val_offset_sf of rbp", 0, "bad", 0x15, 6, 2),
	CASE("val_offset of another register", 0, "sp+8, fp same", 0x14, 12, 2),
	CASE("rbp unknown, then restored", 0, "sp+8, fp same", 0x14, 6, 2,
	     0xc6),
	CASE("val_expression of rbp", 0, "bad", 0x16, 6, 1, 0x50),
	CASE("expression of rbp", 0, "sp+8, fp fp-8", 0x10, 6, 2, 0x76, 0x78),
	CASE("expression of rbp off rsp", 0, "sp+8, fp sp+16", 0x10, 6, 2, 0x77,
	     0x10),
	CASE("expression of rbp, other form", 0, "bad", 0x10, 6, 1, 0x50),
	CASE("expression of another register", 0, "sp+8, fp same", 0x10, 3, 1,
	     0x50),

	CASE("return address undefined", 0, "root", 0x07, 16),
	CASE("return address elsewhere", 0, "bad", 0x90, 2),
	CASE("return address restored", 0, "sp+8, fp same", 0x07, 16, 0xd0),
	CASE("return address in a register", 0, "bad", 0x09, 16, 2),

	CASE("remember and restore", 2, "sp+8, fp same", 0x0a, 0x0e, 16, 0x86,
	     2, 0x42, 0x0b),
	CASE("remember, nested", 3, "sp+16, fp same", 0x0a, 0x0e, 16, 0x0a,
	     0x0e, 24, 0x41, 0x0b, 0x42),
	CASE("GNU_args_size", 1, "sp+16, fp same", 0x2e, 0x90, 0x01, 0x41, 0x0e,
	     16),
	CASE("set_loc", 0x10, "sp+16, fp same", 0x01, 0xe8, 0x8f, 0xff, 0xff,
	     0x0e, 16),

	CASE("expression: PLT", 0, "plt(11) sp+8, fp same", 0x0f, 11, 0x77, 8,
	     0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22),
	CASE("expression: PLT of CET", 0, "plt(10) sp+8, fp same", 0x0f, 11,
	     0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3a, 0x2a, 0x33, 0x24, 0x22),
	CASE("expression: realigned stack", 0, "*(fp-8)+0, fp fp+0", 0x0f, 3,
	     0x76, 0x78, 0x06, 0x10, 6, 2, 0x76, 0),
	CASE("expression: deref and add", 0, "*(sp+152)+8, fp same", 0x0f, 6,
	     0x77, 0x98, 0x01, 0x06, 0x23, 8),
	CASE("expression: plain sum", 0, "sp+24, fp same", 0x0f, 4, 0x77, 8,
	     0x23, 16),
	CASE("expression: unknown operator", 0, "bad", 0x0f, 2, 0x77, 0x96),
	CASE("expression: empty", 0, "bad", 0x0f, 0),
	CASE("expression: cut", 0, "bad", 0x0f, 2, 0x77, 0x80),
	CASE("expression: offset overflows", 0, "bad", 0x0f, 22, 0x77, 0xff,
	     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x23, 0xff,
	     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x00),

	CASE("unknown opcode", 0, "bad", 0x3f),
	CASE("restore_state without remember", 0, "bad", 0x0b),
	CASE("too many remembered", 0, "bad", 10, 10, 10, 10, 10, 10, 10, 10,
	     10, 10, 10, 10, 10, 10, 10, 10, 10),
	CASE("operand cut off", 0, "bad", 0x0e),
	CASE("block cut off", 0, "bad", 0x0f, 9, 0x77),
	CASE("location goes back", 0, "bad", 0x50, 0x01, 0xe0, 0x8f, 0xff,
	     0xff),
};

static void each_instruction_has_its_effect(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(opcode_cases) / sizeof(*opcode_cases);
	     i++) {
		const struct opcode_case *c = &opcode_cases[i];
		char expected[160], seen[320];

		reset(f, eh_form);
		add_usual_cie(&f->image);
		add_fde(&f->image, TEXT_BASE, 0x400, c->program, c->size);
		build(f);
		snprintf(expected, sizeof(expected), "%s: %s", c->name,
			 c->rule);
		snprintf(seen, sizeof(seen), "%s: %s", c->name,
			 rule_at(f, TEXT_BASE + c->offset));
		assert_string_equal(seen, expected);
		assert_string_equal(rule_at(f, TEXT_BASE + 0x400), "none");
	}
}

static void restore_goes_back_to_what_the_cie_says(void **state)
{
	struct fixture *f = *state;

	f->image.form = eh_form;
	add_cie(&f->image, PROGRAM(0x0c, 6, 16, 0x86, 2, 0x90, 1));
	add_fde(&f->image, TEXT_BASE, 0x100,
		PROGRAM(0x41, 0x08, 6, 0x41, 0xc6));
	build(f);
	assert_string_equal(rule_at(f, TEXT_BASE), "fp+16, fp cfa-16");
	assert_string_equal(rule_at(f, TEXT_BASE + 1), "fp+16, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 2), "fp+16, fp cfa-16");
}

/* ---- Forms
 * ------------------------------------------------------------------- */

static void check_form(struct fixture *f, struct cfi_form form,
		       const char *expected)
{
	reset(f, form);
	add_usual_cie(&f->image);
	add_fde(&f->image, TEXT_BASE + 0x40, 0x100, PROGRAM(0x41, 0x0e, 16));
	build(f);
	assert_string_equal(rule_at(f, TEXT_BASE + 0x3f), "none");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x13f), expected);
	assert_string_equal(rule_at(f, TEXT_BASE + 0x140), "none");
	assert_int_equal(f->table.bad_fdes, strcmp(expected, "none") == 0);
}

static void every_pointer_encoding_in_use_is_read(void **state)
{
	/* absolute, then pc-relative */
	static const uint8_t good[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x0a, 0x0b,
				       0x0c, 0x10, 0x14, 0x1a, 0x1b, 0x1c};
	/* omit, indirect, data-relative, unknown formats */
	static const uint8_t bad[] = {0xff, 0x9b, 0x3b, 0x0f, 0x05};

	for (size_t i = 0; i < sizeof(good); i++)
		check_form(*state, (struct cfi_form){.encoding = good[i]},
			   "sp+16, fp same");
	for (size_t i = 0; i < sizeof(bad); i++)
		check_form(*state, (struct cfi_form){.encoding = bad[i]},
			   "none");
}

static void both_sections_all_versions_and_widths_are_read(void **state)
{
	for (int wide = 0; wide < 2; wide++) {
		static const uint8_t versions[] = {1, 3, 4};

		for (size_t v = 0; v < sizeof(versions); v++)
			check_form(*state,
				   (struct cfi_form){.is_debug_frame = true,
						     .is_64bit = wide,
						     .version = versions[v]},
				   "sp+16, fp same");
		check_form(*state,
			   (struct cfi_form){.is_64bit = wide,
					     .encoding = PE_PCREL_SDATA4},
			   "sp+16, fp same");
		check_form(*state,
			   (struct cfi_form){.is_64bit = wide,
					     .version = 3,
					     .encoding = PE_PCREL_SDATA4},
			   "sp+16, fp same");
	}
}

static void unknown_versions_and_other_machines_are_refused(void **state)
{
	struct cfi_form form = {.is_debug_frame = true};

	form.version = 2;
	check_form(*state, form, "none");
	form.version = 5;
	check_form(*state, form, "none");
	form.version = 4;
	form.address_size = 4;
	check_form(*state, form, "none");
	form.address_size = 8;
	form.return_register = 8; /* i386 */
	check_form(*state, form, "none");
}

static void augmentations_are_understood_or_refused(void **state)
{
	static const uint8_t plr[] = {0x9b, 1, 2, 3, 4, 0x1b, 0x1b};
	static const uint8_t omitted[] = {0xff, 0x1b, 0x1b};
	static const uint8_t absolute[] = {0, 1, 2, 3,	  4,   5,
					   6, 7, 8, 0x1b, 0x1b};
	static const uint8_t cut[] = {0x9b, 1, 2};
	static const uint8_t unknown[] = {0x1b, 1, 2, 3};
	struct {
		const char *letters;
		const uint8_t *data;
		size_t size;
		const char *rule;
	} cases[] = {
		{"zPLR", plr, sizeof(plr), "sp+16, fp same"},
		{"zPLR", omitted, sizeof(omitted), "sp+16, fp same"},
		{"zPLR", absolute, sizeof(absolute), "sp+16, fp same"},
		{"zRB", NULL, 0, "sp+16, fp same"},
		{"zRS", NULL, 0, "sp+16, fp same"}, /* no ucontext: as is */
		{"zRQ", unknown, sizeof(unknown), "sp+16, fp same"},
		{"zPLR", cut, sizeof(cut), "none"},
		{"eh", NULL, 0, "none"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		check_form(*state,
			   (struct cfi_form){.augmentation = cases[i].letters,
					     .augmentation_data = cases[i].data,
					     .augmentation_size = cases[i].size,
					     .encoding = PE_PCREL_SDATA4},
			   cases[i].rule);
	check_form(*state, (struct cfi_form){.augmentation = ""},
		   "sp+16, fp same");
}

static void a_signal_frame_is_one_with_a_saved_context(void **state)
{
	struct fixture *f = *state;

	f->image.form = (struct cfi_form){.augmentation = "zRS",
					  .encoding = PE_PCREL_SDATA4};
	add_usual_cie(&f->image);
	/* glibc's __restore_rt: CFA = *(rsp + 160) */
	add_fde(&f->image, TEXT_BASE, 0x40,
		PROGRAM(0x0f, 4, 0x77, 0xa0, 0x01, 0x06));
	build(f);
	assert_string_equal(rule_at(f, TEXT_BASE), "signal");
}

/* ---- Functions
 * ------------------------------------------------------------------ */

static void gaps_have_no_cfi_but_padding_has(void **state)
{
	struct fixture *f = *state;

	f->image.form = eh_form;
	add_usual_cie(&f->image);
	add_fde(&f->image, TEXT_BASE + 0x10, 0x21, PROGRAM(0x0e, 16));
	add_fde(&f->image, TEXT_BASE + 0x40, 0x10, PROGRAM(0x0e, 24));
	add_fde(&f->image, TEXT_BASE + 0x60, 0x10, PROGRAM(0x0e, 24));
	build(f);
	assert_string_equal(rule_at(f, TEXT_BASE), "none");
	assert_string_equal(rule_at(f, TEXT_BASE - 1), "none");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x31), "sp+16, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x3f), "sp+16, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x4f), "sp+24, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x50), "none");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x5f), "none");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x70), "none");
	assert_string_equal(rule_at(f, UINT64_MAX), "none");
}

static void neighbours_with_the_same_rule_are_one_row(void **state)
{
	struct fixture *f = *state;

	f->image.form = eh_form;
	add_usual_cie(&f->image);
	for (uint64_t i = 0; i < 64; i++)
		add_fde(&f->image, TEXT_BASE + 16 * i, 16,
			PROGRAM(0x41, 0x0e, 8, 0x41, 0x83, 2));
	build(f);
	assert_int_equal(f->table.fde_count, 64);
	assert_int_equal(f->table.row_count, 2); /* and the end */
}

static void the_order_of_functions_does_not_matter(void **state)
{
	struct fixture *f = *state;

	f->image.form = eh_form;
	add_usual_cie(&f->image);
	for (uint64_t i = 64; i-- > 0;) {
		uint8_t offset = (uint8_t)(8 + 8 * (i % 8));

		add_fde(&f->image, TEXT_BASE + 16 * i, 16,
			PROGRAM(0x0e, offset));
	}
	build(f);
	assert_int_equal(f->table.row_count, 65);
	for (uint64_t i = 0; i < 64; i++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "sp+%d, fp same",
			 (int)(8 + 8 * (i % 8)));
		assert_string_equal(rule_at(f, TEXT_BASE + 16 * i), expected);
	}
}

static void of_overlapping_functions_the_first_keeps_its_range(void **state)
{
	struct fixture *f = *state;

	f->image.form = eh_form;
	add_usual_cie(&f->image);
	add_fde(&f->image, TEXT_BASE + 0x80, 0x100,
		PROGRAM(0x0e, 32, 0x02, 0x90, 0x0e, 40));
	add_fde(&f->image, TEXT_BASE, 0x100, PROGRAM(0x0e, 16));
	add_fde(&f->image, TEXT_BASE + 0x10, 0x20, PROGRAM(0x0e, 24));
	add_fde(&f->image, TEXT_BASE, 0x100, PROGRAM(0x0e, 48));
	build(f);
	assert_string_equal(rule_at(f, TEXT_BASE), "sp+16, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x20), "sp+16, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 0xff), "sp+16, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x100), "sp+32, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x110), "sp+40, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x180), "none");
}

static void functions_outside_the_code_are_left_out(void **state)
{
	struct fixture *f = *state;

	f->image.form = (struct cfi_form){.encoding = PE_ABSPTR};
	add_usual_cie(&f->image);
	add_fde(&f->image, 0, 0x100, PROGRAM(0x00));
	add_fde(&f->image, TEXT_BASE - 1, 0x100, PROGRAM(0x00));
	add_fde(&f->image, TEXT_END - 1, 2, PROGRAM(0x00));
	add_fde(&f->image, UINT64_MAX - 4, 2, PROGRAM(0x00));
	add_fde(&f->image, TEXT_END - 16, 16, PROGRAM(0x0e, 16));
	build(f);
	assert_int_equal(f->table.fde_count, 5);
	assert_string_equal(rule_at(f, TEXT_BASE), "none");
	assert_string_equal(rule_at(f, TEXT_END - 1), "sp+16, fp same");
	assert_string_equal(rule_at(f, TEXT_END), "none");
}

static void a_terminator_in_the_middle_does_not_end_the_section(void **state)
{
	struct fixture *f = *state;

	f->image.form = eh_form;
	add_usual_cie(&f->image);
	put(&f->image, 0, 4);
	add_fde(&f->image, TEXT_BASE, 0x100, PROGRAM(0x0e, 16));
	put(&f->image, 0, 4);
	build(f);
	assert_string_equal(rule_at(f, TEXT_BASE), "sp+16, fp same");
	assert_int_equal(f->table.bad_fdes, 0);
}

/* ---- Limits and hostile input
 * ------------------------------------------------------ */

static void nothing_is_a_table_without_rows(void **state)
{
	struct fixture *f = *state;

	build(f);
	assert_int_equal(f->table.row_count, 0);
	assert_string_equal(rule_at(f, TEXT_BASE), "none");
}

static void malformed_functions_are_counted_and_the_rest_is_kept(void **state)
{
	struct fixture *f = *state;
	struct cfi_image *i = &f->image;
	size_t good_cie;

	i->form = (struct cfi_form){.encoding = PE_ABSPTR};
	add_usual_cie(i);
	good_cie = i->cie;
	i->cie = good_cie + 1; /* no record there */
	add_fde(i, TEXT_BASE, 0x10, PROGRAM(0x00));
	i->cie = i->record; /* an FDE */
	add_fde(i, TEXT_BASE + 0x100, 0x10, PROGRAM(0x00));
	i->cie = SIZE_MAX - 100;
	add_fde(i, TEXT_BASE + 0x200, 0x10, PROGRAM(0x00));
	i->cie = good_cie;
	add_fde(i, TEXT_BASE + 0x300, 0, PROGRAM(0x00));
	add_fde(i, TEXT_BASE + 0x400, UINT64_MAX, PROGRAM(0x00));
	add_fde(i, TEXT_BASE + 0x500, 0x10, PROGRAM(0x3f)); /* its program */
	add_fde(i, TEXT_BASE + 0x600, 0x10, PROGRAM(0x0e, 16));
	put(i, 0x7fffffff, 4); /* a length that leads nowhere */
	put(i, 0, 8);
	build(f);
	assert_int_equal(f->table.bad_fdes, 7);
	assert_string_equal(rule_at(f, TEXT_BASE), "none");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x100), "none");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x500), "bad");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x600), "sp+16, fp same");
}

static void more_rows_than_allowed_are_an_error(void **state)
{
	struct fixture *f = *state;

	f->image.form = eh_form;
	add_usual_cie(&f->image);
	for (uint64_t i = 0; i < 64; i++)
		add_fde(&f->image, TEXT_BASE + 16 * i, 16,
			PROGRAM(0x0e, (uint8_t)(8 + 8 * (i % 8))));
	assert_int_equal(build_limited(f, 64), -E2BIG);
	assert_null(f->table.rows);
	assert_int_equal(build_limited(f, 65), 0);
	assert_int_equal(build_limited(f, 0), -E2BIG);
}

/* CFA = *(rsp + n) for `count` different n, one address each. */
static void add_distinct_rules(struct cfi_image *i, uint64_t first,
			       uint64_t count)
{
	for (uint64_t n = first; n < first + count; n++)
		add_fde(i, TEXT_BASE + 8 * (n - first), 8,
			PROGRAM(0x0f, 4, 0x77, 0x80 | (n & 0x7f),
				(n >> 7) & 0x3f, 0x06));
}

static void extended_rules_are_shared_and_rationed(void **state)
{
	struct fixture *f = *state;
	struct unwind_rules_held first, second;

	reset(f, eh_form);
	add_usual_cie(&f->image);
	add_distinct_rules(&f->image, 1, 300);
	build(f);
	hold(f, &first);
	assert_int_equal(f->pool.used, 256);
	assert_string_equal(rule_at(f, TEXT_BASE + 8 * 255),
			    "*(sp+256)+0, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 8 * 256), "bad");
	assert_int_equal(f->table.unsupported_rows, 44);
	assert_int_equal(f->table.roomless_rows, 44);

	/* Known ones cost nothing, and the next object has its own share. */
	f->image.size = 0;
	add_usual_cie(&f->image);
	add_distinct_rules(&f->image, 101, 300);
	build(f);
	hold(f, &second);
	assert_int_equal(f->pool.used, 256 + 144);
	assert_string_equal(rule_at(f, TEXT_BASE), "*(sp+101)+0, fp same");
	assert_string_equal(rule_at(f, TEXT_BASE + 8 * 299),
			    "*(sp+400)+0, fp same");

	/* What both use stays as long as one of them does. */
	unwind_rules_release(&f->pool, &first);
	assert_int_equal(f->pool.used, 300);
	assert_string_equal(rule_at(f, TEXT_BASE), "*(sp+101)+0, fp same");
	unwind_rules_release(&f->pool, &second);
	assert_int_equal(f->pool.used, 0);
}

#define OBJECTS_TO_FILL (UNWIND_RULES_EXT_MAX / 256)

/* The table of the nth object, all rules of which are its own. */
static void build_nth(struct fixture *f, uint64_t n)
{
	f->image.size = 0;
	f->image.form = eh_form;
	add_usual_cie(&f->image);
	add_distinct_rules(&f->image, 1 + 256 * n, 256);
	build(f);
}

static void fill_pool(struct fixture *f,
		      struct unwind_rules_held held[OBJECTS_TO_FILL])
{
	for (uint64_t n = 0; n < OBJECTS_TO_FILL; n++) {
		build_nth(f, n);
		hold(f, &held[n]);
	}
	assert_int_equal(f->pool.used, UNWIND_RULES_EXT_MAX);
}

static void a_full_pool_makes_rules_bad_not_wrong(void **state)
{
	struct fixture *f = *state;
	struct unwind_rules_held held[OBJECTS_TO_FILL];

	fill_pool(f, held);
	build_nth(f, OBJECTS_TO_FILL);
	assert_string_equal(rule_at(f, TEXT_BASE), "bad");
	assert_int_equal(f->table.roomless_rows, 256);
	for (size_t n = 0; n < OBJECTS_TO_FILL; n++)
		unwind_rules_release(&f->pool, &held[n]);
}

static void rules_of_an_object_that_is_gone_make_room(void **state)
{
	struct fixture *f = *state;
	struct unwind_rules_held held[OBJECTS_TO_FILL], next;

	fill_pool(f, held);
	/* Many times over: what came and went must not add up. */
	for (uint64_t n = OBJECTS_TO_FILL; n < 5 * OBJECTS_TO_FILL; n++) {
		size_t gone = n % OBJECTS_TO_FILL;

		unwind_rules_release(&f->pool, &held[gone]);
		build_nth(f, n % 31);
		assert_int_equal(f->table.roomless_rows, 0);
		hold(f, &held[gone]);
	}
	/* A table that is not held takes nothing from those that are. */
	unwind_rules_release(&f->pool, &held[0]);
	build_nth(f, 31);
	build_nth(f, 30);
	hold(f, &next);
	assert_string_equal(rule_at(f, TEXT_BASE), "*(sp+7681)+0, fp same");
	unwind_rules_release(&f->pool, &next);
	for (size_t n = 0; n < OBJECTS_TO_FILL; n++)
		unwind_rules_release(&f->pool, &held[n]);
	assert_int_equal(f->pool.used, 0);
}

/* Its program would run once for every FDE. */
static void an_oversized_cie_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t nops[2048] = {0};

	f->image.form = eh_form;
	add_cie(&f->image, nops, sizeof(nops));
	add_fde(&f->image, TEXT_BASE, 0x100, PROGRAM(0x00));
	add_usual_cie(&f->image);
	add_fde(&f->image, TEXT_BASE + 0x100, 0x100, PROGRAM(0x00));
	build(f);
	assert_int_equal(f->table.bad_fdes, 1);
	assert_string_equal(rule_at(f, TEXT_BASE), "none");
	assert_string_equal(rule_at(f, TEXT_BASE + 0x100), "sp+8, fp same");
}

/* It would be parsed for every row. */
static void an_oversized_expression_is_not_followed(void **state)
{
	struct fixture *f = *state;
	uint8_t program[3 + 200] = {0x0f, 0xc8, 0x01, 0x77, 8};

	for (size_t i = 5; i < sizeof(program); i += 2)
		program[i] = 0x23; /* plus_uconst 0 */
	f->image.form = eh_form;
	add_usual_cie(&f->image);
	add_fde(&f->image, TEXT_BASE, 0x100, program, sizeof(program));
	build(f);
	assert_string_equal(rule_at(f, TEXT_BASE), "bad");
}

static void add_varied_section(struct cfi_image *i, struct cfi_form form)
{
	i->form = form;
	add_usual_cie(i);
	for (size_t n = 0; n < sizeof(opcode_cases) / sizeof(*opcode_cases);
	     n++)
		add_fde(i, TEXT_BASE + 0x40 * n, 0x40, opcode_cases[n].program,
			opcode_cases[n].size);
}

static void a_section_cut_anywhere_is_harmless(void **state)
{
	struct fixture *f = *state;
	size_t whole;

	add_varied_section(&f->image, eh_form);
	for (whole = f->image.size; f->image.size > 0; f->image.size--)
		build(f);
	f->image.size = whole;
	build(f);
	assert_true(f->table.row_count > 40);
}

static void check_rows_sorted(const struct unwind_table *t)
{
	for (size_t i = 1; i < t->row_count; i++) {
		assert_true(t->rows[i - 1].pc < t->rows[i].pc);
		assert_int_not_equal(t->rows[i - 1].rule, t->rows[i].rule);
	}
}

static void any_changed_byte_is_harmless(void **state)
{
	static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	const struct cfi_form forms[] = {
		eh_form,
		{.is_debug_frame = true, .version = 4},
		{.is_64bit = true, .encoding = PE_PCREL_SDATA4},
	};
	struct fixture *f = *state;

	for (size_t form = 0; form < 3; form++) {
		reset(f, forms[form]);
		add_varied_section(&f->image, forms[form]);
		for (size_t i = 0; i < 5 * f->image.size; i++) {
			uint8_t *byte = &f->image.bytes[i / 5], was = *byte;

			*byte = values[i % 5];
			build(f);
			check_rows_sorted(&f->table);
			*byte = was;
		}
	}
}

/* -------------------------------------------------------------------------------------
 */

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unwind_table_free(&f->table);
	free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_instruction_has_its_effect),
		TEST(restore_goes_back_to_what_the_cie_says),
		TEST(every_pointer_encoding_in_use_is_read),
		TEST(both_sections_all_versions_and_widths_are_read),
		TEST(unknown_versions_and_other_machines_are_refused),
		TEST(augmentations_are_understood_or_refused),
		TEST(a_signal_frame_is_one_with_a_saved_context),
		TEST(gaps_have_no_cfi_but_padding_has),
		TEST(neighbours_with_the_same_rule_are_one_row),
		TEST(the_order_of_functions_does_not_matter),
		TEST(of_overlapping_functions_the_first_keeps_its_range),
		TEST(functions_outside_the_code_are_left_out),
		TEST(a_terminator_in_the_middle_does_not_end_the_section),
		TEST(nothing_is_a_table_without_rows),
		TEST(malformed_functions_are_counted_and_the_rest_is_kept),
		TEST(more_rows_than_allowed_are_an_error),
		TEST(extended_rules_are_shared_and_rationed),
		TEST(a_full_pool_makes_rules_bad_not_wrong),
		TEST(rules_of_an_object_that_is_gone_make_room),
		TEST(an_oversized_cie_is_refused),
		TEST(an_oversized_expression_is_not_followed),
		TEST(a_section_cut_anywhere_is_harmless),
		TEST(any_changed_byte_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
