/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the run before this one watched, and until when, kept in a file so that
 * a restart can say what it has missed. The file is rewritten as a whole while
 * a run lasts: after a crash it is as old as the last writing. It is read as
 * anything else that somebody may have written: bounded, checked, and without
 * any effect but on messages.
 */
#ifndef SERVICE_LAST_RUN_H
#define SERVICE_LAST_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LAST_RUN_TARGETS_MAX 8192
#define LAST_RUN_COMM_MAX    (4 * 16 + 1)

struct last_run_target {
	pid_t pid;
	uint64_t start_time_ticks; /* process.h */
	char comm[LAST_RUN_COMM_MAX];
};

struct last_run {
	bool stopped;	   /* orderly; else it was killed, or crashed */
	uint64_t until_ms; /* it watched until then, CLOCK_BOOTTIME */
	struct last_run_target *targets;
	size_t count;
};

/* CLOCK_BOOTTIME: the same for every process of one boot, and no adjustment of
 * the time of day moves it. */
uint64_t last_run_now_ms(void);

/* Makes the directory if there is none, and checks that a file can be written
 * there. 0 or -errno, reported. */
int last_run_check(const char *directory);

/* 0; -ENOENT: nothing is kept, or of another boot (whose processes are gone);
 * -EBADMSG: the file is damaged; or another -errno. Only `*out` of 0 needs
 * last_run_free. */
int last_run_read(const char *directory, struct last_run *out);
/* The same of a file's content, which is overwritten. */
int last_run_parse(char *text, struct last_run *out);
void last_run_free(struct last_run *run);

/* Replaces the file; after a crash it is the old or the new one. 0 or -errno.
 */
int last_run_write(const char *directory, const struct last_run *run);

/* The target of that process; NULL: it was none. */
const struct last_run_target *
last_run_find(const struct last_run *run, pid_t pid, uint64_t start_time_ticks);

#endif
