/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "capture/names_reader.h"
#include "capture/record.h"
#include "capture/stacks.h"

struct capture {
	struct record_reader records;
	struct capture_stacks stacks;
	struct names_reader names;
	uint64_t started_ns;
	char *generator;
	struct capture_process processes[CAPTURE_PROCESSES_MAX];
	size_t process_count;
	struct capture_snapshot snapshot;
	struct capture_target targets[CAPTURE_PROCESSES_MAX];
	bool torn;
};

static int take_meta(struct capture *c, struct cursor *in);

/* ---- Life
 * -------------------------------------------------------------------- */

static void forget_process(struct capture_process *p)
{
	free((void *)p->comm);
	free((void *)p->command_line);
	free((void *)p->container);
	free((void *)p->pod);
	*p = (struct capture_process){0};
}

void capture_close_reader(struct capture *c)
{
	if (!c)
		return;
	fclose(c->records.in);
	record_reader_free(&c->records);
	capture_stacks_free(&c->stacks);
	names_reader_free(&c->names);
	for (size_t i = 0; i < c->process_count; i++)
		forget_process(&c->processes[i]);
	free(c->generator);
	free(c);
}

static int read_head(struct capture *c)
{
	struct cursor in;
	uint32_t type;
	int result = record_read_head(&c->records);

	if (result)
		return result;
	result = record_read(&c->records, &type);
	if (result != RECORD_GOOD)
		return result < 0 ? result : -EINVAL;
	if (type != CAPTURE_META)
		return -EINVAL;
	in = cursor_make(c->records.payload.data, c->records.payload.size);
	return take_meta(c, &in);
}

int capture_open(FILE *in, struct capture **out)
{
	struct capture *c = calloc(1, sizeof(*c));
	int err;

	if (!c) {
		fclose(in);
		return -ENOMEM;
	}
	c->records.in = in;
	err = names_reader_init(&c->names);
	if (!err)
		err = read_head(c);
	if (err)
		capture_close_reader(c);
	else
		*out = c;
	return err;
}

/* ---- Records
 * ------------------------------------------------------------------ */

/* A copy that ends at the first NUL; NULL: malformed, or no memory. */
static char *take_text(struct cursor *in)
{
	uint64_t size = cursor_uleb(in);

	if (in->failed || size > cursor_left(in)) {
		in->failed = true;
		return NULL;
	}
	return strndup((const char *)cursor_bytes(in, size), size);
}

static int take_meta(struct capture *c, struct cursor *in)
{
	c->started_ns = cursor_uleb(in);
	c->generator = take_text(in);
	if (in->failed)
		return -EINVAL;
	return c->generator ? 0 : -ENOMEM;
}

static int take_process(struct capture *c, struct cursor *in)
{
	struct capture_process p = {.pid = (pid_t)cursor_uleb(in)};
	uint64_t number = 0;

	p.comm = take_text(in);
	p.command_line = take_text(in);
	if (!in->failed && cursor_left(in)) {
		p.container = take_text(in);
		p.pod = take_text(in);
	}
	if (!in->failed && cursor_left(in))
		number = cursor_uleb(in);
	if (!number)
		number = c->process_count + 1;
	if (in->failed || number > CAPTURE_PROCESSES_MAX ||
	    number > c->process_count + 1 || !p.comm || !p.command_line) {
		forget_process(&p);
		return in->failed || number > c->process_count + 1 ? -EINVAL
								   : -ENOMEM;
	}
	if (number > c->process_count)
		c->process_count++;
	forget_process(&c->processes[number - 1]);
	c->processes[number - 1] = p;
	return 0;
}

static int take_snapshot(struct capture *c, struct cursor *in)
{
	uint64_t size = cursor_uleb(in), before = c->snapshot.elapsed_ns;
	struct codec codec = {.out = NULL};

	if (in->failed || size > cursor_left(in))
		return -EINVAL;
	codec.in = cursor_make(cursor_bytes(in, size), size);
	memset(&c->snapshot, 0, sizeof(c->snapshot));
	c->snapshot.targets = c->targets;
	c->snapshot.target_count = c->process_count;
	code_snapshot(&codec, &c->snapshot);
	/* Time goes on. */
	if (codec.in.failed || c->snapshot.elapsed_ns < before)
		return -EINVAL;
	return capture_take_changes(&c->stacks, in);
}

static int take_record(struct capture *c, uint32_t type, struct cursor *in)
{
	switch (type) {
	case CAPTURE_PROCESS:
		return take_process(c, in);
	case CAPTURE_STACKS:
		return capture_take_stacks(&c->stacks, in);
	case CAPTURE_SNAPSHOT:
		return take_snapshot(c, in);
	default:
		/* Others are of a later version, which says that they can be
		 * left out. */
		return names_take(&c->names, type, in);
	}
}

int capture_next(struct capture *c)
{
	uint32_t type = 0;
	int result;

	while ((result = record_read(&c->records, &type)) == RECORD_GOOD) {
		struct cursor in = cursor_make(c->records.payload.data,
					       c->records.payload.size);
		int err = take_record(c, type, &in);

		if (err)
			return err;
		if (type == CAPTURE_SNAPSHOT)
			return 1;
	}
	c->torn = result == RECORD_TORN;
	return result < 0 ? result : 0;
}

/* ---- What was read
 * ------------------------------------------------------------- */

const struct capture_snapshot *capture_snapshot(const struct capture *c)
{
	return &c->snapshot;
}

int capture_each_stack(const struct capture *c,
		       int (*each)(uint32_t id, const struct stack_frames *f,
				   const struct stack_stats *stats,
				   void *context),
		       void *context)
{
	int err = 0;

	for (uint32_t id = 0; id < c->stacks.limit && !err; id++) {
		const struct capture_stack *s = c->stacks.by_id[id];
		struct stack_frames f;

		if (!s || !s->live)
			continue;
		f.depth = s->depth;
		f.end = s->end;
		memcpy(f.frames, s->frames, s->depth * sizeof(s->frames[0]));
		err = each(id, &f, &s->stats, context);
	}
	return err;
}

uint64_t capture_started_ns(const struct capture *c)
{
	return c->started_ns;
}

const char *capture_generator(const struct capture *c)
{
	return c->generator;
}

size_t capture_process_count(const struct capture *c)
{
	return c->process_count;
}

const struct capture_process *capture_process_at(const struct capture *c,
						 size_t index)
{
	return &c->processes[index];
}

bool capture_is_torn(const struct capture *c)
{
	return c->torn;
}

struct names capture_names(struct capture *c)
{
	c->names.given_up = c->snapshot.objects_given_up;
	return names_of_reader(&c->names);
}
