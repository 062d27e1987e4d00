// SPDX-License-Identifier: GPL-2.0-only
/* Whether probes are shared; how: shared_parts.c. */
#include "trace/sharing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "trace/bystanders.h"
#include "trace/shared_parts.h"
#include "trace/tracer_internal.h"

/* Calls that began at probes that are no longer needed return within this time,
 * or are counted as lost. */
#define RETURNS_NS 200000000ULL
#define REVIEW_NS  5000000000ULL
#define RETRY_NS   60000000000ULL
/* Counting those that map a file reads the maps of many processes: it may take
 * that part of the time. */
#define COUNT_PART 200
/* Hits of processes that are not traced: that many a second do no harm. */
#define BYSTANDER_RATE 5000

static bool possible(const struct tracer *t)
{
	return t->link == LINK_SESSION &&
	       !t->features.return_probe_kills_seccomp;
}

static size_t users(const struct tracer *t, const struct object *o, bool throws)
{
	size_t n = 0;

	for (size_t i = 0; i < t->tracee_count; i++)
		n += sharing_has(t->tracees[i], o, throws);
	return n;
}

/* Tracees but `e` whose probes on functions that may throw the kernel would run
 * through in `o`, too. */
static size_t throwing_users(const struct tracer *t, const struct tracee *e,
			     const struct object *o)
{
	size_t n = 0;

	for (size_t i = 0; i < t->tracee_count; i++) {
		const struct tracee *other = t->tracees[i];
		bool found = false;

		for (size_t s = 0; !found && s < other->probes.count; s++)
			found = other->probes.list[s].throws &&
				bystanders_same_file(
					other->probes.list[s].object, o);
		n += found && other != e && other->alive;
	}
	return n;
}

/* ---- Deciding -------------------------------------------------------------
 */

/* `times` as many as when sharing begins. */
static bool few_bystanders(struct tracer *t, const struct object *o,
			   size_t tracees, size_t times)
{
	struct mapping_processes found =
		bystanders_count(t, o, t->plan.targets);

	return found.bystanders * SHARING_BYSTANDERS <=
	       times * (tracees + found.coming);
}

static void try_to_share(struct tracer *t, const struct object *o, bool throws,
			 size_t tracees)
{
	int err;

	if (!few_bystanders(t, o, tracees, 1)) {
		diag_debug("%s: other processes map it, too: its probes are "
			   "not shared",
			   o->path);
		return;
	}
	err = shared_part_begin(t, o, throws);
	if (err)
		diag_warn("%s: cannot share its probes: %s", o->path,
			  strerror(-err));
	else
		diag_debug("%s: %zu processes share its probes%s", o->path,
			   tracees, throws ? " on functions that throw" : "");
}

/* Of all objects that are the same file to the kernel. */
static void share_throwing(struct tracer *t, const struct tracee *e,
			   const struct object *o)
{
	size_t others = throwing_users(t, e, o);

	if (!others)
		return;
	for (size_t i = 0; i < t->tracee_count; i++) {
		const struct tracee *other = t->tracees[i];

		for (size_t s = 0; s < other->probes.count; s++) {
			const struct probe_set *set = &other->probes.list[s];

			if (set->throws && other->alive &&
			    bystanders_same_file(set->object, o) &&
			    !shared_part_find(t, set->object, true))
				try_to_share(t, set->object, true, others + 1);
		}
	}
	if (!shared_part_find(t, o, true))
		try_to_share(t, o, true, others + 1);
}

static bool is_due(struct tracer *t, const struct object *o, size_t tracees)
{
	uint32_t *tried = &t->sharing.tried[o->id];

	if (tracees < SHARING_LEAST || shared_part_find(t, o, false) ||
	    tracees < 2 * (size_t)*tried)
		return false;
	*tried = (uint32_t)tracees;
	return true;
}

void sharing_prepare(struct tracer *t, struct tracee *e, const struct object *o)
{
	size_t tracees;

	if (!possible(t) || !sharing_eligible(e))
		return;
	tracees = users(t, o, false) + 1;
	if (is_due(t, o, tracees))
		try_to_share(t, o, false, tracees);
	if (!shared_part_in_use(t, o, true))
		share_throwing(t, e, o);
}

bool sharing_may_throw(struct tracer *t, const struct tracee *e,
		       const struct object *o)
{
	return shared_part_in_use(t, o, true) || !throwing_users(t, e, o);
}

/* ---- Looking after it -----------------------------------------------------
 */

static uint64_t shared_hits(const struct tracer *t)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < t->sites.count; i++)
		if (t->sites.list[i].shared)
			sum += site_hits(t, i);
	return sum;
}

/* Of those who have come since the last review much will have been hits of
 * bystanders, which they were before: nothing can be told. */
