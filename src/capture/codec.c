/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/codec.h"

#include <math.h>
#include <string.h>

#include "base/leb128.h"

void code_u64(struct codec *c, uint64_t *value)
{
	if (c->out)
		leb128_put(c->out, *value);
	else
		*value = cursor_uleb(&c->in);
}

void code_u32(struct codec *c, uint32_t *value)
{
	uint64_t wide = *value;

	code_u64(c, &wide);
	if (wide > UINT32_MAX)
		c->in.failed = true;
	*value = (uint32_t)wide;
}

void code_bool(struct codec *c, bool *value)
{
	uint64_t wide = *value;

	code_u64(c, &wide);
	*value = wide != 0;
}

void code_bytes(struct codec *c, const char **bytes, size_t *size)
{
	uint64_t length = *size;

	code_u64(c, &length);
	if (c->out) {
		text_append(c->out, *bytes, *size);
		return;
	}
	if (length > cursor_left(&c->in)) {
		c->in.failed = true;
		length = 0;
	}
	*size = length;
	*bytes = (const char *)cursor_bytes(&c->in, length);
}

void code_double(struct codec *c, double *value)
{
	uint64_t bits;

	memcpy(&bits, value, sizeof(bits));
	code_u64(c, &bits);
	memcpy(value, &bits, sizeof(bits));
	if (!isfinite(*value))
		*value = 0;
}

void code_text(struct codec *c, char *text, size_t size)
{
	const char *bytes = text;
	size_t length = c->out ? strlen(text) : 0;

	code_bytes(c, &bytes, &length);
	if (c->out || !bytes)
		return;
	if (length >= size)
		length = size - 1;
	memcpy(text, bytes, length);
	text[length] = '\0';
}
