/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pprof: github.com/google/pprof/proto/profile.proto, whose field numbers
 * stand here. Addresses are link-time addresses, so each mapping lies where the
 * object was linked to be; that is what a symbolizer with the build-id needs,
 * and processes that load an object to different places share it.
 */
#include "report/formats.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/gzip.h"
#include "base/intern.h"
#include "base/leb128.h"
#include "report/blame.h"
#include "report/names.h"
#include "report/place.h"
#include "report/proto.h"
#include "report/roots.h"

enum profile_field {
	PROFILE_SAMPLE_TYPE = 1,
	PROFILE_SAMPLE = 2,
	PROFILE_MAPPING = 3,
	PROFILE_LOCATION = 4,
	PROFILE_FUNCTION = 5,
	PROFILE_STRING_TABLE = 6,
	PROFILE_TIME_NANOS = 9,
	PROFILE_DURATION_NANOS = 10,
	PROFILE_PERIOD_TYPE = 11,
	PROFILE_PERIOD = 12,
	PROFILE_COMMENT = 13,
	PROFILE_DEFAULT_SAMPLE_TYPE = 14,
};

/* The order of Go's heap profiles, which tools know. */
static const struct {
	const char *type, *unit;
} sample_types[] = {
	{"alloc_objects", "count"},
	{"alloc_space", "bytes"},
	{"inuse_objects", "count"},
	{"inuse_space", "bytes"},
};

struct location {
	uint64_t frame; /* encoding: leakbpf/abi.h; 0 for a root */
	uint32_t root;	/* text of a root; else 0 */
	uint32_t side;	/* frames and objects are of one report each */
};

struct mapped {
	uint32_t object, side;
};

struct function {
	uint32_t name, file;
};

/* What a sample is labelled with that pprof has to take off (its -diff_base
 * makes the same). */
#define BASE_LABEL "pprof::base"

struct pprof {
	const struct report *report;   /* sides[side] */
	const struct report *sides[2]; /* the second one is taken off, if any */
	uint32_t side;
	struct intern *texts;	  /* 0 is "" */
	struct intern *functions; /* struct function; ids from 1 */
	struct intern *locations; /* struct location; ids from 1 */
	struct intern *mappings;  /* struct mapped; ids from 1 */
	struct text out, part, inner, name, function;
	int err;
};

/* ---- Numbers ------------------------------------------------------------ */

static uint32_t number_of(struct pprof *p, struct intern *table,
			  const void *key, size_t size)
{
	uint32_t number = 0;
	int err = intern_put(table, key, size, &number);

	if (err)
		p->err = err;
	return number;
}

static uint32_t text_of(struct pprof *p, const char *text)
{
	return number_of(p, p->texts, text, strlen(text));
}

/* Readers print names as they are, and reject what is no UTF-8. */
static uint32_t name_of(struct pprof *p, const char *name)
{
	text_clear(&p->name);
	name_for_people(&p->name, name, 0);
	return p->name.size ? text_of(p, p->name.data) : 0;
}

static uint64_t whole(double value)
{
	return value > 0 ? (uint64_t)llround(value) : 0;
}

static void choose_side(struct pprof *p, uint32_t side)
{
	p->side = side;
	p->report = p->sides[side];
}

/* ---- Samples ------------------------------------------------------------ */

static void put_location_of(struct pprof *p, struct location key)
{
	leb128_put(&p->inner,
		   number_of(p, p->locations, &key, sizeof(key)) + 1ull);
}

static void put_locations(struct pprof *p, const struct profile_stack *s)
{
	struct report_root roots[REPORT_ROOTS_MAX];
	size_t count = report_roots(p->report, s, roots);

	for (uint32_t i = 0; i < s->depth; i++)
		put_location_of(p, (struct location){
					   .frame = s->frames[i],
					   .side = p->side,
				   });
	while (count-- > 0)
		put_location_of(p,
				(struct location){
					.root = name_of(p, roots[count].name),
				});
	proto_message(&p->part, 1, &p->inner);
}

static void put_label(struct pprof *p, const char *key, const char *value)
{
	proto_number(&p->inner, 1, text_of(p, key));
	proto_number(&p->inner, 2, name_of(p, value));
	proto_message(&p->part, 3, &p->inner);
}

