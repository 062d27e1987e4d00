// SPDX-License-Identifier: GPL-2.0-only
#include "trace/unseen_growth.h"

#include "base/diag.h"
#include "trace/tracer_internal.h"

/* Between two looks; so many must agree. */
#define LOOK_NS 10000000000ULL
#define LOOKS	2
/* Seldom: fewer windows than that in the time, or less of it observed. */
#define SELDOM_WINDOWS 3
#define SELDOM_SHARE   0.01
/* Live samples of a call path that say something of its size. */
#define SAMPLES_TELLING 8
/* Growth between two looks that counts: bytes, and of what is resident. */
#define GROWTH_BYTES (1u << 20)
#define GROWTH_SHARE 0.005

/* Bytes of call paths of which enough is known: a few samples may stand for
 * anything. */
static uint64_t booked(struct tracer *t, pid_t pid)
{
	uint64_t known =
		t->regions ? regions_live_bytes(t->regions, (uint32_t)pid) : 0;
	int64_t sum = 0;

	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++) {
		const struct stack_stats *s = &t->stack_stats[id];

		if (s->tgid != (uint32_t)pid ||
		    s->alloc_samples < s->freed_samples + SAMPLES_TELLING)
			continue;
		for (int i = 0; i < COHORTS; i++)
			sum += s->cohort_bytes[i];
	}
	return known + (sum > 0 ? (uint64_t)sum : 0);
}

static bool is_seldom(const struct window *w, const struct unseen_growth *was,
		      uint64_t passed_ns)
{
	return w->history.opened - was->opened < SELDOM_WINDOWS ||
	       (double)(w->history.observed_ns - was->observed_ns) <
		       SELDOM_SHARE * (double)passed_ns;
}

/* Since the last look. */
static bool grew_unseen(const struct unseen_growth *now,
			const struct unseen_growth *was)
{
	double grown =
		(double)now->resident_bytes - (double)was->resident_bytes;
	double seen = (double)now->booked_bytes - (double)was->booked_bytes;

	return grown >= GROWTH_BYTES &&
	       grown >= GROWTH_SHARE * (double)was->resident_bytes &&
	       seen < grown / 2;
}

static void begin(struct tracer *t, struct tracee *e)
{
	if (pages_follow_beside(t, e)) {
		e->unseen.refused = true;
		return;
	}
	diag_info(
		"process %d: its memory grows, and windows come too seldom to "
		"tell by whom: following the pages it comes to hold, too (see "
		"--growth)",
		(int)e->pid);
}

static void look(struct tracer *t, struct tracee *e, uint64_t now_ns)
{
	const struct window *w = &e->window;
	struct unseen_growth was = e->unseen, *now = &e->unseen;
	struct process_memory memory;

	if (now_ns - was.looked_ns < LOOK_NS ||
	    process_memory(e->process, &memory))
		return;
	now->looked_ns = now_ns;
	now->resident_bytes = memory.rss_anon_bytes;
	now->booked_bytes = booked(t, e->pid);
	now->opened = w->history.opened;
	now->observed_ns = w->history.observed_ns;
	if (was.looked_ns && is_seldom(w, &was, now_ns - was.looked_ns) &&
	    grew_unseen(now, &was))
		now->looks++;
	else
		now->looks = 0;
	if (now->looks >= LOOKS)
		begin(t, e);
}

void unseen_growth_follow(struct tracer *t, uint64_t now_ns)
{
	if (t->options.growth == GROWTH_NEVER)
		return;
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];

		if (!e->alive || e->owner != e->pid || !e->process ||
		    e->pages || e->pages_beside || e->unseen.refused)
			continue;
		if (e->window.now.state == WINDOW_ALWAYS)
			e->unseen = (struct unseen_growth){0};
		else
			look(t, e, now_ns);
	}
}

size_t unseen_growth_targets(const struct tracer *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->tracee_count; i++)
		count += t->tracees[i]->alive && t->tracees[i]->pages_beside;
	return count;
}
