// SPDX-License-Identifier: GPL-2.0-only
#include "profile/merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/stack_sum.h"

/* Stacks of the kernel that mean the same; `frames` are those of the first. */
struct group {
	uint32_t id;
	uint64_t number; /* ids are used again, this is not */
	bool known;	 /* all frames mean themselves for good */
	uint32_t members;
	uint64_t key;
	uint64_t first_alloc_ns; /* as it was at first: it names the stack */
	struct stack_flow
		gone; /* of stacks that the kernel has dropped: all freed */
	struct stack_stats sum;
	struct stack_frames frames;
};

/* A stack of the kernel, by its id. */
struct member {
	struct group *group; /* NULL: none, or not of our kind */
	uint64_t index_key, first_alloc_ns;
	struct stack_flow allocated;
	bool seen;
};

struct stack_merge {
	struct frame_meaning meaning;
	struct profile *profile;
	stack_sink_fn sink;
	void *context;
	struct group **groups;
	size_t count, capacity;
	struct group **table; /* by key: open addressing, at most half full */
	size_t table_capacity;
	struct member *members;
	size_t member_count;
	uint32_t *free_ids; /* as many as were ever given out */
	size_t free_count, ids;
	uint64_t numbers;
};

struct stack_merge *stack_merge_new(const struct frame_meaning *meaning)
{
	struct stack_merge *m = calloc(1, sizeof(*m));

	if (m)
		m->meaning = *meaning;
	return m;
}

void stack_merge_free(struct stack_merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		free(m->groups[i]);
	free(m->groups);
	free(m->table);
	free(m->members);
	free(m->free_ids);
	free(m);
}

/* ---- Groups ------------------------------------------------------------- */

static bool group_is(const struct stack_merge *m, const struct group *g,
		     uint64_t key, const struct stack_frames *f,
		     const struct stack_stats *stats)
{
	return g->key == key && g->sum.tgid == stats->tgid &&
	       g->sum.source == stats->source && g->frames.end == f->end &&
	       meaning_is_same(&m->meaning, &g->frames, f, stats->source);
}

/* The group of these frames, or the free place for it. */
static struct group **find_group(const struct stack_merge *m, uint64_t key,
				 const struct stack_frames *f,
				 const struct stack_stats *stats)
{
	size_t i = key & (m->table_capacity - 1);

	while (m->table[i] && !group_is(m, m->table[i], key, f, stats))
		i = (i + 1) & (m->table_capacity - 1);
	return &m->table[i];
}

static struct group **place_of(const struct stack_merge *m,
			       const struct group *g)
{
	return find_group(m, g->key, &g->frames, &g->sum);
}

