/* SPDX-License-Identifier: GPL-2.0-only */
/* What samples refer to by number: texts, functions, locations, mappings. */
#include <string.h>

#include "report/names.h"
#include "report/place.h"
#include "report/pprof_internal.h"
#include "report/proto.h"

/* ---- Numbers ------------------------------------------------------------ */

uint32_t pprof_number(struct pprof *p, struct intern *table, const void *key,
		      size_t size)
{
	uint32_t number = 0;
	int err = intern_put(table, key, size, &number);

	if (err)
		p->err = err;
	return number;
}

uint32_t pprof_text(struct pprof *p, const char *text)
{
	return pprof_number(p, p->texts, text, strlen(text));
}

/* Readers print names as they are, and reject what is no UTF-8. */
uint32_t pprof_name(struct pprof *p, const char *name)
{
	text_clear(&p->name);
	name_for_people(&p->name, name, 0);
	return p->name.size ? pprof_text(p, p->name.data) : 0;
}

void pprof_side(struct pprof *p, uint32_t side)
{
	p->side = side;
	p->report = p->sides[side];
}

/* ---- What samples refer to ---------------------------------------------- */

/* `level`: NULL for a root. */
static void put_line(struct pprof *p, const char *function,
		     const struct symbol_level *level)
{
	struct function key = {.name = pprof_name(p, function)};

	if (level && level->file)
		key.file = pprof_name(p, level->file);
	proto_number(&p->inner, 1,
		     pprof_number(p, p->functions, &key, sizeof(key)) + 1ull);
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

	return pprof_number(p, p->mappings, &key, sizeof(key));
}

void pprof_location(struct pprof *p, uint32_t number)
{
	const struct location *l = intern_key(p->locations, number, NULL);
	uint32_t object = (uint32_t)(l->frame >> FRAME_OBJECT_SHIFT);

	pprof_side(p, l->side);
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
	proto_number(&p->part, 6, pprof_text(p, hex));
}

void pprof_mapping(struct pprof *p, uint32_t number)
{
	const struct mapped *m = intern_key(p->mappings, number, NULL);
	const struct names *names = p->sides[m->side]->names;
	struct names_object o;

	proto_number(&p->part, 1, number + 1ull);
	if (names->object(names->context, m->object, &o)) {
		proto_number(&p->part, 2, o.text_start);
		proto_number(&p->part, 3, o.text_end);
		proto_number(&p->part, 4, o.text_offset);
		proto_number(&p->part, 5, pprof_name(p, o.path));
		put_build_id(p, &o);
	}
	/* Functions, files, lines and inlined calls are all there are. */
	for (uint32_t field = 7; field <= 10; field++)
		proto_number(&p->part, field, 1);
	proto_message(&p->out, PROFILE_MAPPING, &p->part);
}

void pprof_function(struct pprof *p, uint32_t number)
{
	const struct function *f = intern_key(p->functions, number, NULL);

	proto_number(&p->part, 1, number + 1ull);
	proto_number(&p->part, 2, f->name);
	proto_number(&p->part, 3, f->name);
	proto_number(&p->part, 4, f->file);
	proto_message(&p->out, PROFILE_FUNCTION, &p->part);
}
