/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/reload.h"

#include <string.h>

#include "base/diag.h"
#include "cli/config_file.h"

#define ERROR_BYTES 512

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_pids(const struct options *a, const struct options *b)
{
	return a->pid_count == b->pid_count &&
	       (!a->pid_count ||
		!memcmp(a->pids, b->pids, a->pid_count * sizeof(a->pids[0])));
}

static bool same_list(const struct selection_list *a,
		      const struct selection_list *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++)
		if (strcmp(a->list[i], b->list[i]))
			return false;
	return a->count == b->count;
}

static bool same_selection(const struct selection_criteria *a,
			   const struct selection_criteria *b)
{
	return same_list(&a->cgroups, &b->cgroups) &&
	       same_list(&a->containers, &b->containers) &&
	       same_list(&a->pods, &b->pods) &&
	       same_list(&a->comms, &b->comms) && a->all == b->all;
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
	KEEP_NUMBER(memory_maps, "mmap");
	KEEP_NUMBER(no_v8, "no-v8");
	KEEP_NUMBER(no_samplers, "no-samplers");
	KEEP_NUMBER(v8_survived, "v8-survived");
	KEEP_NUMBER(force_link, "link");
	KEEP_TEXT(debuginfod, "debuginfod");
	KEEP_TEXT(listen, "listen");
	KEEP_TEXT(token_file, "token-file");
	KEEP_TEXT(pid_file, "pid-file");
	KEEP_TEXT(state_dir, "state-dir");
#undef KEEP
#undef KEEP_NUMBER
#undef KEEP_TEXT
	if (!same_pids(started, fresh))
		refuse("pid");
	if (!same_selection(&started->selection, &fresh->selection))
		refuse("what is selected (cgroup, container, pod, comm, all)");
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

const struct options *reload_options(struct reload *r, struct output *output)
{
	const struct options *now = r->loaded ? &r->current : r->started;
	char error[ERROR_BYTES];
	struct options fresh;

	if (options_parse(&fresh, now->argc, now->argv, error, sizeof(error)) !=
	    EXIT_CODE_OK) {
		diag_error("reload: %s; nothing is changed", error);
		options_free(&fresh);
		return now;
	}
	if (change_files(now, &fresh, output)) {
		diag_error("reload: nothing is changed");
		options_free(&fresh);
		return now;
	}
	keep_fixed(r->started, &fresh);
	if (r->loaded)
		options_free(&r->current);
	r->current = fresh;
	r->loaded = true;
	diag_set_level(fresh.log_level);
	diag_info("configuration read again%s%s", fresh.config ? ": " : "",
		  fresh.config ? fresh.config->path : "; there is no file");
	return &r->current;
}

void reload_close(struct reload *r)
{
	if (r->loaded)
		options_free(&r->current);
	r->loaded = false;
}
