/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/reload.h"

#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "cli/config_file.h"
#include "cli/retarget.h"

#define ERROR_BYTES 512

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static void refuse(const char *name)
{
	diag_warn("reload: %s takes effect after a restart", name);
}

/* What was given to the kernel, or done, at the start. */
static void keep_fixed(const struct options *started, struct options *fresh)
{
#define KEEP(member, same, name)                                               \
	do {                                                                   \
		if (!(same))                                                   \
			refuse(name);                                          \
		fresh->member = started->member;                               \
	} while (0)
#define KEEP_NUMBER(member, name)                                              \
	KEEP(member, fresh->member == started->member, name)
#define KEEP_TEXT(member, name)                                                \
	KEEP(member, same_text(fresh->member, started->member), name)

	KEEP_NUMBER(min_size, "min-size");
	KEEP_NUMBER(max_size, "max-size");
	KEEP_NUMBER(sample_bytes, "sample-bytes");
	KEEP_NUMBER(max_memory, "max-memory");
	KEEP_NUMBER(max_overhead, "max-overhead");
	KEEP_NUMBER(growth, "growth");
	KEEP_NUMBER(memory_maps, "mmap");
	KEEP_NUMBER(no_v8, "no-v8");
	KEEP_NUMBER(no_source_maps, "no-source-maps");
	KEEP_NUMBER(no_samplers, "no-samplers");
	KEEP_NUMBER(v8_survived, "v8-survived");
	KEEP_NUMBER(force_link, "link");
	KEEP_TEXT(debuginfod, "debuginfod");
	KEEP_TEXT(listen, "listen");
	KEEP_TEXT(token_file, "token-file");
	KEEP_TEXT(pid_file, "pid-file");
	KEEP_TEXT(state_dir, "state-dir");
	fresh->max_overhead_total = started->max_overhead_total;
	fresh->growth_sample_bytes = started->growth_sample_bytes;
#undef KEEP
#undef KEEP_NUMBER
#undef KEEP_TEXT
}

static bool same_files(const struct options *a, const struct options *b)
{
	for (int i = 0; i < REPORT_FORMATS; i++)
		if (!same_text(a->files[i], b->files[i]))
			return false;
	return true;
}

/* Descriptors of pipes are kept: they are written at the end. */
static int change_files(const struct options *now, const struct options *fresh,
			struct output *output)
{
	struct output changed;
	int err;

	if (same_files(now, fresh)) {
		for (int i = 0; i < REPORT_FORMATS; i++)
			output->files[i].path = fresh->files[i];
		return 0;
	}
	err = output_open(&changed, fresh->files, fresh->quiet);
	if (err) {
		output_close(&changed);
		return err;
	}
	changed.text = output->text;
	output_close(output);
	*output = changed;
	return 0;
}

static void free_options(struct options *o)
{
	if (o)
		options_free(o);
	free(o);
}

static int apply(struct reload *r, struct options *fresh,
		 struct reporting *reporting)
{
	struct retarget targets;
	int err = retarget_prepare(&targets, fresh, reporting);

	if (err)
		return err;
	err = change_files(reporting->options, fresh, reporting->output);
	if (err) {
		retarget_cancel(&targets);
		return err;
	}
	keep_fixed(r->started, fresh);
	retarget_apply(&targets, fresh, reporting);
	return 0;
}

void reload_options(struct reload *r, struct reporting *reporting)
{
	const struct options *now = reporting->options;
	struct options *fresh = calloc(1, sizeof(*fresh));
	char error[ERROR_BYTES] = "out of memory";

	if (!fresh || options_parse(fresh, now->argc, now->argv, error,
				    sizeof(error)) != EXIT_CODE_OK) {
		diag_error("reload: %s; nothing is changed", error);
	} else if (apply(r, fresh, reporting)) {
		diag_error("reload: nothing is changed");
	} else {
		reload_close(r);
		r->current = fresh;
		reporting->options = fresh;
		diag_set_level(fresh->log_level);
		diag_info("configuration read again%s%s",
			  fresh->config ? ": " : "",
			  fresh->config ? fresh->config->path
					: "; there is no file");
		return;
	}
	free_options(fresh);
}

void reload_close(struct reload *r)
{
	free_options(r->current);
	r->current = NULL;
}
