/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "object/usdt.h"

/* ---- Arguments -------------------------------------------------------------
 */

static void places_of_arguments_are_understood(void **state)
{
	static const struct {
		const char *text;
		struct usdt_argument is;
	} cases[] = {
		{"8@%rdi", {USDT_REGISTER, 8, false, 0, 7, 0, 1}},
		{"-4@%eax", {USDT_REGISTER, 4, true, 0, 0, 0, 1}},
		{"2@%r11w", {USDT_REGISTER, 2, false, 0, 11, 0, 1}},
		{"1@%sil", {USDT_REGISTER, 1, false, 0, 6, 0, 1}},
		{"-4@$5", {USDT_CONSTANT, 4, true, 5, 0, 0, 1}},
		{"8@$-1", {USDT_CONSTANT, 8, false, -1, 0, 0, 1}},
		{"8@$0x10", {USDT_CONSTANT, 8, false, 16, 0, 0, 1}},
		{"8@-8(%rbp)",
		 {USDT_MEMORY, 8, false, -8, 5, USDT_NO_REGISTER, 1}},
		{"-1@(%r12)",
		 {USDT_MEMORY, 1, true, 0, 12, USDT_NO_REGISTER, 1}},
		{"8@16(%rsp,%rcx,8)", {USDT_MEMORY, 8, false, 16, 4, 1, 8}},
		{"8@(%rax,%rbx)", {USDT_MEMORY, 8, false, 0, 0, 3, 1}},
		{"4@8(,%rdx,4)",
		 {USDT_MEMORY, 4, false, 8, USDT_NO_REGISTER, 2, 4}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct usdt_argument *want = &cases[i].is;
		struct usdt_argument a;

		if (usdt_parse_arguments(cases[i].text, &a, 1) != 1)
			fail_msg("%s is not understood", cases[i].text);
		assert_int_equal(a.place, want->place);
		assert_int_equal(a.size, want->size);
		assert_int_equal(a.is_signed, want->is_signed);
		assert_int_equal(a.value, want->value);
		assert_int_equal(a.base, want->base);
		assert_int_equal(a.index, want->index);
		assert_int_equal(a.scale, want->scale);
	}
}

static void other_forms_are_refused(void **state)
{
	static const char *const texts[] = {
		"8",
		"8@",
		"@%rax",
		"3@%rax",
		"16@%rax",
		"8@%xmm0",
		"8@%rip",
		"8@counter(%rip)",
		"8@8(%rip)",
		"8@%ah",
		"8@(%rax",
		"8@(%rax,%rbx,3)",
		"8@(%rax,,8)",
		"8@$",
		"8@$x",
		"8@%rax%rbx",
		"8@8",
		"8@ %rax",
		"8@(%rax,%rbx,",
		"x@%rax",
		"8@()",
		"8@%",
		"8@-(%rax)",
		"8@$99999999999999999999",
		"8@%raxx",
		"--8@%rax",
	};
	struct usdt_argument a[3];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (usdt_parse_arguments(texts[i], a, 3) >= 0)
			fail_msg("%s was taken", texts[i]);
}

static void arguments_are_counted_and_only_the_first_decoded(void **state)
{
	struct usdt_argument a[2];

	assert_int_equal(usdt_parse_arguments("", a, 2), 0);
	assert_int_equal(usdt_parse_arguments(" 8@%rdi  -4@%eax 8@%xmm0", a, 2),
			 3);
	assert_int_equal(a[0].base, 7);
	assert_int_equal(a[1].size, 4);
	assert_int_equal(usdt_parse_arguments("1@%al 1@%al 1@%al 1@%al 1@%al "
					      "1@%al 1@%al 1@%al 1@%al 1@%al "
					      "1@%al 1@%al 1@%al",
					      a, 2),
			 -EINVAL);
}

/* ---- Notes ------------------------------------------------------------------
 */

struct image {
	uint8_t bytes[512];
	size_t size;
};

static void put(struct image *m, const void *data, size_t size)
{
	memcpy(m->bytes + m->size, data, size);
	m->size += size;
}

static void put_note(struct image *m, const char *owner, uint32_t type,
		     uint64_t pc, uint64_t base, uint64_t semaphore,
		     const char *texts, size_t texts_size)
{
	uint32_t header[3] = {(uint32_t)strlen(owner) + 1,
			      (uint32_t)(24 + texts_size), type};
	uint64_t numbers[3] = {pc, base, semaphore};

	put(m, header, sizeof(header));
	put(m, owner, strlen(owner) + 1);
	m->size = (m->size + 3) & ~(size_t)3;
	put(m, numbers, sizeof(numbers));
	put(m, texts, texts_size);
	m->size = (m->size + 3) & ~(size_t)3;
}

#define TEXTS(t) t, sizeof(t)

struct seen {
	char text[256];
	uint64_t address, semaphore;
	int count;
};

static int note_seen(const struct usdt_note *note, void *context)
{
	struct seen *s = context;
	size_t used = strlen(s->text);

	snprintf(s->text + used, sizeof(s->text) - used, "%s:%s(%s) ",
		 note->provider, note->name, note->arguments);
	s->address = note->address;
	s->semaphore = note->semaphore;
	return ++s->count == 3;
}

static void notes_are_read_and_moved_to_where_the_program_is(void **state)
{
	struct image m = {0};
	struct seen s = {0};

	put_note(&m, "GNU", 3, 1, 2, 3, TEXTS("a\0b\0c"));
	put_note(&m, "stapsdt", 3, 0x1000, 0x2000, 0x3000,
		 TEXTS("otel_memory\0alloc\0008@%rdi"));
	put_note(&m, "stapsdt", 4, 1, 2, 3, TEXTS("x\0y\0z"));
	put_note(&m, "stapsdt", 3, 0x1100, 0x2000, 0, TEXTS("p\0q\0"));
	assert_int_equal(usdt_each_note(m.bytes, m.size, 0x2010, note_seen, &s),
			 0);
	assert_string_equal(s.text, "otel_memory:alloc(8@%rdi) p:q() ");
	assert_int_equal(s.address, 0x1110);
	assert_int_equal(s.semaphore, 0);
}

static void cut_off_notes_are_left_out(void **state)
{
	struct image m = {0};

	put_note(&m, "stapsdt", 3, 1, 2, 3, TEXTS("provider\0name\0args"));
	for (size_t size = 0; size < m.size; size++) {
		struct seen s = {0};

		assert_int_equal(
			usdt_each_note(m.bytes, size, 0, note_seen, &s), 0);
		assert_int_equal(s.count, 0);
	}
	/* Texts without an end. */
	m.size = 0;
	put_note(&m, "stapsdt", 3, 1, 2, 3, "provider\0name\0arg", 17);
	struct seen s = {0};
	m.bytes[m.size - 1] = m.bytes[m.size - 2] = m.bytes[m.size - 3] = 'x';
	usdt_each_note(m.bytes, m.size, 0, note_seen, &s);
	assert_int_equal(s.count, 0);
	m.bytes[3] = 0x7f; /* an owner of 2 GiB */
	usdt_each_note(m.bytes, m.size, 0, note_seen, &s);
	assert_int_equal(s.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_of_arguments_are_understood),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(
			arguments_are_counted_and_only_the_first_decoded),
		cmocka_unit_test(
			notes_are_read_and_moved_to_where_the_program_is),
		cmocka_unit_test(cut_off_notes_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
