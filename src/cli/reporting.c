/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/reporting.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/diag.h"
#include "cli/own_cost.h"
#include "cli/recording.h"
#include "cli/reporting_targets.h"
#include "report/formats.h"

/* Growth is measured over at least this long: over one short interval it would
 * be noise. The final report takes the whole session. */
#define GROWTH_WINDOW_SECONDS 60.0
/* Between two snapshots: a fiftieth of the time watched, within limits. */
#define STEPS_PER_TIME 50
#define STEP_MIN_NS    1000000000ULL
#define STEP_MAX_NS    60000000000ULL

struct adding {
	struct stack_merge *merge;
	struct profile *profile;
	struct capture_writer *capture;
	uint64_t attached_ns;
	int err;
};

static int add_merged(void *context, uint32_t id,
		      const struct stack_frames *frames,
		      const struct stack_stats *stats)
{
	const struct adding *a = context;
	int err = profile_add(a->profile, id, frames, stats);

	if (!err && a->capture)
		err = capture_add(a->capture, id, frames, stats,
				  a->attached_ns);
	return err;
}

static void add_stack(uint32_t id, const struct stack_frames *frames,
		      const struct stack_stats *stats, void *context)
{
	struct adding *a = context;

	if (!a->err)
		a->err = stack_merge_add(a->merge, id, frames, stats);
}

static double window_seconds(const struct reporting *r, bool final)
{
	double interval = (double)r->options->interval_ms / 1000;

	if (final)
		return 0;
	return interval > GROWTH_WINDOW_SECONDS ? interval
						: GROWTH_WINDOW_SECONDS;
}

/* The diagnosis refers to the stacks of its snapshot. */
static void forget_diagnosis(struct reporting *r)
{
	diagnosis_free(r->diagnosis);
	r->diagnosis = NULL;
	r->report.diagnosis = NULL;
}

static int take_snapshot(struct reporting *r, uint64_t now_ns, double window,
			 const struct tracer_status *status)
{
	struct profile_snapshot snapshot = {
		.now_ns = now_ns,
		.attached_ns = r->attached_ns,
		.older_seconds = (double)r->options->older_ms / 1000,
		.window_seconds = window,
		.sampling = status->sampling,
		.cohorts = tracer_cohorts(r->tracer),
		.resident_bytes = targets_resident(r->targets),
	};
	struct adding adding = {
		.merge = r->merge,
		.profile = r->profile,
		.capture = r->capture,
		.attached_ns = r->attached_ns,
	};
	int err;

	/* What the last stacks mean may still be waiting to be asked. */
	tracer_settle(r->tracer);
	err = profile_begin(r->profile, &snapshot);
	if (err)
		return err;
	stack_merge_begin(r->merge, r->profile, add_merged, &adding);
	tracer_each_stack(r->tracer, add_stack, &adding);
	if (!adding.err)
		adding.err = stack_merge_end(r->merge);
	err = profile_end(r->profile);
	r->observed_ns = now_ns;
	return adding.err ? adding.err : err;
}

static int try_snapshot(struct reporting *r, uint64_t now_ns, double window,
			const struct tracer_status *status)
{
	int err = take_snapshot(r, now_ns, window, status);

	if (err)
		diag_error("cannot take a snapshot: %s", strerror(-err));
	return err;
}

uint64_t reporting_due_ns(const struct reporting *r)
{
	uint64_t last = r->observed_ns ? r->observed_ns : r->attached_ns;
	uint64_t step = (last - r->attached_ns) / STEPS_PER_TIME;

	if (step < STEP_MIN_NS)
		step = STEP_MIN_NS;
	return last + (step < STEP_MAX_NS ? step : STEP_MAX_NS);
}

int reporting_observe(struct reporting *r)
{
	struct tracer_status status;

	if (r->capture)
		return reporting_update(r, false);
	forget_diagnosis(r);
	targets_observe(r->targets);
	tracer_status(r->tracer, &status);
	return try_snapshot(r, monotonic_ns(), window_seconds(r, false),
			    &status);
}

/* ---- The diagnosis ------------------------------------------------------- */

/* The limit that leaves least room. */
static void find_limit(const struct targets *targets,
		       struct diagnosis_facts *facts)
{
	for (size_t i = 0; i < targets->count; i++) {
		struct process_limit l;
		double room = facts->limit_bytes - facts->limit_used_bytes;

		if (targets->list[i]->ended)
			continue;
		process_memory_limit(&targets->list[i]->process, &l);
		if (!l.limit || (facts->limit_bytes > 0 &&
				 (double)l.limit - (double)l.used >= room))
			continue;
		facts->limit_bytes = (double)l.limit;
		facts->limit_used_bytes = (double)l.used;
		facts->limit_is_group = l.of_group;
	}
}

int reporting_diagnose(struct reporting *r)
{
	r->diagnosis = diagnosis_new(r->profile, &r->facts);
	r->report.diagnosis = r->diagnosis;
	if (r->diagnosis)
		return 0;
	diag_error("out of memory");
	return -ENOMEM;
}

/* ---- Probes ------------------------------------------------------------- */

/* Fewer calls on one side, and none on the other, are nothing unusual: a small
 * program that never frees, one that shuts down. */
#define DEAD_SITE_HITS 100000

/* Of one object, by what they do. */
struct site_group {
	uint64_t sites, hits;
};

struct object_sites {
	struct site_group alloc, release;
};

static uint64_t dead_in_object(const struct object_sites *o)
{
	if (o->alloc.hits >= DEAD_SITE_HITS && !o->release.hits)
		return o->release.sites;
	return o->release.hits >= DEAD_SITE_HITS && !o->alloc.hits
		       ? o->alloc.sites
		       : 0;
}

