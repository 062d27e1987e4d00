/* SPDX-License-Identifier: GPL-2.0-only */
/* The value of each option, checked and set. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>

#include "cli/option_values.h"
#include "cli/options_internal.h"
#include "leakbpf/sampling.h"

#define DAY_MS		(24ULL * 3600 * 1000)
#define PID_LIMIT	(4ULL << 20) /* PID_MAX_LIMIT, include/linux/threads.h */
#define MEMORY_LEAST	(1ULL << 20)
#define MEMORY_MOST	(64ULL << 30)
#define BLOCK_SIZE_MOST (1ULL << 47)
#define TOP_MOST	100000
#define SURVIVED_MOST	16
#define CRITERIA_MOST	64
#define OVERHEAD_MOST	1e5 /* per cent: a thousand CPUs */

enum exit_code wrong(struct parser *p, const char *format, ...)
{
	va_list arguments;

	int used = snprintf(p->error, p->error_size, "%s", p->place);

	if (used < 0 || (size_t)used >= p->error_size)
		return EXIT_CODE_USAGE;
	va_start(arguments, format);
	vsnprintf(p->error + used, p->error_size - (size_t)used, format,
		  arguments);
	va_end(arguments);
	return EXIT_CODE_USAGE;
}

/* ---- Values -------------------------------------------------------------- */

static enum exit_code add_pid(struct parser *p, uint64_t pid)
{
	struct options *o = p->options;
	pid_t *list;

	if (pid == (uint64_t)getpid())
		return wrong(p, "-p %d is leakbpf itself: give another process",
			     getpid());
	for (size_t i = 0; i < o->pid_count; i++)
		if (o->pids[i] == (pid_t)pid)
			return EXIT_CODE_OK;
	if (o->pid_count == TARGETS_MAX)
		return wrong(p, "too many processes: at most %d at once",
			     TARGETS_MAX);
	list = realloc(o->pids, (o->pid_count + 1) * sizeof(*list));
	if (!list)
		return wrong(p, "out of memory");
	o->pids = list;
	o->pids[o->pid_count++] = (pid_t)pid;
	return EXIT_CODE_OK;
}

/* "12" or "12,13,14" */
static enum exit_code parse_pids(struct parser *p, const char *text)
{
	const char *at = text;

	for (;;) {
		size_t size = strcspn(at, ",");
		enum exit_code code;
		char number[16];
		uint64_t pid;

		snprintf(number, sizeof(number), "%.*s",
			 size < sizeof(number) ? (int)size : 15, at);
		if (size >= sizeof(number) ||
		    !value_count(number, 1, PID_LIMIT, &pid))
			return wrong(p,
				     "-p '%s': not a process id (a number "
				     "from 1 to %llu; several with commas)",
				     text, PID_LIMIT);
		code = add_pid(p, pid);
		if (code != EXIT_CODE_OK)
			return code;
		if (!at[size])
			return EXIT_CODE_OK;
		at += size + 1;
	}
}

static enum exit_code parse_seconds(struct parser *p, const char *name,
				    const char *text, uint64_t least_ms,
				    uint64_t most_ms, uint64_t *out)
{
	if (value_seconds(text, least_ms, most_ms, out))
		return EXIT_CODE_OK;
	return wrong(p,
		     "%s '%s': not a time in seconds (%g to %llu; 90, 2.5, "
		     "5m, 1h)",
		     name, text, (double)least_ms / 1000,
		     (unsigned long long)(most_ms / 1000));
}

static enum exit_code parse_size(struct parser *p, const char *name,
				 const char *text, uint64_t least,
				 uint64_t most, const char *range,
				 uint64_t *out)
{
	if (value_size(text, least, most, out))
		return EXIT_CODE_OK;
	return wrong(p,
		     "%s '%s': not a size in bytes (%s; K, M, G for powers "
		     "of 1024)",
		     name, text, range);
}

static enum exit_code parse_sample_bytes(struct parser *p, const char *text)
{
	struct options *o = p->options;
	enum exit_code code =
		parse_size(p, "--sample-bytes", text, 0, SAMPLING_INTERVAL_MAX,
			   "0 for every block, to 64M", &o->sample_bytes);

	o->growth_sample_bytes = o->sample_bytes;
	return code;
}

static enum exit_code parse_command(struct parser *p, const char *text)
{
	struct options *o = p->options;
	int err;

