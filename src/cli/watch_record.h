/* SPDX-License-Identifier: GPL-2.0-only */
/* Keeps on disk what is watched (service/last_run.h), and says after a restart
 * what was missed. */
#ifndef CLI_WATCH_RECORD_H
#define CLI_WATCH_RECORD_H

#include <stdint.h>

#include "cli/targets.h"

struct watch_record {
	char *directory;  /* NULL: nothing is kept */
	uint64_t next_ms; /* writing, CLOCK_BOOTTIME */
	bool failed;	  /* that it could not be written has been said */
};

/* `directory` NULL: the service manager's (STATE_DIRECTORY), if it gives one.
 * 0 or -errno, reported. */
int watch_record_open(struct watch_record *w, const char *directory);
/* Compares what was watched last with the targets now; says what was missed.
 * For how long some of them were not watched, in seconds; 0: none was watched
 * before. */
uint64_t watch_record_compare(const struct watch_record *w,
			      const struct targets *targets);
/* Writes down the targets that live, if the last time is a while ago. */
void watch_record_keep(struct watch_record *w, const struct targets *targets);
/* The last time: this run ends orderly. */
void watch_record_end(struct watch_record *w, const struct targets *targets);
/* Whether it can (still) be written: 0 or -errno, reported. */
int watch_record_check(const struct watch_record *w);
void watch_record_free(struct watch_record *w);

#endif