/*
 * Probes that never fired though they should have: an allocator whose blocks
 * come but never go, or go without ever coming. That single functions are
 * never called, or a whole allocator is not, is normal.
 */
static uint64_t count_dead_sites(const struct tracer *t)
{
	CLEANUP_FREE struct object_sites *objects =
		calloc(OBJECTS_MAX, sizeof(*objects));
	size_t count = objects ? tracer_site_count(t) : 0;
	uint64_t dead = 0;

	for (size_t i = 0; i < count; i++) {
		struct tracer_site site;
		struct site_group *group;

		tracer_site(t, i, &site);
		/* Memory maps, the loader. */
		if (!site.object || site.kind > FREE_POINTER)
			continue;
		group = site.kind == FREE_POINTER
				? &objects[site.object->id].release
				: &objects[site.object->id].alloc;
		group->sites++;
		group->hits += site.hits;
	}
	for (size_t i = 0; objects && i < OBJECTS_MAX; i++)
		dead += dead_in_object(&objects[i]);
	return dead;
}

struct writing {
	enum report_format format;
	const struct report *report;
};

static int write_format(FILE *out, void *context)
{
	const struct writing *w = context;

	return report_write(w->format, out, w->report);
}

int reporting_files(struct output *output, const struct report *report)
{
	int first = 0;

	for (int i = 0; i < REPORT_FORMATS; i++) {
		struct writing w = {(enum report_format)i, report};
		int err = 0;

		if (output_due(output, w.format, report->final))
			err = output_write(output, w.format, write_format, &w);
		if (!first)
			first = err;
	}
	return first;
}

/* no-color.org: any value but an empty one means no. */
static bool wants_colour(FILE *out)
{
	const char *refusal = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return (!refusal || !*refusal) && terminal &&
	       strcmp(terminal, "dumb") != 0 && isatty(fileno(out));
}

int reporting_text(struct output *output, const struct report *report)
{
	struct report shown;
	int err;

	if (!output->text)
		return 0;
	shown = *report;
	shown.colour = wants_colour(output->text);
	err = report_text(output->text, &shown);
	if (err && err != -EPIPE)
		diag_error("cannot write the report to standard output: %s",
			   strerror(-err));
	return err ? err : output_flush(output);
}

static int write_outputs(struct output *output, const struct report *report)
{
	int text_err = reporting_text(output, report);
	/* Also when nobody reads the text any more. */
	int file_err = reporting_files(output, report);

	return file_err && (!text_err || text_err == -EPIPE) ? file_err
							     : text_err;
}

int reporting_update(struct reporting *r, bool final)
{
	struct report *report = &r->report;
	uint64_t now_ns = monotonic_ns();
	double window = window_seconds(r, final);
	int err;

	forget_diagnosis(r);
	if (r->following)
		following_tidy(r->following, r->tracer);
	targets_observe_all(r->targets);
	reporting_targets_free(r);
	*report = (struct report){
		.started_ns = realtime_ns() - (now_ns - r->attached_ns),
		.elapsed_seconds = (double)(now_ns - r->attached_ns) / 1e9,
		.final = final,
		.top = r->options->top,
		.profile = r->profile,
		.names = &r->names,
		.counters = r->counters,
		.unwatched_seconds = r->unwatched_seconds,
		.self = own_cost(),
	};
	report->interval_seconds =
		window > 0 && window < report->elapsed_seconds
			? window
			: report->elapsed_seconds;
	tracer_status(r->tracer, &report->status);
	report->status.js_dropped += js_names_lost(r->js_names);
	report->status.js_incomplete = js_names_incomplete(r->js_names);
	tracer_counters(r->tracer, r->counters);
	if (final)
		tracer_check_pages(r->tracer);
	err = try_snapshot(r, now_ns, window, &report->status);
	if (err)
		return err;
	err = reporting_targets_update(r);
	if (err)
		return err;
	report->dead_sites = count_dead_sites(r->tracer);
	if (reporting_v8_update(&r->v8, r->tracer, r->merge, r->profile,
				r->targets, now_ns,
				(unsigned)r->options->v8_survived))
		report->v8 = &r->v8.report;
	if (reporting_go_update(&r->go, r->tracer, r->targets, now_ns))
		report->go = &r->go.report;
	r->facts = (struct diagnosis_facts){
		.collections = r->v8.collections,
		.settled_seconds = fmax(r->v8.settled_seconds -
						(double)r->attached_ns / 1e9,
					0),
	};
	reporting_go_facts(&r->go, r->attached_ns, &r->facts);
	/* As captures keep it: the report of one says the same. */
	r->facts.settled_seconds =
		(double)llround(r->facts.settled_seconds * 1e9) / 1e9;
	r->facts.unobserved_share = 1 - report->status.observed_share;
	r->facts.windows = report->status.windows;
	find_limit(r->targets, &r->facts);
	if (!r->capture)
		return 0;
	return recording_snapshot(r->capture, r->targets, report, &r->facts,
				  tracer_cohorts(r->tracer), r->attached_ns,
				  now_ns);
}

int reporting_write(struct reporting *r, bool final)
{
	int err = reporting_update(r, final);

	if (!err)
		err = reporting_diagnose(r);
	return err ? err : write_outputs(r->output, &r->report);
}

enum exit_code reporting_exit_code(int err)
{
	switch (-err) {
	case 0:
	case EPIPE: /* the reader has seen enough */
		return EXIT_CODE_OK;
	case ENOMEM:
		return EXIT_CODE_INTERNAL;
	default:
		return EXIT_CODE_OUTPUT;
	}
}

void reporting_close(struct reporting *r)
{
	forget_diagnosis(r);
	reporting_targets_free(r);
}