static int grow(struct stack_merge *m)
{
	size_t capacity = m->capacity ? 2 * m->capacity : 256;
	struct group **groups, **table;

	if (m->count < m->capacity)
		return 0;
	groups = realloc(m->groups, capacity * sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	m->groups = groups;
	table = calloc(2 * capacity, sizeof(*table));
	if (!table)
		return -ENOMEM;
	free(m->table);
	m->table = table;
	m->capacity = capacity;
	m->table_capacity = 2 * capacity;
	for (size_t i = 0; i < m->count; i++)
		*place_of(m, m->groups[i]) = m->groups[i];
	return 0;
}

/* 0: none is left, or no memory. */
static uint32_t take_id(struct stack_merge *m)
{
	uint32_t *list;

	if (m->free_count)
		return m->free_ids[--m->free_count];
	if (m->ids >= STACK_ID_MERGED_END - STACK_ID_MERGED)
		return 0;
	list = realloc(m->free_ids, (m->ids + 1) * sizeof(*list));
	if (!list)
		return 0;
	m->free_ids = list;
	return STACK_ID_MERGED + (uint32_t)m->ids++;
}

static void group_free(struct stack_merge *m, struct group *g)
{
	m->free_ids[m->free_count++] = g->id;
	free(g);
}

static struct group *group_new(struct stack_merge *m,
			       const struct stack_stats *stats)
{
	struct group *g = grow(m) ? NULL : calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->id = take_id(m);
	if (!g->id) {
		free(g);
		return NULL;
	}
	g->number = ++m->numbers;
	g->first_alloc_ns = stats->first_alloc_ns;
	g->sum.tgid = stats->tgid;
	g->sum.source = stats->source;
	m->groups[m->count++] = g;
	return g;
}

static struct group *group_of(struct stack_merge *m,
			      const struct stack_frames *f,
			      const struct stack_stats *stats)
{
	struct stack_frames frames;
	bool known = meaning_expand(&m->meaning, f, &frames);
	uint64_t key = meaning_key(&m->meaning, &frames, stats);
	struct group **place, *g;

	if (m->table && *(place = find_group(m, key, &frames, stats)))
		return *place;
	g = group_new(m, stats);
	if (!g)
		return NULL;
	g->frames = frames;
	g->known = known;
	g->key = key;
	*place_of(m, g) = g;
	return g;
}

/* `from` has turned out to mean the same as `into`. */
static void absorb(struct stack_merge *m, struct group *into,
		   struct group *from)
{
	profile_absorb(m->profile, into->id, from->id);
	stack_flow_add(&into->gone, &from->gone);
	for (size_t i = 0; i < m->member_count; i++)
		if (m->members[i].group == from)
			m->members[i].group = into;
}

/* True: its frames are others now. */
static bool relearn(const struct stack_merge *m, struct group *g)
{
	struct stack_frames before = g->frames;

	g->known = meaning_expand(&m->meaning, &before, &g->frames);
	g->key = meaning_key(&m->meaning, &g->frames, &g->sum);
	return memcmp(&before, &g->frames, sizeof(before)) != 0;
}

/* More is known of some frames: those groups may have become one. */
static void learn(struct stack_merge *m)
{
	size_t kept = 0;

	if (!m->table)
		return;
	memset(m->table, 0, m->table_capacity * sizeof(m->table[0]));
	for (size_t i = 0; i < m->count; i++) {
		struct group *g = m->groups[i], **place;
		bool changed = !g->known && relearn(m, g);

		place = place_of(m, g);
		if (*place) {
			absorb(m, *place, g);
			group_free(m, g);
			continue;
		}
		if (changed)
			profile_reframe(m->profile, g->id, &g->frames);
		*place = g;
		m->groups[kept++] = g;
	}
	m->count = kept;
}

/* ---- Members ------------------------------------------------------------ */

/* The kernel has dropped it: what it had allocated is freed. */
static void retire(struct member *member)
{
	if (member->group)
		stack_flow_add(&member->group->gone, &member->allocated);
	*member = (struct member){0};
}

static int reach_member(struct stack_merge *m, uint32_t id)
{
	size_t count = m->member_count ? m->member_count : 1024;
	struct member *members;

	if (id < m->member_count)
		return 0;
	while (count <= id)
		count *= 2;
	members = realloc(m->members, count * sizeof(*members));
	if (!members)
		return -ENOMEM;
	memset(members + m->member_count, 0,
	       (count - m->member_count) * sizeof(*members));
	m->members = members;
	m->member_count = count;
	return 0;
}

/* ---- A snapshot --------------------------------------------------------- */

void stack_merge_begin(struct stack_merge *m, struct profile *p,
		       stack_sink_fn sink, void *context)
{
	m->profile = p;
	m->sink = sink;
	m->context = context;
	learn(m);
	for (size_t i = 0; i < m->count; i++) {
		struct group *g = m->groups[i];

		g->members = 0;
		g->sum = (struct stack_stats){
			.tgid = g->sum.tgid,
			.source = g->sum.source,
		};
	}
	for (size_t i = 0; i < m->member_count; i++)
		m->members[i].seen = false;
}

int stack_merge_add(struct stack_merge *m, uint32_t id,
		    const struct stack_frames *f,
		    const struct stack_stats *stats)
{
	struct member *member;

	if (!f || !meaning_is_needed(f))
		return m->sink(m->context, id, f, stats);
	if (reach_member(m, id))
		return -ENOMEM;
	member = &m->members[id];
	if (member->group && (member->index_key != stats->index_key ||
			      member->first_alloc_ns != stats->first_alloc_ns))
		retire(member);
	if (!member->group)
		member->group = group_of(m, f, stats);
	if (!member->group)
		return -ENOMEM;
	member->index_key = stats->index_key;
	member->first_alloc_ns = stats->first_alloc_ns;
	member->allocated = (struct stack_flow){
		.samples = stats->alloc_samples,
		.bytes = stats->alloc_bytes,
		.objects_q8 = stats->alloc_objects_q8,
	};
	member->seen = true;
	member->group->members++;
	stack_stats_add(&member->group->sum, stats);
	return 0;
}

static int emit(const struct stack_merge *m, const struct group *g)
{
	struct stack_stats sum = g->sum;

	stack_stats_add_gone(&sum, &g->gone);
	sum.first_alloc_ns = g->first_alloc_ns;
	sum.index_key = g->number;
	return m->sink(m->context, g->id, &g->frames, &sum);
}

/* Groups whose stacks are all gone hold nothing; so nothing is lost. */
int stack_merge_end(struct stack_merge *m)
{
	size_t kept = 0;
	int err = 0;

	for (size_t i = 0; i < m->member_count; i++)
		if (m->members[i].group && !m->members[i].seen)
			retire(&m->members[i]);
	for (size_t i = 0; i < m->count; i++) {
		struct group *g = m->groups[i];

		if (!g->members) {
			group_free(m, g);
			continue;
		}
		if (!err)
			err = emit(m, g);
		m->groups[kept++] = g;
	}
	m->count = kept;
	return err;
}

size_t stack_merge_members(const struct stack_merge *m, uint32_t id,
			   uint32_t *out, size_t max)
{
	size_t n = 0;

	if (id < STACK_ID_MERGED) {
		if (max)
			out[n++] = id;
		return n;
	}
	for (size_t i = 0; i < m->member_count && n < max; i++) {
		const struct member *member = &m->members[i];

		if (member->seen && member->group && member->group->id == id)
			out[n++] = (uint32_t)i;
	}
	return n;
}
