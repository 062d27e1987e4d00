// SPDX-License-Identifier: GPL-2.0-only
#include "object/usdt.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/cursor.h"

#define NOTE_TYPE 3 /* NT_STAPSDT */
#define NOTE_NAME "stapsdt"

/* ---- Notes ----------------------------------------------------------------
 */

/* One note's description: addresses, then three texts. */
static bool read_note(struct cursor *c, uint64_t base, struct usdt_note *out)
{
	uint64_t noted_base;

	out->address = cursor_u64(c);
	noted_base = cursor_u64(c);
	out->semaphore = cursor_u64(c);
	out->provider = cursor_string(c);
	out->name = cursor_string(c);
	out->arguments = cursor_string(c);
	if (c->failed || !out->provider || !out->name || !out->arguments)
		return false;
	/* Tools that move a program (prelink) leave notes as they are. */
	if (base) {
		out->address += base - noted_base;
		if (out->semaphore)
			out->semaphore += base - noted_base;
	}
	return true;
}

/* Notes are padded to four bytes. */
static size_t padded(uint32_t size)
{
	return ((size_t)size + 3) & ~(size_t)3;
}

int usdt_each_note(const uint8_t *notes, size_t size, uint64_t base,
		   int (*each)(const struct usdt_note *note, void *context),
		   void *context)
{
	struct cursor c = cursor_make(notes, size);

	while (cursor_left(&c) >= 12) {
		uint32_t name_size = cursor_u32(&c);
		uint32_t text_size = cursor_u32(&c);
		uint32_t type = cursor_u32(&c);
		const uint8_t *name = cursor_bytes(&c, padded(name_size));
		const uint8_t *text = cursor_bytes(&c, padded(text_size));
		struct cursor inner;
		struct usdt_note note;
		int result;

		if (!name || !text)
			break;
		if (type != NOTE_TYPE || name_size != sizeof(NOTE_NAME) ||
		    memcmp(name, NOTE_NAME, sizeof(NOTE_NAME)) != 0)
			continue;
		inner = cursor_make(text, text_size);
		if (!read_note(&inner, base, &note))
			continue;
		result = each(&note, context);
		if (result)
			return result;
	}
	return 0;
}

int usdt_each(const struct object *o,
	      int (*each)(const struct usdt_note *note, void *context),
	      void *context)
{
	CLEANUP_FREE uint8_t *notes = NULL, *nothing = NULL;
	size_t size, nothing_size;
	uint64_t address, base = 0;
	int err = object_section(o, ".note.stapsdt", &notes, &size, &address);

	if (err)
		return err == -ENOENT ? 0 : err;
	if (object_section(o, ".stapsdt.base", &nothing, &nothing_size, &base))
		base = 0;
	return usdt_each_note(notes, size, base, each, context);
}

/* ---- Arguments ------------------------------------------------------------
 */

/* By number in machine code; a name's size is that of the column. */
static const char *const registers[16][4] = {
	{"rax", "eax", "ax", "al"},	 {"rcx", "ecx", "cx", "cl"},
	{"rdx", "edx", "dx", "dl"},	 {"rbx", "ebx", "bx", "bl"},
	{"rsp", "esp", "sp", "spl"},	 {"rbp", "ebp", "bp", "bpl"},
	{"rsi", "esi", "si", "sil"},	 {"rdi", "edi", "di", "dil"},
	{"r8", "r8d", "r8w", "r8b"},	 {"r9", "r9d", "r9w", "r9b"},
	{"r10", "r10d", "r10w", "r10b"}, {"r11", "r11d", "r11w", "r11b"},
	{"r12", "r12d", "r12w", "r12b"}, {"r13", "r13d", "r13w", "r13b"},
	{"r14", "r14d", "r14w", "r14b"}, {"r15", "r15d", "r15w", "r15b"},
};

/* "%rdi"; moves past it. */
static bool read_register(const char **at, uint8_t *number)
{
	size_t length;

	if (**at != '%')
		return false;
	length = strcspn(*at + 1, " ,)");
	for (uint8_t i = 0; i < 16; i++)
		for (size_t k = 0; k < 4; k++) {
			const char *name = registers[i][k];

			if (strlen(name) != length ||
			    strncmp(name, *at + 1, length) != 0)
				continue;
			*number = i;
			*at += 1 + length;
			return true;
		}
	return false;
}

static bool read_number(const char **at, int64_t *value)
{
	char *end;

	if (!isdigit((unsigned char)(*at)[**at == '-']))
		return false;
	errno = 0;
	*value = strtoll(*at, &end, 0);
	if (errno || end == *at)
		return false;
	*at = end;
	return true;
}

/* "-8(%rbp,%rax,8)" */
static bool read_memory(const char **at, struct usdt_argument *a)
{
	int64_t scale = 1;

	a->place = USDT_MEMORY;
	a->base = a->index = USDT_NO_REGISTER;
	if (**at != '(' && !read_number(at, &a->value))
		return false;
	if (*(*at)++ != '(')
		return false;
	if (**at != ',' && !read_register(at, &a->base))
		return false;
	if (**at == ',') {
		(*at)++;
		if (!read_register(at, &a->index))
			return false;
		if (**at == ',') {
			(*at)++;
			if (!read_number(at, &scale))
				return false;
		}
	}
	if (scale != 1 && scale != 2 && scale != 4 && scale != 8)
		return false;
	a->scale = (uint8_t)scale;
	return *(*at)++ == ')';
}

static bool read_argument(const char **at, struct usdt_argument *a)
{
	int64_t size;

	*a = (struct usdt_argument){.scale = 1};
	if (!read_number(at, &size) || *(*at)++ != '@')
		return false;
	a->is_signed = size < 0;
	if (size < 0)
		size = -size;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		return false;
	a->size = (uint8_t)size;
	if (**at == '$') {
		(*at)++;
		a->place = USDT_CONSTANT;
		return read_number(at, &a->value);
	}
	a->place = USDT_REGISTER;
	return **at == '%' ? read_register(at, &a->base) : read_memory(at, a);
}

int usdt_parse_arguments(const char *text, struct usdt_argument *out,
			 size_t max)
{
	int count = 0;

	for (;;) {
		text += strspn(text, " ");
		if (!*text)
			return count;
		if ((size_t)count < max) {
			if (!read_argument(&text, &out[count]))
				return -EINVAL;
		} else {
			text += strcspn(text, " ");
		}
		if (*text && *text != ' ')
			return -EINVAL;
		if (++count > USDT_ARGUMENTS_MAX)
			return -EINVAL;
	}
}
