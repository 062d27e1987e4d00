/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/thin.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/leb128.h"
#include "capture/codec.h"
#include "capture/record.h"
#include "capture/stacks.h"
#include "capture/thin_names.h"

size_t thin_choose(const uint64_t *elapsed_ns, size_t count, size_t most,
		   bool *keep)
{
	size_t kept = 0, next = count - 1;
	double end, step;

	memset(keep, 0, count * sizeof(*keep));
	if (!count)
		return 0;
	end = (double)elapsed_ns[count - 1];
	/* `most` gaps of step * sqrt(age) reach back to the first. */
	step = 2 * sqrt(end - (double)elapsed_ns[0]) / (double)most;
	for (size_t i = count; i-- > 0;) {
		double age = end - (double)elapsed_ns[i];
		double gap = (double)(elapsed_ns[next] - elapsed_ns[i]);

		if (i && i != count - 1 && gap < step * sqrt(age))
			continue;
		keep[i] = true;
		next = i;
		kept++;
	}
	return kept;
}

/* ---- Copying ---------------------------------------------------------------
 */

struct copy {
	struct record_reader reader;
	FILE *out;
	struct capture_stacks from, to;
	/* What of `from` is defined in `to`: its identity, by id. */
	uint64_t *defined;
	uint32_t defined_limit;
	bool *keep; /* by number of the snapshot */
	size_t number;
	struct text definitions, changes;
	struct thin_names names;
};

static int reserve_defined(struct copy *c)
{
	uint64_t *defined;

	if (c->defined_limit >= c->from.limit)
		return 0;
	defined = realloc(c->defined, c->from.limit * sizeof(*defined));
	if (!defined)
		return -ENOMEM;
	memset(defined + c->defined_limit, 0,
	       (c->from.limit - c->defined_limit) * sizeof(*defined));
	c->defined = defined;
	c->defined_limit = c->from.limit;
	return 0;
}

static int define(struct copy *c, uint32_t id, const struct capture_stack *s)
{
	struct stack_frames f = {.depth = s->depth, .end = s->end};
	int err;

	if (c->defined[id] == s->identity)
		return 0;
	memcpy(f.frames, s->frames, s->depth * sizeof(s->frames[0]));
	err = capture_stacks_define(&c->to, id, &f, &s->stats);
	if (!err)
		err = thin_names_keep(&c->names, s->frames, s->depth);
	if (err)
		return err;
	c->defined[id] = s->identity;
	capture_put_stack(&c->definitions, id, s);
	return 0;
}

/* The figures of the snapshot as they are, its changes anew: they are against
 * another snapshot now. */
static int copy_snapshot(struct copy *c, const struct text *payload,
			 size_t figures)
{
	int err = reserve_defined(c);

	text_append(&c->changes, payload->data, figures);
	for (uint32_t id = 0; id < c->from.limit && !err; id++) {
		const struct capture_stack *s = c->from.by_id[id];

		if (!s || !s->live)
			continue;
		err = define(c, id, s);
		if (!err)
			capture_put_change(&c->changes, c->to.by_id[id], id,
					   &s->stats);
	}
	capture_put_gone(&c->changes, &c->to);
	if (!err)
		err = names_writer_flush(&c->names.kept, c->out);
	if (!err)
		err = record_write(c->out, CAPTURE_STACKS, &c->definitions);
	return err ? err : record_write(c->out, CAPTURE_SNAPSHOT, &c->changes);
}

static int take_snapshot(struct copy *c)
{
	const struct text *payload = &c->reader.payload;
	struct cursor in = cursor_make(payload->data, payload->size);
	uint64_t figures = cursor_uleb(&in);
	const uint8_t *changes =
		in.at + (figures <= cursor_left(&in) ? figures : 0);
	size_t head = (size_t)(changes - (const uint8_t *)payload->data);
	int err;

	cursor_skip(&in, figures);
	err = in.failed ? -EINVAL : capture_take_changes(&c->from, &in);
	if (err || !c->keep[c->number++])
		return err;
	return copy_snapshot(c, payload, head);
}

static int copy_record(struct copy *c, uint32_t type)
{
	struct text *payload = &c->reader.payload;
	struct cursor in = cursor_make(payload->data, payload->size);

	switch (type) {
	case CAPTURE_STACKS:
		return capture_take_stacks(&c->from, &in);
	case CAPTURE_SNAPSHOT:
		return take_snapshot(c);
	case CAPTURE_PROCESS:
		return thin_names_put_process(&c->names, payload, c->out);
	default:
		if (names_are_in(type))
			return 0; /* written with the stacks they are of */
		return record_write(c->out, (enum capture_record)type, payload);
	}
}

static int copy_records(struct copy *c)
{
	uint32_t type;
	int result = record_read_head(&c->reader);

	if (!result)
		result = record_write_head(c->out);
	if (result)
		return result;
	while ((result = record_read(&c->reader, &type)) == RECORD_GOOD) {
		int err = copy_record(c, type);

		if (err)
			return err;
	}
	return result < 0 ? result : 0;
}

/* ---- Choosing ---------------------------------------------------------------
 */

struct moments {
	uint64_t *elapsed_ns;
	size_t count, capacity;
};

static int add_moment(struct moments *m, const struct text *payload)
{
	struct cursor in = cursor_make(payload->data, payload->size);

	if (m->count == m->capacity) {
		size_t capacity = m->capacity ? 2 * m->capacity : 512;
		uint64_t *list =
			realloc(m->elapsed_ns, capacity * sizeof(*list));

		if (!list)
			return -ENOMEM;
		m->elapsed_ns = list;
		m->capacity = capacity;
	}
	cursor_uleb(&in); /* length of the figures */
	m->elapsed_ns[m->count++] = cursor_uleb(&in);
	return 0;
}

static int find_moments(FILE *in, struct moments *m, struct thin_names *names)
{
	struct record_reader r = {.in = in};
	int result = record_read_head(&r), err = 0;
	uint32_t type;

	while (!result && !err && (err = record_read(&r, &type)) == RECORD_GOOD)
		err = type == CAPTURE_SNAPSHOT
			      ? add_moment(m, &r.payload)
			      : thin_names_take(names, type, &r.payload);
	record_reader_free(&r);
	return result ? result : err < 0 ? err : 0;
}

static void copy_free(struct copy *c)
{
	capture_stacks_free(&c->from);
	capture_stacks_free(&c->to);
	thin_names_free(&c->names);
	free(c->defined);
	text_free(&c->definitions);
	text_free(&c->changes);
	record_reader_free(&c->reader);
	free(c);
}

int thin_copy(FILE *in, FILE *out, size_t most, struct thinned *made)
{
	CLEANUP_FREE bool *keep = NULL;
	struct moments m = {0};
	struct copy *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->reader.in = in;
	c->out = out;
	err = thin_names_init(&c->names);
	if (!err)
		err = find_moments(in, &m, &c->names);
	if (!err && fseeko(in, 0, SEEK_SET))
		err = -errno;
	keep = calloc(m.count + 1, sizeof(*keep));
	if (!keep)
		err = -ENOMEM;
	if (!err && m.count)
		made->snapshots =
			thin_choose(m.elapsed_ns, m.count, most, keep);
	c->keep = keep;
	if (!err)
		err = copy_records(c);
	if (!err) {
		made->names = c->names.kept;
		c->names.kept = (struct names_writer){0};
	}
	free(m.elapsed_ns);
	copy_free(c);
	return err;
}