static void put_process(struct pprof *p, uint32_t tgid)
{
	const struct report *r = p->report;
	const struct report_target *t = NULL;
	char text[CONTAINER_TEXT_BYTES];

	snprintf(text, sizeof(text), "%u", tgid);
	put_label(p, "pid", text);
	for (size_t i = 0; i < r->target_count && !t; i++)
		if ((uint32_t)r->targets[i].pid == tgid)
			t = &r->targets[i];
	put_label(p, "process", t ? t->comm : "");
	if (!t)
		return;
	if (*container_label(&t->container, text))
		put_label(p, "container", text);
	if (t->container.pod[0])
		put_label(p, "pod", t->container.pod);
}

/* Of the side that is taken off it is negative. */
static void put_value(struct pprof *p, double value)
{
	leb128_put(&p->inner, p->side ? -whole(value) : whole(value));
}

static void put_sample(struct pprof *p, const struct profile_stack *s)
{
	const struct diagnosis *d = p->report->diagnosis;
	const struct verdict *verdict = d ? diagnosis_verdict(d, s) : NULL;

	put_locations(p, s);
	put_value(p, s->alloc_objects);
	put_value(p, s->alloc_bytes);
	put_value(p, s->live_objects.value);
	put_value(p, s->live_bytes.value);
	proto_message(&p->part, 2, &p->inner);
	if (p->side)
		put_label(p, BASE_LABEL, "true");
	put_process(p, s->tgid);
	if (verdict)
		put_label(p, "verdict", verdict_name(verdict->kind));
	put_label(p, "memory", report_source_text(s));
	if (s->end != STACK_END_ROOT)
		put_label(p, "stack", report_end_text(s));
	proto_message(&p->out, PROFILE_SAMPLE, &p->part);
}

/* ---- What samples refer to ---------------------------------------------- */

/* `level`: NULL for a root. */
static void put_line(struct pprof *p, const char *function,
		     const struct symbol_level *level)
{
	struct function key = {.name = name_of(p, function)};

	if (level && level->file)
		key.file = name_of(p, level->file);
	proto_number(&p->inner, 1,
		     number_of(p, p->functions, &key, sizeof(key)) + 1ull);
	if (level) {
		proto_number(&p->inner, 2, level->line);
		proto_number(&p->inner, 3, level->column);
	}
	proto_message(&p->part, 4, &p->inner);
}

static void put_symbol(struct pprof *p, const struct symbol *s)
{
	for (uint32_t i = 0; i < s->level_count; i++) {
		text_clear(&p->function);
		place_function(&p->function, s, &s->levels[i]);
		put_line(p, p->function.data ? p->function.data : "",
			 &s->levels[i]);
	}
}

static uint32_t mapping_of(struct pprof *p, uint32_t object)
{
	struct mapped key = {object, p->side};

	return number_of(p, p->mappings, &key, sizeof(key));
}

static void put_location(struct pprof *p, uint32_t number)
{
	const struct location *l = intern_key(p->locations, number, NULL);
	uint32_t object = (uint32_t)(l->frame >> FRAME_OBJECT_SHIFT);

	choose_side(p, l->side);
	proto_number(&p->part, 1, number + 1ull);
	if (l->root) {
		put_line(p, intern_key(p->texts, l->root, NULL), NULL);
	} else {
		if (object != OBJECT_NONE && object < OBJECTS_MAX)
			proto_number(&p->part, 2, mapping_of(p, object) + 1ull);
		proto_number(&p->part, 3, l->frame & FRAME_ADDRESS_MASK);
		put_symbol(p, report_symbol(p->report, l->frame));
	}
	proto_message(&p->out, PROFILE_LOCATION, &p->part);
}

static void put_build_id(struct pprof *p, const struct names_object *o)
{
	char hex[2 * BUILD_ID_BYTES_MAX + 1] = "";

	for (uint32_t i = 0; i < o->build_id_size && i < BUILD_ID_BYTES_MAX;
	     i++)
		snprintf(hex + 2 * i, 3, "%02x", o->build_id[i]);
	proto_number(&p->part, 6, text_of(p, hex));
}

static void put_mapping(struct pprof *p, uint32_t number)
{
	const struct mapped *m = intern_key(p->mappings, number, NULL);
	const struct names *names = p->sides[m->side]->names;
	struct names_object o;

	proto_number(&p->part, 1, number + 1ull);
	if (names->object(names->context, m->object, &o)) {
		proto_number(&p->part, 2, o.text_start);
		proto_number(&p->part, 3, o.text_end);
		proto_number(&p->part, 4, o.text_offset);
		proto_number(&p->part, 5, name_of(p, o.path));
		put_build_id(p, &o);
	}
	/* Functions, files, lines and inlined calls are all there are. */
	for (uint32_t field = 7; field <= 10; field++)
		proto_number(&p->part, field, 1);
	proto_message(&p->out, PROFILE_MAPPING, &p->part);
}

