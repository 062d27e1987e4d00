/* SPDX-License-Identifier: GPL-2.0-only */
/* Notes of USDT probes are a part of the target's file. Texts end within it,
 * arguments have known registers and sizes. libFuzzer entry point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "object/usdt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static void check_text(const struct input *in, const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	if (at < in->data || at >= in->data + in->size ||
	    !memchr(at, 0, (size_t)(in->data + in->size - at)))
		abort();
}

static void check_arguments(const char *text)
{
	struct usdt_argument a[3];
	int count = usdt_parse_arguments(text, a, 3);

	for (int i = 0; i < count && i < 3; i++)
		if ((a[i].size != 1 && a[i].size != 2 && a[i].size != 4 &&
		     a[i].size != 8) ||
		    a[i].base > USDT_NO_REGISTER ||
		    a[i].index > USDT_NO_REGISTER || a[i].scale > 8)
			abort();
}

static int check_note(const struct usdt_note *note, void *context)
{
	const struct input *in = context;

	check_text(in, note->provider);
	check_text(in, note->name);
	check_text(in, note->arguments);
	check_arguments(note->arguments);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	char *text = malloc(size + 1);

	usdt_each_note(data, size, size & 1 ? 0x1000 : 0, check_note, &in);
	memcpy(text, data, size);
	text[size] = 0;
	check_arguments(text);
	free(text);
	return 0;
}
