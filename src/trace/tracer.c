// SPDX-License-Identifier: GPL-2.0-only
/* Life of a tracer: set up, poll, upkeep, tear down. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "leakbpf/sampling.h"
#include "trace/large_blocks.h"
#include "trace/tracer_internal.h"

#define TICK_NS	     1000000000ULL
#define POLL_STEP_MS 100
/* An observation window lasts no longer. */
#define SETTLE_NS      2000000000ULL
#define SETTLE_STEP_MS 5
/* Unknown addresses ask for a rescan at most this often. */
#define RESCAN_GAP_NS 100000000ULL
/* A program that has just started finds its allocator within this time; later
 * it may still load one, but is looked at less often. */
#define STARTING_NS	    2000000000ULL
#define NO_ALLOCATOR_GAP_NS 1000000000ULL
#define PUBLISHED_PER_TICK  32

/* ---- Setting up --------------------------------------------------------- */

static int init_events(struct tracer *t)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

	t->events = ring_buffer__new(bpf_map__fd(t->skel->maps.events),
				     tracer_handle_event, t, NULL);
	if (!t->events)
		return -errno;
	t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (t->epoll_fd < 0)
		return -errno;
	if (epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD,
		      ring_buffer__epoll_fd(t->events), &ev))
		return -errno;
	return 0;
}

static int init_parts(struct tracer *t)
{
	struct unwind_store_maps maps;
	int err = tracer_load(t);

	if (err)
		return err;
	maps.objects_fd = bpf_map__fd(t->skel->maps.unwind_objects);
	maps.rules_fd = bpf_map__fd(t->skel->maps.unwind_rules);
	range_maps_init(&t->range_maps,
			bpf_map__fd(t->skel->maps.process_ranges));
	t->unwind = unwind_store_new(&maps, t->plan.unwind_rows_bytes);
	if (!t->unwind)
		return -ENOMEM;
	if (t->options.memory_maps) {
		t->regions = regions_new(t->plan.regions);
		if (!t->regions)
			return -ENOMEM;
	}
	err = stack_ids_init(t);
	if (!err)
		err = init_events(t);
	if (!err)
		err = sharing_init(t);
	return err ? err : windows_init(t);
}

int tracer_new(const struct tracer_options *options,
	       const struct kernel_features *features,
	       struct object_registry *objects, struct tracer **out)
{
	struct tracer *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->epoll_fd = -1;
	t->options = *options;
	t->features = *features;
	t->objects = objects;
	t->link = features_best_link(features, options->force_link);
	if (t->link == LINK_NONE) {
		free(t);
		return -ENOTSUP;
	}
	err = memory_plan_make(&t->plan, options->max_memory);
	if (err)
		diag_error("--max-memory is below %llu MiB, too little to work "
			   "with",
			   MEMORY_MIN_BYTES >> 20);
	else
		err = init_parts(t);
	if (err) {
		tracer_free(t);
		return err;
	}
	*out = t;
	return 0;
}

void tracer_free(struct tracer *t)
{
	if (!t)
		return;
	windows_free(t);
	/* All links at once: they take as long as one of them. */
	t->closing = true;
	while (t->tracee_count)
		tracee_remove(t, t->tracees[0]);
	sharing_free(t);
	range_maps_free(&t->range_maps);
	closer_finish(&t->closer);
	free(t->tracees);
	free(t->sites.list);
	allocators_free(&t->allocators);
	free(t->retired_ns);
	free(t->js_frames.queue);
	v8_engines_free(&t->v8_engines);
	ring_buffer__free(t->events);
	if (t->epoll_fd >= 0)
		close(t->epoll_fd);
	late_programs_free(t);
	regions_free(t->regions);
	unwind_store_free(t->unwind);
	tracer_unload(t);
	free(t);
}

/* ---- Upkeep -------------------------------------------------------------- */

/* Two layouts, so that a program never sees one half written. */
static void publish_cohorts(struct tracer *t)
{
	uint32_t next = (t->skel->bss->cohort_active + 1) & 1;

	t->skel->bss->cohort_layouts[next] = t->cohorts.layout;
	__atomic_store_n(&t->skel->bss->cohort_active, next, __ATOMIC_RELEASE);
}

