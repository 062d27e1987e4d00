/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/writer.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/leb128.h"
#include "base/replace.h"
#include "capture/names_writer.h"
#include "capture/record.h"
#include "capture/stacks.h"
#include "capture/thin.h"

/* Twice the points of a series (profile/series.h): more would not be seen, and
 * all have to be read. Half as many again are written before they are thinned.
 */
#define SNAPSHOTS_KEPT	96
#define SNAPSHOTS_LEAST 16
#define FILE_BYTES_MAX	(64ll << 20)

struct capture_writer {
	char *path;
	FILE *out;
	struct capture_stacks stacks;
	struct names_writer names;
	uint32_t *added; /* ids in the snapshot to come */
	size_t added_count, added_capacity;
	struct text definitions, changes, payload;
	size_t snapshots, snapshots_max;
};

/* ---- The file ---------------------------------------------------------------
 */

/* A new file in the place of `path`, once `fill` has written to it. */
static int replace_by(struct capture_writer *w,
		      int (*fill)(struct capture_writer *w, FILE *out,
				  void *context),
		      void *context)
{
	char name[PATH_MAX];
	int fd = replace_create(w->path, name, sizeof(name));
	int err = fd < 0 ? fd : 0;
	FILE *out;

	if (err)
		return err;
	out = fdopen(fd, "w+");
	if (!out)
		err = -errno;
	if (err) {
		close(fd);
		unlink(name);
		return err;
	}
	err = fill(w, out, context);
	if (!err && fflush(out))
		err = -errno;
	if (!err && rename(name, w->path))
		err = -errno;
	if (err) {
		fclose(out);
		unlink(name);
		return err;
	}
	if (w->out)
		fclose(w->out);
	w->out = out;
	return 0;
}

static int fill_new(struct capture_writer *w, FILE *out, void *context)
{
	const struct capture_meta *meta = context;
	int err = record_write_head(out);

	leb128_put(&w->payload, meta->started_ns);
	leb128_put(&w->payload, strlen(meta->generator));
	text_add(&w->payload, meta->generator);
	leb128_put(&w->payload, strlen(meta->kernel));
	text_add(&w->payload, meta->kernel);
	return err ? err : record_write(out, CAPTURE_META, &w->payload);
}

int capture_create(const char *path, const struct capture_meta *meta,
		   struct capture_writer **out)
{
	struct capture_writer *w = calloc(1, sizeof(*w));
	int err = w ? names_writer_init(&w->names) : -ENOMEM;

	if (!w)
		return err;
	w->snapshots_max = SNAPSHOTS_KEPT;
	w->path = strdup(path);
	if (!err)
		err = w->path ? replace_by(w, fill_new, (void *)meta) : -ENOMEM;
	if (err) {
		capture_close(w);
		return err;
	}
	*out = w;
	return 0;
}

void capture_forget_objects(struct capture_writer *w, const bool *objects)
{
	names_writer_forget_objects(&w->names, objects);
}

static int flush(struct capture_writer *w)
{
	errno = 0;
	if (!fflush(w->out) && !ferror(w->out))
		return 0;
	return errno ? -errno : -EIO;
}

int capture_process(struct capture_writer *w, size_t number, pid_t pid,
		    const char *comm, const char *command_line,
		    const char *container, const char *pod)
{
	const char *const texts[CAPTURE_PROCESS_TEXTS] = {comm, command_line,
							  container, pod};
	struct text *t = &w->payload;
	int err;

	leb128_put(t, (uint64_t)pid);
	for (size_t i = 0; i < CAPTURE_PROCESS_TEXTS; i++) {
		leb128_put(t, strlen(texts[i]));
		text_add(t, texts[i]);
	}
	leb128_put(t, number);
	err = record_write(w->out, CAPTURE_PROCESS, t);
	return err ? err : flush(w);
}

int capture_close(struct capture_writer *w)
{
	int err = 0;

	if (!w)
		return 0;
	/* On network file systems this says whether the data arrived. */
	errno = 0;
	if (w->out && fclose(w->out))
		err = errno ? -errno : -EIO;
	capture_stacks_free(&w->stacks);
	names_writer_free(&w->names);
	free(w->path);
	free(w->added);
	text_free(&w->definitions);
	text_free(&w->changes);
	text_free(&w->payload);
	free(w);
	return err;
}

/* ---- Stacks
 * ------------------------------------------------------------------ */

static int note_added(struct capture_writer *w, uint32_t id)
{
	if (w->added_count == w->added_capacity) {
		size_t capacity =
			w->added_capacity ? 2 * w->added_capacity : 256;
		uint32_t *added = realloc(w->added, capacity * sizeof(*added));

		if (!added)
			return -ENOMEM;
		w->added = added;
		w->added_capacity = capacity;
	}
	w->added[w->added_count++] = id;
	return 0;
}

/* Whether the id still stands for the stack that it stood for. */
static bool is_same(const struct capture_stack *s, const struct stack_frames *f,
		    const struct stack_stats *stats)
{
	return s && s->stats.index_key == stats->index_key &&
	       s->stats.tgid == stats->tgid &&
	       s->stats.source == stats->source &&
	       (!s->stats.first_alloc_ns ||
		s->stats.first_alloc_ns == stats->first_alloc_ns) &&
	       s->depth == f->depth &&
	       !memcmp(s->frames, f->frames, s->depth * sizeof(s->frames[0]));
}

static uint64_t since(uint64_t ns, uint64_t attached_ns)
{
	return ns > attached_ns ? ns - attached_ns : 0;
}