static void put_function(struct pprof *p, uint32_t number)
{
	const struct function *f = intern_key(p->functions, number, NULL);

	proto_number(&p->part, 1, number + 1ull);
	proto_number(&p->part, 2, f->name);
	proto_number(&p->part, 3, f->name);
	proto_number(&p->part, 4, f->file);
	proto_message(&p->out, PROFILE_FUNCTION, &p->part);
}

/* ---- The profile -------------------------------------------------------- */

static void put_type(struct pprof *p, enum profile_field field,
		     const char *type, const char *unit)
{
	proto_number(&p->part, 1, text_of(p, type));
	proto_number(&p->part, 2, text_of(p, unit));
	proto_message(&p->out, field, &p->part);
}

static void put_head(struct pprof *p)
{
	const struct report *r = p->report;
	for (size_t i = 0; i < sizeof(sample_types) / sizeof(*sample_types);
	     i++)
		put_type(p, PROFILE_SAMPLE_TYPE, sample_types[i].type,
			 sample_types[i].unit);
	put_type(p, PROFILE_PERIOD_TYPE, "space", "bytes");
	proto_number(&p->out, PROFILE_PERIOD,
		     r->status.sampling.interval_bytes);
	proto_number(&p->out, PROFILE_TIME_NANOS, r->started_ns);
	proto_number(&p->out, PROFILE_DURATION_NANOS,
		     whole(r->elapsed_seconds * 1e9));
	proto_number(
		&p->out, PROFILE_DEFAULT_SAMPLE_TYPE,
		text_of(p, r->allocated_first ? "alloc_space" : "inuse_space"));
	proto_number(&p->out, PROFILE_COMMENT,
		     text_of(p, "leakbpf " LEAKBPF_VERSION
				": blocks allocated since attach"));
}

/* Each table is complete when what refers to it has been written. */
static void put_tables(struct pprof *p)
{
	for (uint32_t i = 0; i < intern_count(p->locations); i++)
		put_location(p, i);
	for (uint32_t i = 0; i < intern_count(p->mappings); i++)
		put_mapping(p, i);
	for (uint32_t i = 0; i < intern_count(p->functions); i++)
		put_function(p, i);
	for (uint32_t i = 0; i < intern_count(p->texts); i++) {
		const char *text = intern_key(p->texts, i, NULL);

		text_add(&p->part, text);
		proto_message(&p->out, PROFILE_STRING_TABLE, &p->part);
	}
}

static void put_samples(struct pprof *p)
{
	size_t count;
	const struct profile_stack *const *stacks =
		profile_sorted(p->report->profile, PROFILE_BY_ALLOC, &count);
	int err = report_resolve(p->report, stacks, count);

	if (err)
		p->err = err;
	for (size_t i = 0; i < count; i++)
		put_sample(p, stacks[i]);
}

static void put_profile(struct pprof *p)
{
	text_of(p, ""); /* the first text must be empty */
	put_head(p);
	for (uint32_t side = 0; side < 2 && p->sides[side]; side++) {
		choose_side(p, side);
		put_samples(p);
	}
	put_tables(p);
	if (!p->err && p->out.failed)
		p->err = -ENOMEM;
}

static int write_pprof(FILE *out, const struct report *r,
		       const struct report *base)
{
	struct pprof p = {
		.report = r,
		.sides = {r, base},
		.texts = intern_new(),
		.functions = intern_new(),
		.locations = intern_new(),
		.mappings = intern_new(),
	};

	if (p.texts && p.functions && p.locations && p.mappings)
		put_profile(&p);
	else
		p.err = -ENOMEM;
	if (!p.err)
		p.err = gzip_write(out, p.out.data, p.out.size);
	intern_free(p.texts);
	intern_free(p.functions);
	intern_free(p.locations);
	intern_free(p.mappings);
	text_free(&p.out);
	text_free(&p.part);
	text_free(&p.inner);
	text_free(&p.name);
	text_free(&p.function);
	return p.err;
}

int report_pprof(FILE *out, const struct report *r)
{
	return write_pprof(out, r, NULL);
}

int report_pprof_difference(FILE *out, const struct report *before,
			    const struct report *after)
{
	return write_pprof(out, after, before);
}