static void merge_cohorts(struct tracer *t, const struct cohort_merge *merge)
{
	for (uint32_t id = 0; id < t->plan.stacks; id++) {
		struct stack_stats *s = &t->stack_stats[id];
		int64_t bytes, objects;

		if (!s->alloc_samples)
			continue;
		bytes = __atomic_exchange_n(&s->cohort_bytes[merge->from], 0,
					    __ATOMIC_RELAXED);
		objects =
			__atomic_exchange_n(&s->cohort_objects_q8[merge->from],
					    0, __ATOMIC_RELAXED);
		__atomic_fetch_add(&s->cohort_bytes[merge->into], bytes,
				   __ATOMIC_RELAXED);
		__atomic_fetch_add(&s->cohort_objects_q8[merge->into], objects,
				   __ATOMIC_RELAXED);
	}
}

static void advance_cohorts(struct tracer *t, uint64_t now_ns)
{
	struct cohort_merge merge;

	if (cohorts_advance(&t->cohorts, now_ns))
		publish_cohorts(t);
	if (cohorts_merge_due(&t->cohorts, now_ns, &merge)) {
		merge_cohorts(t, &merge);
		cohorts_merge_done(&t->cohorts);
	}
}

/* The room for allocations changes: keep the limit for throwing functions
 * current. It is found in several files, so of many tracees some each time. */
static void publish_some(struct tracer *t)
{
	for (size_t i = 0; i < t->tracee_count && i < PUBLISHED_PER_TICK; i++) {
		struct tracee *e =
			t->tracees[t->publish_next++ % t->tracee_count];

		if (!e->alive)
			continue;
		tracee_refresh_limit(e);
		tracee_publish_target(t, e);
	}
}

static void tick(struct tracer *t, uint64_t now_ns)
{
	uint64_t since_ns = t->last_tick_ns ? now_ns - t->last_tick_ns : 0;

	t->last_tick_ns = now_ns;
	advance_cohorts(t, now_ns);
	stack_ids_recycle(t, now_ns);
	publish_some(t);
	for (size_t i = 0; i < t->tracee_count; i++) {
		/* V8 may have set itself up by now. */
		if (t->tracees[i]->alive && t->tracees[i]->v8.engine)
			v8_find(t, t->tracees[i]);
		if (t->tracees[i]->alive)
			v8_heap_follow(t, t->tracees[i]);
		large_blocks_tidy(t, t->tracees[i]);
	}
	js_frames_tidy(t);
	unseen_growth_follow(t, now_ns);
	pages_limit_cost(t, since_ns);
	tracer_refine(t, now_ns);
}

/* Same pid, other program: the old memory and its probes are gone. */
static void restart_tracee(struct tracer *t, struct tracee *e)
{
	diag(e->quiet ? DIAG_DEBUG : DIAG_INFO,
	     "process %d executed a new program: starting over", (int)e->pid);
	e->new_image = false;
	e->image_ns = monotonic_ns();
	probe_sets_clear(&e->probes);
	e->shared = 0;
	tracee_publish_target(t, e);
	e->observed_share = 0;
	e->births_unseen = false;
	e->large_blocks = e->large_blocks_refused = false;
	e->pages_beside = false;
	e->unseen = (struct unseen_growth){0};
	window_start(t, e);
	v8_forget(t, e);
	tracer_purge(t, &e->pid, 1);
	v8_heap_forget(t, e);
	e->go = (struct go_tracking){0};
	e->own_sampler = false;
	if (t->regions)
		regions_drop_process(t->regions, e->pid);
	tracee_forget_probes(t, e);
	e->range_count = 0;
	e->map_epoch = 0;
	e->has_allocator = false;
	e->gave_up = false;
	e->pages = t->options.growth == GROWTH_ALWAYS;
	e->rescan = true;
}

static uint64_t rescan_gap_ns(const struct tracee *e, uint64_t now_ns)
{
	if (e->has_allocator || e->pages)
		return RESCAN_GAP_NS;
	return now_ns - e->image_ns < STARTING_NS ? 0 : NO_ALLOCATOR_GAP_NS;
}

/* False: it may not be probed, for what it has become by exec. */
static bool probe_new_image(struct tracer *t, struct tracee *e)
{
	bool refused;

	e->refusal[0] = '\0';
	refused = !e->has_allocator && tracee_refused(t, e);
	if (!refused)
		tracee_probe_objects(t, e);
	refused |= e->refusal[0] != '\0'; /* Go */
	if (!refused || !tracee_follow_instead(t, e, -ENOTSUP))
		return true;
	tracee_drop(t, e);
	t->changed = true;
	return false;
}