	if (o->words)
		return wrong(p, "-c can be given once only");
	err = split_words(text, &o->words);
	if (err == -EINVAL)
		return wrong(p, "-c '%s': %s", text,
			     text[strspn(text, " \t\n")]
				     ? "no command, or a quotation that does "
				       "not end"
				     : "the command is empty");
	if (err)
		return wrong(p, "out of memory");
	o->command = o->words;
	return EXIT_CODE_OK;
}

/* "2" or "2,10": of each target, and of all. */
static enum exit_code parse_max_overhead(struct parser *p, const char *text)
{
	struct options *o = p->options;
	const char *at = text;
	bool valid = value_percent(&at, OVERHEAD_MOST, &o->max_overhead);

	o->max_overhead_total = MAX_OVERHEAD_TOTAL_DEFAULT;
	if (!(o->max_overhead > 0))
		o->max_overhead_total = 0;
	else if (o->max_overhead_total < o->max_overhead)
		o->max_overhead_total = o->max_overhead;
	if (valid && *at == ',') {
		at++;
		valid = value_percent(&at, OVERHEAD_MOST,
				      &o->max_overhead_total);
	}
	if (valid && !*at)
		return EXIT_CODE_OK;
	return wrong(p,
		     "--max-overhead '%s': not a share of a CPU in per cent "
		     "(2, 0.5; 0: without limit), nor two with a comma (of "
		     "each process, of all)",
		     text);
}

static enum exit_code parse_survived(struct parser *p, const char *text)
{
	if (value_count(text, 1, SURVIVED_MOST, &p->options->v8_survived))
		return EXIT_CODE_OK;
	return wrong(p,
		     "--v8-survived '%s': not a number of full collections "
		     "(1 to %d)",
		     text, SURVIVED_MOST);
}

static enum exit_code parse_link(struct parser *p, const char *text)
{
	static const enum link_kind kinds[] = {LINK_SESSION, LINK_MULTI,
					       LINK_PERF};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(text, link_kind_name(kinds[i]))) {
			p->options->force_link = kinds[i];
			return EXIT_CODE_OK;
		}
	}
	return wrong(p, "--link '%s': must be session, multi or perf", text);
}

static enum exit_code parse_log_level(struct parser *p, const char *text)
{
	static const char *const names[] = {
		[DIAG_ERROR] = "error",
		[DIAG_WARN] = "warn",
		[DIAG_INFO] = "info",
		[DIAG_DEBUG] = "debug",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i])) {
			p->options->log_level = (enum diag_level)i;
			return EXIT_CODE_OK;
		}
	}
	return wrong(p, "--log-level '%s': must be error, warn, info or debug",
		     text);
}

static enum exit_code parse_path(struct parser *p, const char *name,
				 const char *text, const char **out)
{
	if (!*text)
		return wrong(p, "%s '': the name is empty", name);
	*out = text;
	return EXIT_CODE_OK;
}

/* Standard output can hold one format only. */
static enum exit_code parse_file(struct parser *p, enum report_format format,
				 const char *path)
{
	struct options *o = p->options;

	if (!*path)
		return wrong(p, "--%s '': the file name is empty",
			     report_format_name(format));
	for (int i = 0; i < REPORT_FORMATS && !strcmp(path, "-"); i++)
		if (i != (int)format && o->files[i] &&
		    !strcmp(o->files[i], "-"))
			return wrong(p,
				     "--%s - and --%s -: standard output takes "
				     "one of them only",
				     report_format_name((enum report_format)i),
				     report_format_name(format));
	o->files[format] = path;
	return EXIT_CODE_OK;
}

static enum exit_code add_criterion(struct parser *p, const char *name,
				    const char *text,
				    struct selection_list *list)
{
	const char **grown;

