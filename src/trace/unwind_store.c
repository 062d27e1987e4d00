// SPDX-License-Identifier: GPL-2.0-only
#include "trace/unwind_store.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"

struct stored_object {
	uint32_t rows;
	bool known;
	bool no_room; /* there was none for its rows */
	struct unwind_rules_held rules;
};

struct unwind_store {
	struct unwind_store_maps maps;
	struct unwind_store_stats stats;
	struct unwind_rule_pool pool;
	struct stored_object objects[OBJECTS_MAX];
};

struct unwind_store *unwind_store_new(const struct unwind_store_maps *maps,
				      uint64_t rows_bytes_max)
{
	struct unwind_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->maps = *maps;
	s->stats.rows_bytes_max = rows_bytes_max;
	return s;
}

void unwind_store_free(struct unwind_store *s)
{
	for (uint32_t id = 0; s && id < OBJECTS_MAX; id++)
		unwind_rules_release(&s->pool, &s->objects[id].rules);
	free(s);
}

/* Those that nobody else uses: the others are there. */
static int upload_rules(struct unwind_store *s,
			const struct unwind_rules_held *held)
{
	for (size_t i = 0; i < held->count; i++) {
		uint32_t index = held->numbers[i];

		if (s->pool.uses[index] == 1 &&
		    bpf_map_update_elem(s->maps.rules_fd, &index,
					&s->pool.rules[index], BPF_ANY))
			return -errno;
	}
	return 0;
}

/* Rows are written through a mapping of the new map: no copy, one pass. */
static int upload_rows(struct unwind_store *s, uint32_t object,
		       const struct unwind_table *t)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts,
		    .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	size_t bytes = t->row_count * sizeof(struct unwind_row);
	CLEANUP_CLOSE int fd = -1;
	void *to;

	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "unwind_rows", sizeof(uint32_t),
			    sizeof(struct unwind_row), t->row_count, &opts);
	if (fd < 0)
		return -errno;
	to = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (to == MAP_FAILED)
		return -errno;
	memcpy(to, t->rows, bytes);
	munmap(to, bytes);
	if (bpf_map_update_elem(s->maps.objects_fd, &object, &fd, BPF_ANY))
		return -errno;
	return 0;
}

static int upload(struct unwind_store *s, uint32_t object,
		  const struct unwind_table *t)
{
	struct unwind_rules_held *rules = &s->objects[object].rules;
	int err = unwind_rules_hold(&s->pool, t, rules);

	if (!err)
		err = upload_rules(s, rules);
	if (!err)
		err = upload_rows(s, object, t);
	if (err)
		unwind_rules_release(&s->pool, rules);
	return err;
}

static void count_shortfalls(struct unwind_store *s, const struct object *o,
			     const struct unwind_table *t)
{
	if (!t->fde_count && !o->is_go) /* Go keeps frame pointers */
		s->stats.objects_without_cfi++;
	s->stats.roomless_rows += t->roomless_rows;
	if (t->roomless_rows)
		diag(DIAG_DEBUG,
		     "%s: no room for the unwind rules of %zu places", o->path,
		     t->roomless_rows);
}

static int store_table(struct unwind_store *s, const struct object *o,
		       const struct unwind_table *t)
{
	int err;

	count_shortfalls(s, o, t);
	if (!t->row_count)
		return 0;
	err = upload(s, o->id, t);
	if (err) {
		diag_warn("%s: cannot upload the unwind table: %s; stacks "
			  "through it follow frame pointers",
			  o->path, strerror(-err));
		return err;
	}
	s->objects[o->id].rows = t->row_count;
	s->stats.rows_bytes += t->row_count * sizeof(struct unwind_row);
	return 0;
}

int unwind_store_add(struct unwind_store *s, const struct object *o,
		     const struct unwind_mark *marks, size_t mark_count)
{
	struct stored_object *stored;
	struct unwind_table table = {};
	size_t room;
	int err;

	if (o->id >= OBJECTS_MAX)
		return -EINVAL;
	stored = &s->objects[o->id];
	if (stored->known)
		return 0;
	stored->known = true;
	s->stats.objects++;
	room = (s->stats.rows_bytes_max - s->stats.rows_bytes) /
	       sizeof(struct unwind_row);
	if (o->image_size >= DIAG_PROGRESS_BYTES)
		diag_progress("indexing %s", o->path);
	err = unwind_table_build(o, &s->pool, marks, mark_count, room, &table);
	diag_progress_end();
	if (err) {
		s->stats.objects_refused++;
		stored->no_room = err == -E2BIG;
		diag_warn("%s: no unwind table (%s); stacks through it follow "
			  "frame pointers%s",
			  o->path, strerror(-err),
			  err == -E2BIG ? "; raise --max-memory" : "");
		return 0;
	}
	err = store_table(s, o, &table);
	unwind_table_free(&table);
	return err;
}

/* With the room there is now, those that had none are tried again when another
 * process maps them. */
static void retry_refused(struct unwind_store *s)
{
	for (uint32_t id = 0; id < OBJECTS_MAX; id++) {
		struct stored_object *stored = &s->objects[id];

		if (!stored->no_room)
			continue;
		*stored = (struct stored_object){0};
		s->stats.objects--;
	}
}

void unwind_store_drop(struct unwind_store *s, uint32_t object)
{
	struct stored_object *stored = &s->objects[object];

	if (object >= OBJECTS_MAX || !stored->known)
		return;
	if (stored->rows) {
		bpf_map_delete_elem(s->maps.objects_fd, &object);
		s->stats.rows_bytes -= stored->rows * sizeof(struct unwind_row);
		unwind_rules_release(&s->pool, &stored->rules);
		retry_refused(s);
	}
	s->stats.objects--;
	*stored = (struct stored_object){0};
}

bool unwind_store_knows(const struct unwind_store *s, uint32_t object)
{
	return object < OBJECTS_MAX && s->objects[object].known;
}

uint32_t unwind_store_rows(const struct unwind_store *s, uint32_t object)
{
	return object < OBJECTS_MAX ? s->objects[object].rows : 0;
}

void unwind_store_stats(const struct unwind_store *s,
			struct unwind_store_stats *out)
{
	*out = s->stats;
	out->rules = (uint32_t)s->pool.used;
}
