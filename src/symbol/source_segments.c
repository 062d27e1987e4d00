/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/source_segments.h"

#include <errno.h>
#include <stdlib.h>

#include "symbol/base64.h"
#include "symbol/ranges.h"

/* Characters between two marks. */
#define MARK_DISTANCE 512
#define FIELDS_MAX    5

/* How far a reader has come. Fields of segments are differences to these. */
struct source_state {
	size_t at; /* of the text */
	uint32_t line, column;
	uint32_t source, source_line, source_column, name;
};

struct source_mark {
	uint64_t start;		   /* of a segment: source_position */
	struct source_state state; /* before it */
};

struct source_reader {
	const struct source_segments *of;
	struct source_state now;
	bool failed;
};

/* A variable-length quantity: 5 bits per digit, lowest first, the sixth says
 * that there are more; the lowest bit of all is the sign. */
static int64_t read_vlq(struct source_reader *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift <= 30; shift += 5) {
		int digit = r->now.at < r->of->size
				    ? base64_digit(r->of->text[r->now.at])
				    : -1;

		if (digit < 0)
			break;
		r->now.at++;
		value |= (uint64_t)(digit & 31) << shift;
		if (!(digit & 32))
			return value & 1 ? -(int64_t)(value >> 1)
					 : (int64_t)(value >> 1);
	}
	r->failed = true;
	return 0;
}

static void add(struct source_reader *r, uint32_t *to, int64_t difference)
{
	int64_t sum = *to + difference;

	if (sum < 0 || sum > INT32_MAX)
		r->failed = true;
	else
		*to = (uint32_t)sum;
}

static bool at_end_of_segment(const struct source_reader *r)
{
	char c = r->now.at < r->of->size ? r->of->text[r->now.at] : ',';

	return c == ',' || c == ';';
}

/* Moves over what separates segments. False: that was the last one. */
static bool skip_separators(struct source_reader *r)
{
	for (; r->now.at < r->of->size; r->now.at++) {
		char c = r->of->text[r->now.at];

		if (c != ',' && c != ';')
			return true;
		if (c == ';') {
			add(r, &r->now.line, 1);
			r->now.column = 0;
		}
	}
	return false;
}

/* The segment that starts here. */
static bool read_segment(struct source_reader *r, struct source_segment *out)
{
	int64_t fields[FIELDS_MAX];
	unsigned count = 0;

	while (count < FIELDS_MAX && !r->failed && !at_end_of_segment(r))
		fields[count++] = read_vlq(r);
	if (r->failed || !at_end_of_segment(r) ||
	    (count != 1 && count != 4 && count != 5)) {
		r->failed = true;
		return false;
	}
	add(r, &r->now.column, fields[0]);
	if (count >= 4) {
		add(r, &r->now.source, fields[1]);
		add(r, &r->now.source_line, fields[2]);
		add(r, &r->now.source_column, fields[3]);
	}
	if (count == 5)
		add(r, &r->now.name, fields[4]);
	*out = (struct source_segment){
		.line = r->now.line,
		.column = r->now.column,
		.mapped = count >= 4,
		.named = count == 5,
		.source = r->now.source,
		.source_line = r->now.source_line,
		.source_column = r->now.source_column,
		.name = r->now.name,
	};
	return !r->failed;
}

static int put_mark(struct source_segments *s, const struct source_mark *mark)
{
	/* Doubles at powers of two. */
	if (!(s->count & (s->count - 1))) {
		size_t capacity = s->count ? 2 * s->count : 1;
		struct source_mark *marks =
			reallocarray(s->marks, capacity, sizeof(*marks));

		if (!marks)
			return -ENOMEM;
		s->marks = marks;
	}
	s->marks[s->count++] = *mark;
	return 0;
}

int source_segments_read(struct source_segments *s, const char *text,
			 size_t size)
{
	struct source_reader r = {.of = s};
	struct source_segment segment;
	struct source_mark mark;
	size_t next = 0;
	int err = 0;

	*s = (struct source_segments){.text = text, .size = size};
	while (!err && skip_separators(&r)) {
		mark.state = r.now;
		if (!read_segment(&r, &segment)) {
			err = -EBADMSG;
		} else if (mark.state.at >= next) {
			mark.start =
				source_position(segment.line, segment.column);
			err = put_mark(s, &mark);
			next = mark.state.at + MARK_DISTANCE;
		}
	}
	if (!err && r.failed)
		err = -EBADMSG;
	if (err)
		source_segments_free(s);
	return err;
}

void source_segments_free(struct source_segments *s)
{
	free(s->marks);
	*s = (struct source_segments){0};
}

bool source_segments_find(const struct source_segments *s, uint32_t line,
			  uint32_t column, struct source_segment *out)
{
	size_t after = starts_after(s->marks, s->count, sizeof(*s->marks),
				    source_position(line, column));
	struct source_reader r = {.of = s};
	struct source_segment segment;
	bool found = false;

	if (!after)
		return false;
	r.now = s->marks[after - 1].state;
	while (skip_separators(&r) && r.now.line <= line &&
	       read_segment(&r, &segment)) {
		if (segment.line < line)
			continue;
		if (segment.column > column)
			break;
		*out = segment;
		found = true;
	}
	return found;
}