static bool many_have_come(struct tracer *t)
{
	size_t before = t->sharing.members, now = 0;

	for (size_t i = 0; i < t->tracee_count; i++)
		now += t->tracees[i]->alive && t->tracees[i]->shared;
	t->sharing.members = now;
	return now > before + before / SHARING_BYSTANDERS;
}

/* They pay much. */
static bool bystanders_busy(struct tracer *t, uint64_t passed_ns)
{
	struct sharing *s = &t->sharing;
	uint64_t hits = tracer_counter(t, COUNTER_BYSTANDERS);
	uint64_t members = shared_hits(t);
	uint64_t more = hits - s->bystander_hits;
	uint64_t theirs =
		members > s->member_hits ? members - s->member_hits : 0;

	s->bystander_hits = hits;
	s->member_hits = members;
	return !many_have_come(t) &&
	       more > BYSTANDER_RATE * (passed_ns / 1000000000) &&
	       more > 2 * theirs / SHARING_BYSTANDERS;
}

/* Too few to share, or others pay too much for it; of very many processes not
 * all could have links of their own. */
static void review_part(struct tracer *t, struct shared_part *p, bool busy,
			bool count)
{
	size_t tracees = p->throws ? throwing_users(t, NULL, p->object)
				   : users(t, p->object, false);
	bool few = tracees < (p->throws ? 2 : SHARING_LEAST);

	if (!few && (p->throws || tracees > SITE_USERS_MAX))
		return;
	if (!few && !busy &&
	    (!count || few_bystanders(t, p->object, tracees, 2)))
		return;
	t->sharing.tried[p->object->id] = (uint32_t)tracees;
	diag_debug("%s: %zu process%s no probes any more", p->object->path,
		   tracees, tracees == 1 ? " shares" : "es share");
	shared_part_end(t, p);
}

static void review(struct tracer *t, uint64_t passed_ns)
{
	uint64_t begun_ns = monotonic_ns(), took_ns;
	bool busy = bystanders_busy(t, passed_ns);
	/* An open window must come to its end in time. */
	bool count = begun_ns >= t->sharing.count_ns && !windows_open(t);

	for (size_t i = 0; i < PROBES_SHARED_MAX; i++)
		if (t->sharing.parts[i].object && !t->sharing.parts[i].over_ns)
			review_part(t, &t->sharing.parts[i], busy, count);
	took_ns = monotonic_ns() - begun_ns;
	if (count)
		t->sharing.count_ns = begun_ns + COUNT_PART * took_ns;
}

/* Those that were in the way may have ended. */
static void retry(struct tracer *t)
{
	const struct object *last = NULL;

	for (size_t i = 0; i < t->sites.count; i++) {
		const struct site *s = &t->sites.list[i];

		if (s->users < SHARING_LEAST || s->object == last)
			continue;
		last = s->object;
		if (!shared_part_find(t, last, false) &&
		    users(t, last, false) >= SHARING_LEAST)
			try_to_share(t, last, false, users(t, last, false));
	}
}

static void look_again(struct tracer *t, uint64_t now_ns)
{
	struct sharing *s = &t->sharing;

	if (s->all->alive && now_ns - s->reviewed_ns >= REVIEW_NS) {
		review(t, now_ns - s->reviewed_ns);
		s->reviewed_ns = monotonic_ns();
	}
	if (possible(t) && now_ns - s->retried_ns >= RETRY_NS) {
		retry(t);
		s->retried_ns = monotonic_ns();
	}
}

void sharing_follow(struct tracer *t, uint64_t now_ns)
{
	struct sharing *s = &t->sharing;
	struct probe_links links = {0};

	if (s->leaving.count && now_ns - s->leaving_ns >= RETURNS_NS)
		closer_take(&t->closer, &s->leaving);
	for (size_t i = 0; i < PROBES_SHARED_MAX; i++)
		if (s->parts[i].over_ns &&
		    now_ns - s->parts[i].over_ns >= RETURNS_NS)
			shared_part_remove(t, &s->parts[i], &links);
	closer_take(&t->closer, &links);
	look_again(t, now_ns);
}

struct tracee *sharing_account(struct tracer *t, struct tracee *e)
{
	struct tracee *owner =
		e->owner == e->pid ? e : tracee_find(t, e->owner);

	return owner && owner->shared ? t->sharing.all : owner;
}

/* ---- Life -----------------------------------------------------------------
 */

int sharing_init(struct tracer *t)
{
	struct tracee *all = calloc(1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	all->meter = 1; /* has some: its members' */
	probe_sets_init(&all->probes);
	t->sharing.all = all;
	t->sharing.reviewed_ns = t->sharing.retried_ns = monotonic_ns();
	return 0;
}

void sharing_free(struct tracer *t)
{
	struct sharing *s = &t->sharing;

	if (!s->all)
		return;
	probe_sets_release(&s->all->probes, &s->leaving);
	closer_take(&t->closer, &s->leaving);
	free(s->all);
}
