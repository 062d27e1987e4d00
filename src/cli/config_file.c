/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define LINE_BYTES_MAX 4096
#define ENTRIES_MAX    1000

struct reading {
	struct config *config;
	FILE *file;
	unsigned line; /* the one that is being parsed */
	int err;
	char *error;
	size_t error_size;
};

static int complain(struct reading *r, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Of several things that are wrong the first is named. */
static int complain(struct reading *r, int err, const char *format, ...)
{
	va_list arguments;
	int used;

	if (r->err)
		return r->err;
	r->err = err;
	used = snprintf(r->error, r->error_size,
			r->line ? "%s:%u: " : "%s: ", r->config->path, r->line);
	if (used < 0 || (size_t)used >= r->error_size)
		return err;
	va_start(arguments, format);
	vsnprintf(r->error + used, r->error_size - (size_t)used, format,
		  arguments);
	va_end(arguments);
	return err;
}

/* The library's ini_reader: like fgets. It does not say which line an entry
 * comes from, but hands each over before it reads the next. */
static char *read_line(char *to, int size, void *context)
{
	struct reading *r = context;
	char *line = r->err ? NULL : fgets(to, size, r->file);
	size_t length = line ? strlen(line) : 0;

	if (!line)
		return NULL;
	r->line++;
	if (length && line[length - 1] != '\n' && !feof(r->file)) {
		complain(r, -EINVAL, "the line is too long, or no text");
		return NULL;
	}
	return line;
}

static int add_entry(void *context, const char *section, const char *name,
		     const char *value)
{
	struct reading *r = context;
	struct config *c = r->config;
	struct config_entry *list, entry = {.line = r->line};

	if (*section)
		return !complain(r, -EINVAL, "there are no [sections] here");
	if (c->count == ENTRIES_MAX)
		return !complain(r, -E2BIG, "more than %d settings",
				 ENTRIES_MAX);
	list = realloc(c->entries, (c->count + 1) * sizeof(*list));
	if (list)
		c->entries = list;
	entry.name = strdup(name);
	entry.value = strdup(value ? value : "");
	if (!list || !entry.name || !entry.value) {
		free(entry.name);
		free(entry.value);
		return !complain(r, -ENOMEM, "out of memory");
	}
	c->entries[c->count++] = entry;
	return 1;
}

static int parse(struct reading *r)
{
	int bad_line;

	/* The library is set up by variables. */
	ini_use_stack = false;
	ini_initial_alloc = ini_max_line = LINE_BYTES_MAX;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	bad_line = ini_parse_stream(read_line, r, add_entry, r);
	if (!r->err && ferror(r->file))
		complain(r, -EIO, "cannot read it");
	if (!r->err && bad_line) {
		r->line = bad_line > 0 ? (unsigned)bad_line : 0;
		complain(r, -EINVAL, "expected NAME = VALUE");
	}
	return r->err;
}

/* What root runs by is not for others to write. */
static int check_file(struct reading *r)
{
	struct stat st;

	if (fstat(fileno(r->file), &st))
		return complain(r, -errno, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return complain(r, -EISDIR, "this is a directory");
	if (S_ISREG(st.st_mode) && (st.st_mode & (S_IWGRP | S_IWOTH)))
		return complain(r, -EPERM,
				"others than its owner can write it: chmod "
				"go-w");
	return 0;
}

int config_read(const char *path, struct config **out, char *error,
		size_t error_size)
{
	struct config *c = calloc(1, sizeof(*c));
	FILE *file CLEANUP_FCLOSE = fopen(path, "re");
	struct reading r = {
		.config = c,
		.file = file,
		.error = error,
		.error_size = error_size,
	};
	int err = file ? 0 : -errno;

	if (!c || !(c->path = strdup(path))) {
		free(c);
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	if (err)
		complain(&r, err, "%s", strerror(-err));
	else if (!(err = check_file(&r)))
		err = parse(&r);
	if (err)
		config_free(c);
	else
		*out = c;
	return err;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++) {
		free(c->entries[i].name);
		free(c->entries[i].value);
	}
	free(c->entries);
	free(c->path);
	free(c);
}
