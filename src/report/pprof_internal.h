/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the pprof format share. */
#ifndef REPORT_PPROF_INTERNAL_H
#define REPORT_PPROF_INTERNAL_H

#include "base/intern.h"
#include "base/text.h"
#include "report/report.h"

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

/* pprof_tables.c: the number of a key, from 0; of a text; of a name, cleaned.
 */
uint32_t pprof_number(struct pprof *p, struct intern *table, const void *key,
		      size_t size);
uint32_t pprof_text(struct pprof *p, const char *text);
uint32_t pprof_name(struct pprof *p, const char *name);
void pprof_side(struct pprof *p, uint32_t side);

/* Write an entry of a table each, by its number. */
void pprof_location(struct pprof *p, uint32_t number);
void pprof_mapping(struct pprof *p, uint32_t number);
void pprof_function(struct pprof *p, uint32_t number);

#endif
