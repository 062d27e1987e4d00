/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/json_writer.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/utf8.h"

/* Members of the document and of its lists get lines of their own. */
#define DEPTH_OF_LINES 2

#define WHOLE_MAX 9007199254740992.0 /* 2^53 */

static bool is_literal(uint32_t code)
{
	return code >= 0x20 && code != '"' && code != '\\' && code != '<' &&
	       code != 0x7f && code != 0x2028 && code != 0x2029;
}

static void put_text(FILE *out, const char *text)
{
	fputc('"', out);
	while (*text) {
		uint32_t code;
		size_t length = utf8_decode(text, &code);

		if (!length)
			fputs("\\ufffd", out);
		else if (is_literal(code))
			fwrite(text, 1, length, out);
		else
			fprintf(out, "\\u%04x", code);
		text += length ? length : 1;
	}
	fputc('"', out);
}

static void begin(struct json *j, const char *key)
{
	if (j->depth) {
		if (j->filled[j->depth - 1])
			fputc(',', j->out);
		j->filled[j->depth - 1] = true;
		if (j->depth <= DEPTH_OF_LINES)
			fputc('\n', j->out);
	}
	if (key) {
		put_text(j->out, key);
		fputc(':', j->out);
	}
}

static void open_level(struct json *j, const char *key, char opening,
		       char closing)
{
	begin(j, key);
	fputc(opening, j->out);
	assert(j->depth < JSON_DEPTH_MAX);
	j->closing[j->depth] = closing;
	j->filled[j->depth++] = false;
}

void json_object(struct json *j, const char *key)
{
	open_level(j, key, '{', '}');
}

void json_array(struct json *j, const char *key)
{
	open_level(j, key, '[', ']');
}

void json_end(struct json *j)
{
	j->depth--;
	fputc(j->closing[j->depth], j->out);
	if (!j->depth)
		fputc('\n', j->out);
}

void json_text(struct json *j, const char *key, const char *value)
{
	begin(j, key);
	put_text(j->out, value);
}

/* Most numbers are whole, and there are many: printf would take its time. */
static void put_whole(FILE *out, int64_t value)
{
	uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	char digits[24], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + left % 10);
	while (left /= 10);
	if (value < 0)
		*--at = '-';
	fwrite(at, 1, (size_t)(digits + sizeof(digits) - at), out);
}

void json_number(struct json *j, const char *key, double value)
{
	begin(j, key);
	if (!isfinite(value))
		fputs("null", j->out);
	else if (value == rint(value) && fabs(value) < WHOLE_MAX)
		put_whole(j->out, (int64_t)value);
	else
		fprintf(j->out, "%.10g", value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->out);
}