/* It has had the time to load one. */
static void give_up_allocator(struct tracer *t, struct tracee *e)
{
	e->gave_up = true;
	snprintf(e->refusal, sizeof(e->refusal),
		 "no known allocator among its %zu executable mappings",
		 e->range_count);
	tracee_follow_instead(t, e, -ENOENT);
}

static void follow_tracee(struct tracer *t, struct tracee *e, uint64_t now_ns)
{
	int err;

	if (!e->alive)
		return;
	if (e->new_image)
		restart_tracee(t, e);
	/* Until its allocator is found, look at every step: it is starting. */
	if (!e->has_allocator && !e->pages)
		e->rescan = true;
	if (!e->rescan || now_ns - e->rescanned_ns < rescan_gap_ns(e, now_ns))
		return;
	__atomic_store_n(&t->skel->bss->rescan_raised, 0, __ATOMIC_RELEASE);
	err = tracee_scan(t, e);
	if (!e->pages && err > 0 && !probe_new_image(t, e))
		return;
	v8_find(t, e);
	if (e->pages)
		return;
	v8_heap_attach(t, e);
	if (!e->has_allocator && e->process && !e->gave_up &&
	    now_ns - e->image_ns >= STARTING_NS)
		give_up_allocator(t, e);
}

static void step(struct tracer *t)
{
	uint64_t now = monotonic_ns();

	if (t->pressure)
		tracer_relieve_pressure(t);
	for (size_t i = 0; i < t->tracee_count; i++)
		follow_tracee(t, t->tracees[i], now);
	children_follow(t, now);
	sharing_follow(t, now);
	range_maps_flush(&t->range_maps);
	closer_step(&t->closer);
	if (now - t->last_tick_ns >= TICK_NS)
		tick(t, now);
}

/* ---- Polling ---------------------------------------------------------------
 */

static void handle_exit(struct tracer *t, struct tracee *e)
{
	epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL, e->process->pidfd, NULL);
	tracee_drop(t, e);
	t->changed = true;
}

/* While it waits, the keeper of windows may have the lock. */
static int wait_once(struct tracer *t, int timeout_ms)
{
	struct epoll_event events[16];
	int n, err;

	windows_unlock(t);
	n = epoll_wait(t->epoll_fd, events, 16, timeout_ms);
	err = -errno;
	windows_lock(t);
	if (n < 0)
		return err;
	__atomic_store_n(&t->skel->bss->starts_sent, 0, __ATOMIC_RELAXED);
	ring_buffer__consume(t->events);
	js_frames_resolve(t);
	for (int i = 0; i < n; i++)
		if (events[i].data.ptr)
			handle_exit(t, events[i].data.ptr);
	return 0;
}

static int poll_until(struct tracer *t, uint64_t end_ns)
{
	for (;;) {
		uint64_t now = monotonic_ns();
		int left = now < end_ns ? (int)((end_ns - now) / 1000000) : 0;
		int step_ms = left < POLL_STEP_MS ? left : POLL_STEP_MS;
		int err = wait_once(t, step_ms);

		if (err)
			return err;
		step(t);
		if (t->changed)
			return 1;
		if (!left)
			return 0;
	}
}

int tracer_poll(struct tracer *t, int timeout_ms)
{
	uint64_t end = monotonic_ns() + (uint64_t)timeout_ms * 1000000;
	int result;

	t->changed = false;
	windows_lock(t);
	result = poll_until(t, end);
	windows_unlock(t);
	return result;
}

void tracer_settle(struct tracer *t)
{
	uint64_t latest = monotonic_ns() + SETTLE_NS;

	windows_lock(t);
	t->windows.settling = true;
	do {
		wait_once(t, windows_open(t) ? SETTLE_STEP_MS : 0);
		step(t);
	} while (windows_open(t) && monotonic_ns() < latest);
	t->windows.settling = false;
	windows_unlock(t);
}

size_t tracer_alive(const struct tracer *t)
{
	size_t alive = 0;

	for (size_t i = 0; i < t->tracee_count; i++)
		alive += t->tracees[i]->alive && t->tracees[i]->process;
	return alive;
}

bool tracer_traces(const struct tracer *t, pid_t pid)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i]->pid == pid)
			return t->tracees[i]->alive;
	return false;
}

uint64_t tracer_starts_missed(const struct tracer *t)
{
	return t->skel->bss->starts_missed;
}
