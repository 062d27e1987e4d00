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
#include "report/pprof_internal.h"
#include "report/proto.h"
#include "report/roots.h"

/* The order of Go's heap profiles, which tools know. */
static const struct {
	const char *type, *unit;
} sample_types[] = {
	{"alloc_objects", "count"},
	{"alloc_space", "bytes"},
	{"inuse_objects", "count"},
	{"inuse_space", "bytes"},
};

/* What a sample is labelled with that pprof has to take off (its -diff_base
 * makes the same). */
#define BASE_LABEL "pprof::base"

static uint64_t whole(double value)
{
	return value > 0 ? (uint64_t)llround(value) : 0;
}

/* ---- Samples ------------------------------------------------------------ */

static void put_location_of(struct pprof *p, struct location key)
{
	leb128_put(&p->inner,
		   pprof_number(p, p->locations, &key, sizeof(key)) + 1ull);
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
		put_location_of(
			p, (struct location){
				   .root = pprof_name(p, roots[count].name),
			   });
	proto_message(&p->part, 1, &p->inner);
}

static void put_label(struct pprof *p, const char *key, const char *value)
{
	proto_number(&p->inner, 1, pprof_text(p, key));
	proto_number(&p->inner, 2, pprof_name(p, value));
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

/* ---- The profile -------------------------------------------------------- */

static void put_type(struct pprof *p, enum profile_field field,
		     const char *type, const char *unit)
{
	proto_number(&p->part, 1, pprof_text(p, type));
	proto_number(&p->part, 2, pprof_text(p, unit));
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
	proto_number(&p->out, PROFILE_DEFAULT_SAMPLE_TYPE,
		     pprof_text(p, r->allocated_first ? "alloc_space"
						      : "inuse_space"));
	proto_number(&p->out, PROFILE_COMMENT,
		     pprof_text(p, "leakbpf " LEAKBPF_VERSION
				   ": blocks allocated since attach"));
}

/* Each table is complete when what refers to it has been written. */
static void put_tables(struct pprof *p)
{
	for (uint32_t i = 0; i < intern_count(p->locations); i++)
		pprof_location(p, i);
	for (uint32_t i = 0; i < intern_count(p->mappings); i++)
		pprof_mapping(p, i);
	for (uint32_t i = 0; i < intern_count(p->functions); i++)
		pprof_function(p, i);
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
	pprof_text(p, ""); /* the first text must be empty */
	put_head(p);
	for (uint32_t side = 0; side < 2 && p->sides[side]; side++) {
		pprof_side(p, side);
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
