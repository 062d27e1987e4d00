/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names of a capture that is copied with fewer snapshots: those of stacks
 * that are left. Of every frame, object and number of a process only the last
 * name counts, as for readers.
 */
#ifndef CAPTURE_THIN_NAMES_H
#define CAPTURE_THIN_NAMES_H

#include <stdio.h>

#include "capture/names_reader.h"
#include "capture/names_writer.h"
#include "capture/reader.h"
#include "capture/record.h"

struct thin_names {
	struct names_reader known; /* in the old file */
	struct names_writer kept;  /* in the new one */
	/* The last payload of each number; emptied when it is written. */
	struct text processes[CAPTURE_PROCESSES_MAX];
};

int thin_names_init(struct thin_names *t); /* 0 or -ENOMEM */
void thin_names_free(struct thin_names *t);

/* Takes a record of the old file, all of them before any is written. 0 or
 * -errno. */
int thin_names_take(struct thin_names *t, uint32_t type,
		    const struct text *payload);
/* Writes the process's last name in the place of its first. */
int thin_names_put_process(struct thin_names *t, const struct text *payload,
			   FILE *out);
/* Keeps the names of a stack that is about to be defined. */
int thin_names_keep(struct thin_names *t, const uint64_t *frames,
		    uint32_t count);

#endif