	if (!*text)
		return wrong(p, "%s '': it is empty", name);
	if (list->count == CRITERIA_MOST)
		return wrong(p, "%s: at most %d of them", name, CRITERIA_MOST);
	grown = realloc(list->list, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return wrong(p, "out of memory");
	list->list = grown;
	list->list[list->count++] = text;
	return EXIT_CODE_OK;
}

static enum exit_code parse_selection(struct parser *p, int option,
				      const char *text)
{
	struct selection_criteria *c = &p->options->selection;

	switch (option) {
	case OPTION_CGROUP:
		return add_criterion(p, "--cgroup", text, &c->cgroups);
	case OPTION_CONTAINER:
		return add_criterion(p, "--container", text, &c->containers);
	case OPTION_POD:
		return add_criterion(p, "--pod", text, &c->pods);
	case OPTION_COMM:
		return add_criterion(p, "--comm", text, &c->comms);
	}
	c->all = true;
	return EXIT_CODE_OK;
}

/* ---- Options ------------------------------------------------------------- */

static enum exit_code parse_number_option(struct parser *p, int option,
					  const char *text)
{
	struct options *o = p->options;

	switch (option) {
	case 'i':
		return parse_seconds(p, "-i", text, 100, DAY_MS,
				     &o->interval_ms);
	case 'd':
		return parse_seconds(p, "-d", text, 100, 366 * DAY_MS,
				     &o->duration_ms);
	case OPTION_OLDER:
		return parse_seconds(p, "--older", text, 0, 366 * DAY_MS,
				     &o->older_ms);
	case OPTION_MIN_SIZE:
		return parse_size(p, "--min-size", text, 0, BLOCK_SIZE_MOST,
				  "0 to 128T", &o->min_size);
	case OPTION_MAX_SIZE:
		return parse_size(p, "--max-size", text, 1, BLOCK_SIZE_MOST,
				  "1 to 128T", &o->max_size);
	case OPTION_SAMPLE_BYTES:
		o->sample_bytes_given = true;
		return parse_sample_bytes(p, text);
	case OPTION_MAX_MEMORY:
		return parse_size(p, "--max-memory", text, MEMORY_LEAST,
				  MEMORY_MOST, "1M to 64G", &o->max_memory);
	}
	if (value_count(text, 0, TOP_MOST, &o->top)) /* -n */
		return EXIT_CODE_OK;
	return wrong(p, "-n '%s': not a number of stacks (0 for all, to %d)",
		     text, TOP_MOST);
}

enum exit_code parse_option(struct parser *p, int option, const char *text)
{
	struct options *o = p->options;

	switch (option) {
	case 'p':
		return parse_pids(p, text);
	case 'c':
		return parse_command(p, text);
	case 'o':
		if (!*text)
			return wrong(p, "-o '': the file name is empty");
		o->capture = text;
		break;
	case 'q':
		o->quiet = true;
		o->log_level = DIAG_WARN;
		break;
	case 'v':
		o->verbose = true;
		o->log_level = DIAG_DEBUG;
		break;
	case OPTION_LOG_LEVEL:
		return parse_log_level(p, text);
	case 'h':
		o->action = ACTION_HELP;
		break;
	case OPTION_VERSION:
		o->action = ACTION_VERSION;
		break;
	case OPTION_EXPLAIN:
		o->action = ACTION_EXPLAIN;
		break;
	case OPTION_LISTEN:
		o->listen = text;
		break;
	case OPTION_TOKEN_FILE:
		o->token_file = text;
		break;
	case OPTION_PID_FILE:
		return parse_path(p, "--pid-file", text, &o->pid_file);
	case OPTION_STATE_DIR:
		return parse_path(p, "--state-dir", text, &o->state_dir);
	case OPTION_CONFIG:
		return parse_path(p, "--config", text, &o->config_path);
	case OPTION_MAX_OVERHEAD:
		return parse_max_overhead(p, text);
	case OPTION_MMAP:
		o->memory_maps = true;
		break;
	case OPTION_GROWTH:
		o->growth = GROWTH_ALWAYS;
		break;
	case OPTION_NO_GROWTH:
		o->growth = GROWTH_NEVER;
		break;
	case OPTION_NO_V8:
		o->no_v8 = true;
		break;
	case OPTION_NO_SOURCE_MAPS:
		o->no_source_maps = true;
		break;
	case OPTION_DEBUGINFOD:
		o->debuginfod = text;
		break;
	case OPTION_NO_SAMPLERS:
		o->no_samplers = true;
		break;
	case OPTION_V8_SURVIVED:
		return parse_survived(p, text);
	case OPTION_FILE ... OPTION_FILE + REPORT_FORMATS - 1:
		return parse_file(p, (enum report_format)(option - OPTION_FILE),
				  text);
	case OPTION_LINK:
		return parse_link(p, text);
	case OPTION_CGROUP ... OPTION_ALL:
		return parse_selection(p, option, text);
	default:
		return parse_number_option(p, option, text);
	}
	return EXIT_CODE_OK;
}