int capture_add(struct capture_writer *w, uint32_t id,
		const struct stack_frames *f, const struct stack_stats *stats,
		uint64_t attached_ns)
{
	static const struct stack_frames none;
	struct stack_stats now = *stats;
	int err = 0;

	if (!f)
		f = &none;
	now.first_alloc_ns = since(stats->first_alloc_ns, attached_ns);
	now.last_alloc_ns = since(stats->last_alloc_ns, attached_ns);
	now.last_free_ns = since(stats->last_free_ns, attached_ns);
	if (!is_same(capture_stacks_get(&w->stacks, id), f, &now)) {
		err = capture_stacks_define(&w->stacks, id, f, &now);
		if (err)
			return err;
		capture_put_stack(&w->definitions, id, w->stacks.by_id[id]);
	}
	capture_put_change(&w->changes, w->stacks.by_id[id], id, &now);
	return note_added(w, id);
}

/* ---- Names
 * ------------------------------------------------------------------- */

/* Nobody asks for the names of a stack that holds nothing. Of V8's heap it may
 * hold what no full collection has looked at yet. */
static bool wants_names(const struct capture_stack *s)
{
	return !s->named && (s->stats.alloc_bytes > s->stats.freed_bytes ||
			     s->stats.source == STACK_SOURCE_V8_HEAP);
}

/* Those of one process at once. */
static int resolve_process(struct capture_writer *w, const struct names *names,
			   uint32_t tgid)
{
	struct text frames = {0};
	int err = 0;

	for (size_t i = 0; i < w->added_count; i++) {
		const struct capture_stack *s = w->stacks.by_id[w->added[i]];

		if (s->stats.tgid == tgid && wants_names(s))
			text_append(&frames, (const char *)s->frames,
				    s->depth * sizeof(s->frames[0]));
	}
	if (frames.failed)
		err = -ENOMEM;
	else if (frames.size)
		err = names->resolve(names->context, tgid,
				     (const uint64_t *)(void *)frames.data,
				     frames.size / sizeof(uint64_t));
	text_free(&frames);
	return err;
}

static int add_names(struct capture_writer *w, const struct names *names)
{
	uint32_t resolved = 0; /* no process has this id */
	int err = 0;

	for (size_t i = 0; i < w->added_count && !err; i++) {
		struct capture_stack *s = w->stacks.by_id[w->added[i]];

		if (!wants_names(s))
			continue;
		if (s->stats.tgid != resolved) {
			resolved = s->stats.tgid;
			err = resolve_process(w, names, resolved);
		}
		s->named =
			names_writer_add(&w->names, names, s->frames, s->depth);
	}
	return err;
}

/* ---- Snapshots
 * ---------------------------------------------------------------- */

static int write_records(struct capture_writer *w)
{
	int err = names_writer_flush(&w->names, w->out);

	if (!err)
		err = record_write(w->out, CAPTURE_STACKS, &w->definitions);
	if (!err)
		err = record_write(w->out, CAPTURE_SNAPSHOT, &w->payload);
	return err ? err : flush(w);
}

static int fill_thinned(struct capture_writer *w, FILE *out, void *context)
{
	if (fseeko(w->out, 0, SEEK_SET))
		return -errno;
	return thin_copy(w->out, out, w->snapshots_max, context);
}

/* The new file knows only stacks that stand in a snapshot that was kept. */
static void forget_gone(struct capture_stacks *s)
{
	for (uint32_t id = 0; id < s->limit; id++) {
		if (!s->by_id[id] || s->by_id[id]->live)
			continue;
		free(s->by_id[id]);
		s->by_id[id] = NULL;
	}
}

/* The new file goes on from the same last snapshot. That there is no room for
 * a copy just now is no reason to stop. */
static int thin(struct capture_writer *w)
{
	struct thinned made = {0};
	int err = replace_by(w, fill_thinned, &made);

	if (err) {
		diag_warn("cannot thin the capture: %s", strerror(-err));
		w->snapshots = w->snapshots_max + 1;
	} else {
		w->snapshots = made.snapshots;
		names_writer_replace(&w->names, &made.names);
		forget_gone(&w->stacks);
	}
	names_writer_free(&made.names);
	if (fseeko(w->out, 0, SEEK_END))
		return -errno;
	if (!err && ftello(w->out) > FILE_BYTES_MAX / 2 &&
	    w->snapshots_max > SNAPSHOTS_LEAST)
		w->snapshots_max /= 2;
	return 0;
}

int capture_end(struct capture_writer *w, const struct capture_snapshot *s,
		const struct names *names)
{
	struct text figures = {0};
	struct codec c = {.out = &figures};
	int err = add_names(w, names);

	code_snapshot(&c, (struct capture_snapshot *)s);
	leb128_put(&w->payload, figures.size);
	text_append(&w->payload, figures.data, figures.size);
	capture_put_gone(&w->changes, &w->stacks);
	text_append(&w->payload, w->changes.data, w->changes.size);
	w->payload.failed |= figures.failed || w->changes.failed;
	text_clear(&w->changes);
	text_free(&figures);
	if (!err)
		err = write_records(w);
	w->added_count = 0;
	w->snapshots++;
	if (!err && (w->snapshots >= w->snapshots_max * 3 / 2 ||
		     (ftello(w->out) > FILE_BYTES_MAX &&
		      w->snapshots > SNAPSHOTS_LEAST)))
		err = thin(w);
	return err;
}
