/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line, parsed and validated. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/diag.h"
#include "cli/exit_codes.h"
#include "probe/features.h"
#include "trace/tracer.h"
#include "report/formats.h"
#include "target/selection.h"

/* Mean bytes between samples: see the tables in BENCHMARKS.md for what it
 * costs and how exact it is. */
#define SAMPLE_BYTES_DEFAULT (16ULL << 10)
/* One page in 16: a page costs less than an allocation, and comes more rarely.
 */
#define GROWTH_SAMPLE_BYTES_DEFAULT (64ULL << 10)
#define MAX_MEMORY_DEFAULT	    (64ULL << 20)
/* Percent of a CPU: of each target, of all. */
#define MAX_OVERHEAD_DEFAULT	   2.0
#define MAX_OVERHEAD_TOTAL_DEFAULT 10.0
#define INTERVAL_MS_DEFAULT	   10000
#define TOP_INTERVAL_MS		   2000 /* of the live view */
#define LISTEN_DEFAULT		   "127.0.0.1:9850"
/* One full collection leaves what was promoted just before it. */
#define V8_SURVIVED_DEFAULT 2
#define TOP_DEFAULT	    10
#define TARGETS_MAX	    256
/* Read by serve, when it is there. */
#define CONFIG_DEFAULT "/etc/leakbpf/leakbpf.conf"

enum options_action {
	ACTION_PROFILE,
	ACTION_TOP,
	ACTION_SERVE,
	ACTION_RECORD,
	ACTION_REPORT,
	ACTION_DIFF,
	ACTION_EXPLAIN,
	ACTION_HELP,
	ACTION_VERSION
};

struct options {
	enum options_action action;
	pid_t *pids; /* without repetitions */
	size_t pid_count;
	struct selection_criteria selection;
	char **command; /* NULL-terminated; NULL: trace pids */
	uint64_t interval_ms;
	uint64_t duration_ms; /* 0: until interrupted */
	uint64_t older_ms;
	uint64_t top;		     /* 0: all */
	uint64_t min_size, max_size; /* bytes; max 0: no limit */
	uint64_t sample_bytes;
	uint64_t growth_sample_bytes; /* where nothing but pages is counted */
	bool sample_bytes_given;
	uint64_t max_memory;
	double max_overhead;	   /* percent of a CPU, per target; 0: any */
	double max_overhead_total; /* of all targets together; 0: any */
	bool memory_maps;
	enum growth_mode growth;
	bool no_v8;
	bool no_source_maps;
	const char *debuginfod; /* URLs; NULL: those of the environment */
	uint64_t v8_survived;	/* full collections */
	bool no_samplers;
	/* By format; "-": standard output, of one at most; NULL: none. */
	const char *files[REPORT_FORMATS];
	const char *capture;	 /* record: the file to be written */
	const char *captures[2]; /* report, diff: those to be read */
	const char *listen;	 /* serve; NULL: LISTEN_DEFAULT */
	const char *token_file;	 /* serve; NULL: none */
	const char *pid_file;	 /* serve; NULL: none */
	const char *state_dir;	 /* serve; NULL: STATE_DIRECTORY's, or none */
	const char *config_path; /* serve; NULL: CONFIG_DEFAULT */
	bool quiet, verbose;
	enum diag_level log_level; /* whichever way it was given */
	enum link_kind force_link;

	char **words;	       /* what -c was split into */
	struct config *config; /* NULL: there is no file */
	int argc;	       /* what was parsed, to do it again */
	char **argv;
};

/*
 * EXIT_CODE_OK, or EXIT_CODE_USAGE and one line in `error` that says what is
 * wrong. Strings in `o` point into argv, which must outlive it, or are its own.
 * In every case release with
 * options_free.
 */
enum exit_code options_parse(struct options *o, int argc, char **argv,
			     char *error, size_t error_size);
void options_free(struct options *o);

#endif
