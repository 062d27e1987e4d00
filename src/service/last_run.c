/* SPDX-License-Identifier: GPL-2.0-only */
#include "service/last_run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "base/replace.h"
#include "base/text.h"

/* Room for LAST_RUN_TARGETS_MAX lines, and more than is ever written. */
#define FILE_BYTES_MAX (1u << 20)
#define FIRST_LINE     "leakbpf last run 1"
#define BOOT_ID_FILE   "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_BYTES  64
#define DIRECTORY_MODE 0700
#define FILE_NAME      "last-run"

uint64_t last_run_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int file_name(const char *directory, char name[PATH_MAX])
{
	int used = snprintf(name, PATH_MAX, "%s/" FILE_NAME, directory);

	return used < 0 || used >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* Without the line's end; "" when unknown, which is no boot's id. */
static void read_boot_id(char id[BOOT_ID_BYTES])
{
	FILE *f CLEANUP_FCLOSE = fopen(BOOT_ID_FILE, "re");

	if (!f || !fgets(id, BOOT_ID_BYTES, f))
		id[0] = '\0';
	id[strcspn(id, "\n")] = '\0';
}

int last_run_check(const char *directory)
{
	char name[PATH_MAX];
	int err = file_name(directory, name);

	if (!err && mkdir(directory, DIRECTORY_MODE) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = replace_check(name);
	if (err)
		diag_error("--state-dir %s: cannot write there: %s", directory,
			   strerror(-err));
	return err;
}

/* ---- Reading ------------------------------------------------------------- */

/* Text of that size and nothing but text; NUL-terminated. */
static int read_text(int fd, char *text, size_t size)
{
	ssize_t got = pread(fd, text, size, 0);

	if (got < 0)
		return -errno;
	if ((size_t)got != size || memchr(text, 0, size))
		return -EBADMSG;
	text[size] = '\0';
	return 0;
}

/* The whole file, to be freed; NULL and *err. */
static char *read_file(const char *name, int *err)
{
	int fd CLEANUP_CLOSE = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
						  O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *text;

	if (fd < 0 || fstat(fd, &st)) {
		*err = -errno;
		return NULL;
	}
	*err = -EBADMSG;
	if (!S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	*err = text ? read_text(fd, text, (size_t)st.st_size) : -ENOMEM;
	if (*err) {
		free(text);
		text = NULL;
	}
	return text;
}

/* Digits up to `end`, which is passed. */
static bool take_number(char **at, char end, uint64_t max, uint64_t *out)
{
	char *last;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*out = strtoull(*at, &last, 10);
	if (errno || *last != end || *out > max)
		return false;
	*at = last + 1;
	return true;
}

static bool take_word(char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length))
		return false;
	*at += length;
	return true;
}

/* "PID START COMM" */
static bool parse_target(char *at, struct last_run *run)
{
	struct last_run_target *t = &run->targets[run->count];
	uint64_t pid;

	if (run->count == LAST_RUN_TARGETS_MAX ||
	    !take_number(&at, ' ', INT_MAX, &pid) || !pid ||
	    !take_number(&at, ' ', UINT64_MAX, &t->start_time_ticks) ||
	    strlen(at) >= sizeof(t->comm))
		return false;
	t->pid = (pid_t)pid;
	snprintf(t->comm, sizeof(t->comm), "%s", at);
	run->count++;
	return true;
}

/* The lines behind that with the boot's id. */
static int parse_run(char *rest, struct last_run *run)
{
	char *line = strsep(&rest, "\n");

	if (!line || !take_word(&line, "until ") ||
	    !take_number(&line, ' ', UINT64_MAX, &run->until_ms) ||
	    run->until_ms > last_run_now_ms() ||
	    (strcmp(line, "running") && strcmp(line, "stopped")))
		return -EBADMSG;
	run->stopped = !strcmp(line, "stopped");
	run->targets = calloc(LAST_RUN_TARGETS_MAX, sizeof(*run->targets));
	if (!run->targets)
		return -ENOMEM;
	while ((line = strsep(&rest, "\n")) && *line)
		if (!take_word(&line, "target ") || !parse_target(line, run))
			return -EBADMSG;
	/* The end of the last line is there: nothing was cut off. */
	return line && !rest ? 0 : -EBADMSG;
}

int last_run_parse(char *text, struct last_run *out)
{
	struct last_run run = {0};
	char boot_id[BOOT_ID_BYTES], *rest = text, *line;
	int err;

	line = strsep(&rest, "\n");
	if (!rest || strcmp(line, FIRST_LINE))
		return -EBADMSG;
	line = strsep(&rest, "\n");
	if (!rest || !take_word(&line, "boot "))
		return -EBADMSG;
	read_boot_id(boot_id);
	err = strcmp(line, boot_id) ? -ENOENT : parse_run(rest, &run);
	if (err)
		last_run_free(&run);
	else
		*out = run;
	return err;
}

int last_run_read(const char *directory, struct last_run *out)
{
	char name[PATH_MAX];
	int err = file_name(directory, name);
	CLEANUP_FREE char *text = err ? NULL : read_file(name, &err);

	return err ? err : last_run_parse(text, out);
}

void last_run_free(struct last_run *run)
{
	free(run->targets);
	*run = (struct last_run){0};
}

const struct last_run_target *
last_run_find(const struct last_run *run, pid_t pid, uint64_t start_time_ticks)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->targets[i].pid == pid &&
		    run->targets[i].start_time_ticks == start_time_ticks)
			return &run->targets[i];
	return NULL;
}

/* ---- Writing ------------------------------------------------------------- */

static void add_run(struct text *t, const struct last_run *run)
{
	char boot_id[BOOT_ID_BYTES], comm[LAST_RUN_COMM_MAX];

	read_boot_id(boot_id);
	text_printf(t, FIRST_LINE "\nboot %s\nuntil %" PRIu64 " %s\n", boot_id,
		    run->until_ms, run->stopped ? "stopped" : "running");
	for (size_t i = 0; i < run->count && i < LAST_RUN_TARGETS_MAX; i++)
		text_printf(
			t, "target %d %" PRIu64 " %s\n",
			(int)run->targets[i].pid,
			run->targets[i].start_time_ticks,
			diag_escape(comm, sizeof(comm), run->targets[i].comm));
}

static int write_whole(int fd, const struct text *t)
{
	size_t done = 0;

	if (t->failed)
		return -ENOMEM;
	while (done < t->size) {
		ssize_t put = write(fd, t->data + done, t->size - done);

		if (put < 0 && errno != EINTR)
			return -errno;
		done += put > 0 ? (size_t)put : 0;
	}
	/* A rename may reach the disk before the content does. */
	return fsync(fd) ? -errno : 0;
}

int last_run_write(const char *directory, const struct last_run *run)
{
	char name[PATH_MAX], temporary[PATH_MAX];
	struct text t = {0};
	int fd, err = file_name(directory, name);

	fd = err ? err : replace_create(name, temporary, sizeof(temporary));
	if (fd < 0)
		return fd;
	add_run(&t, run);
	err = write_whole(fd, &t);
	text_free(&t);
	close(fd);
	if (!err && rename(temporary, name))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}
