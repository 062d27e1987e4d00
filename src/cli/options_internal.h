/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files that parse the command line share. */
#ifndef CLI_OPTIONS_INTERNAL_H
#define CLI_OPTIONS_INTERNAL_H

#include <getopt.h>

#include "cli/options.h"

/* Long options without a letter. */
enum {
	OPTION_FILE = 256, /* + enum report_format */
	OPTION_OLDER = OPTION_FILE + REPORT_FORMATS,
	OPTION_MIN_SIZE,
	OPTION_MAX_SIZE,
	OPTION_SAMPLE_BYTES,
	OPTION_MAX_MEMORY,
	OPTION_MAX_OVERHEAD,
	OPTION_MMAP,
	OPTION_GROWTH,
	OPTION_NO_GROWTH,
	OPTION_NO_V8,
	OPTION_NO_SOURCE_MAPS,
	OPTION_DEBUGINFOD,
	OPTION_NO_SAMPLERS,
	OPTION_V8_SURVIVED,
	OPTION_EXPLAIN,
	OPTION_LISTEN,
	OPTION_TOKEN_FILE,
	OPTION_VERSION,
	OPTION_LINK,
	OPTION_CGROUP,
	OPTION_CONTAINER,
	OPTION_POD,
	OPTION_COMM,
	OPTION_ALL,
	OPTION_CONFIG,
	OPTION_PID_FILE,
	OPTION_STATE_DIR,
	OPTION_LOG_LEVEL,
	OPTION_LIMIT,
};

#define PLACE_BYTES 512

struct parser {
	struct options *options;
	char *error;
	size_t error_size;
	bool given[OPTION_LIMIT]; /* on the command line */
	char place[PLACE_BYTES];  /* "FILE:LINE: ", or "" there */
};

/* Says what is wrong; returns EXIT_CODE_USAGE. */
enum exit_code wrong(struct parser *p, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Of the configuration file, if there is one: what the command line does not
 * say. */
enum exit_code parse_config(struct parser *p);
/* NULL: there is none. */
const struct option *long_option_named(const char *name);
/* One option, by its letter or number, with its value. */
enum exit_code parse_option(struct parser *p, int option, const char *text);

#endif
