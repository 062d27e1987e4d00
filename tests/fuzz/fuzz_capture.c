/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A capture from somebody else: any records must be refused or read, and be
 * copied by the thinner. libFuzzer entry point. The input is a list of records,
 * each a byte with its type, two with the length of its payload, and that: the
 * heads and checksums are made here, or nothing would pass them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/reader.h"
#include "capture/record.h"
#include "capture/thin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_records(FILE *out, const uint8_t *data, size_t size)
{
	struct text payload = {0};

	record_write_head(out);
	while (size > 3) {
		size_t length = data[1] | (size_t)data[2] << 8;

		if (length > size - 3)
			length = size - 3;
		text_append(&payload, (const char *)data + 3, length);
		record_write(out, (enum capture_record)(data[0] % 9), &payload);
		data += 3 + length;
		size -= 3 + length;
	}
	text_free(&payload);
}

static int use_stack(uint32_t id, const struct stack_frames *f,
		     const struct stack_stats *stats, void *context)
{
	const struct names *names = context;

	for (uint32_t i = 0; i < f->depth; i++) {
		const struct symbol *s =
			names->get(names->context, f->frames[i]);
		struct names_object o;

		if (!s->level_count || !strlen(s->levels[0].function))
			abort();
		names->object(names->context, (uint32_t)(f->frames[i] >> 48),
			      &o);
	}
	return 0;
}

static void read_all(FILE *in)
{
	struct capture *c;

	if (capture_open(in, &c))
		return;
	while (capture_next(c) == 1) {
		struct names names = capture_names(c);

		capture_each_stack(c, use_stack, &names);
	}
	capture_close_reader(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = NULL, *copy = NULL;
	size_t length = 0, copied = 0;
	struct thinned made = {0};
	FILE *out = open_memstream(&bytes, &length);
	FILE *in;

	if (!out)
		abort();
	write_records(out, data, size);
	fclose(out);
	read_all(fmemopen(bytes, length, "r"));
	in = fmemopen(bytes, length, "r");
	out = open_memstream(&copy, &copied);
	if (thin_copy(in, out, 4, &made) && made.names.frames)
		abort();
	names_writer_free(&made.names);
	fclose(in);
	fclose(out);
	/* The copy is read like any other. */
	in = fmemopen(copy, copied, "r");
	if (in)
		read_all(in);
	free(bytes);
	free(copy);
	return 0;
}
