/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/thin_names.h"

#include <errno.h>

int thin_names_init(struct thin_names *t)
{
	int err = names_reader_init(&t->known);

	return err ? err : names_writer_init(&t->kept);
}

void thin_names_free(struct thin_names *t)
{
	names_reader_free(&t->known);
	names_writer_free(&t->kept);
	for (size_t i = 0; i < CAPTURE_PROCESSES_MAX; i++)
		text_free(&t->processes[i]);
}

/* That of the record's process; NULL: it has none that can be. */
static struct text *process_of(struct thin_names *t, const struct text *payload)
{
	struct cursor in = cursor_make(payload->data, payload->size);
	uint64_t number;

	cursor_uleb(&in); /* pid */
	for (int i = 0; i < CAPTURE_PROCESS_TEXTS; i++)
		cursor_skip(&in, cursor_uleb(&in));
	number = cursor_uleb(&in);
	return !in.failed && number && number <= CAPTURE_PROCESSES_MAX
		       ? &t->processes[number - 1]
		       : NULL;
}

static int take_process(struct thin_names *t, const struct text *payload)
{
	struct text *process = process_of(t, payload);

	if (!process)
		return -EINVAL;
	text_clear(process);
	text_append(process, payload->data, payload->size);
	return process->failed ? -ENOMEM : 0;
}

int thin_names_take(struct thin_names *t, uint32_t type,
		    const struct text *payload)
{
	struct cursor in = cursor_make(payload->data, payload->size);

	if (type == CAPTURE_PROCESS)
		return take_process(t, payload);
	return names_take(&t->known, type, &in);
}

int thin_names_put_process(struct thin_names *t, const struct text *payload,
			   FILE *out)
{
	struct text *process = process_of(t, payload);

	return process ? record_write(out, CAPTURE_PROCESS, process) : -EINVAL;
}

int thin_names_keep(struct thin_names *t, const uint64_t *frames,
		    uint32_t count)
{
	struct names names = names_of_reader(&t->known);

	for (uint32_t i = 0; i < count; i++)
		if (!names_writer_has(&t->kept, frames[i]) &&
		    names_reader_has(&t->known, frames[i]))
			names_writer_add(&t->kept, &names, &frames[i], 1);
	return t->kept.new_symbols.failed ? -ENOMEM : 0;
}
