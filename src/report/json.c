/* SPDX-License-Identifier: GPL-2.0-only */
/* The JSON report. docs/report.schema.json says what each member means. */
#include "report/formats.h"

#include <math.h>

#include "probe/features.h"
#include "profile/series.h"
#include "report/document.h"
#include "report/json_frames.h"
#include "report/json_go.h"
#include "report/json_v8.h"
#include "report/losses.h"
#include "report/roots.h"
#include "report/verdict_text.h"

#define JSON_VERSION 1

static void put_estimate(struct json *j, const char *key,
			 const struct estimate *e)
{
	json_object(j, key);
	json_number(j, "value", e->value);
	json_number(j, "low", e->low);
	json_number(j, "high", e->high);
	json_end(j);
}

/* ---- The whole ---------------------------------------------------------- */

static void put_known(struct json *j, const char *key, const char *text)
{
	if (text[0])
		json_text(j, key, text);
}

static void put_container(struct json *j, const struct container *c)
{
	if (c->id[0] || c->name[0]) {
		json_object(j, "container");
		put_known(j, "runtime", c->runtime);
		put_known(j, "id", c->id);
		put_known(j, "name", c->name);
		json_end(j);
	}
	if (c->pod_uid[0] || c->pod[0]) {
		json_object(j, "pod");
		put_known(j, "uid", c->pod_uid);
		put_known(j, "name", c->pod);
		put_known(j, "namespace", c->pod_namespace);
		json_end(j);
	}
}

static void put_following(struct json *j, const struct report *r)
{
	const struct report_following *f = r->following;

	if (!f)
		return;
	json_object(j, "following");
	json_text(j, "selection", f->selection);
	json_number(j, "attached", (double)f->attached);
	json_number(j, "gone", (double)f->let_go);
	json_number(j, "waiting", (double)f->waiting);
	json_object(j, "not_traced");
	for (size_t i = 0; i < f->reason_count; i++)
		json_number(j, f->reasons[i].key, (double)f->not_traced[i]);
	json_end(j);
	json_end(j);
}

static void put_targets(struct json *j, const struct report *r)
{
	json_array(j, "targets");
	for (size_t i = 0; i < r->target_count; i++) {
		const struct report_target *t = &r->targets[i];

		json_object(j, NULL);
		json_number(j, "pid", (double)t->pid);
		json_text(j, "name", t->comm);
		json_text(j, "command", t->command_line ? t->command_line : "");
		json_bool(j, "alive", t->alive);
		json_number(j, "rss_bytes", (double)t->memory.rss_bytes);
		json_number(j, "rss_anonymous_bytes",
			    (double)t->memory.rss_anon_bytes);
		put_container(j, &t->container);
		json_end(j);
	}
	json_end(j);
}

static void put_totals(struct json *j, const struct report *r)
{
	struct profile_totals t;

	profile_totals(r->profile, &t);
	json_object(j, "totals");
	put_estimate(j, "live_bytes", &t.live_bytes);
	put_estimate(j, "live_objects", &t.live_objects);
	json_number(j, "alloc_bytes", t.alloc_bytes);
	json_number(j, "freed_bytes", t.freed_bytes);
	json_number(j, "growth_bytes_per_minute", t.growth_bytes_per_minute);
	json_end(j);
}

static void put_diagnosis(struct json *j, const struct report *r)
{
	const struct diagnosis_summary *d = diagnosis_summary(r->diagnosis);
	struct text headline = {0};

	verdict_headline(&headline, r);
	json_object(j, "diagnosis");
	json_text(j, "kind", diagnosis_name(d->kind));
	json_text(j, "headline", headline.data ? headline.data : "");
	put_estimate(j, "leak_bytes_per_minute", &d->leak);
	put_estimate(j, "outstanding_bytes_per_minute", &d->outstanding);
	if (d->resident_known)
		put_estimate(j, "resident_bytes_per_minute", &d->resident);
	if (d->kind == DIAGNOSIS_LEAK)
		json_number(j, "confidence", d->confidence);
	if (d->by_pages)
		json_bool(j, "by_pages", true);
	if (d->share_of_resident >= 0)
		json_number(j, "share_of_resident", d->share_of_resident);
	if (d->limit_bytes > 0)
		json_number(j, "limit_bytes", d->limit_bytes);
	if (d->seconds_to_limit >= 0)
		json_number(j, "seconds_to_limit", d->seconds_to_limit);
	json_end(j);
	text_free(&headline);
}

static void put_cost(struct json *j, const struct report *r)
{
	const struct tracer_status *s = &r->status;

	json_object(j, "sampling");
	json_number(j, "interval_bytes", (double)s->sampling.interval_bytes);
	json_number(j, "samples", (double)r->counters[COUNTER_SAMPLES]);
	json_number(j, "outstanding", (double)s->outstanding);
	json_number(j, "outstanding_max", (double)s->outstanding_max);
	json_number(j, "coarsened", s->coarsened);
	json_end(j);
	json_object(j, "probes");
	json_text(j, "link", link_kind_name(s->link));
	json_number(j, "allocations", (double)r->counters[COUNTER_ALLOC_HITS]);
	json_number(j, "frees", (double)r->counters[COUNTER_FREE_HITS]);
	json_number(j, "overhead_seconds", (double)s->overhead_ns / 1e9);
	json_number(j, "kernel_memory_bytes", (double)s->kernel_memory_bytes);
	json_number(j, "max_overhead_share", s->max_overhead);
	json_number(j, "observed_share", s->observed_share);
	json_number(j, "windows", (double)s->windows);
	json_number(j, "large_blocks_targets", (double)s->large_blocks);
	json_number(j, "growth_targets", (double)s->beside);
	json_end(j);
}

static void put_loss(const struct report_loss *loss, void *context)
{
	struct json *j = context;

	json_object(j, NULL);
	json_number(j, "count", (double)loss->count);
	json_text(j, "what", loss->what);
	json_end(j);
}

static void put_losses(struct json *j, const struct report *r)
{
	json_array(j, "losses");
	report_each_loss(r, put_loss, j);
	json_end(j);
}

static void put_moments(struct json *j, const struct report *r)
{
	struct series_point live[SERIES_POINTS], resident[SERIES_POINTS];
	size_t count = profile_total_history(r->profile, live);
	size_t known = profile_resident_history(r->profile, resident);

	json_array(j, "moments");
	for (size_t i = 0; i < count; i++) {
		json_object(j, NULL);
		json_number(j, "seconds", live[i].seconds);
		json_number(j, "live_bytes", round(live[i].live));
		if (known == count)
			json_number(j, "resident_bytes", resident[i].live);
		json_end(j);
	}
	json_end(j);
}

/* ---- Frames and stacks -------------------------------------------------- */

static void put_verdict(struct json *j, const struct verdict *v)
{
	struct text reasons = {0};

	json_object(j, "verdict");
	json_text(j, "kind", verdict_name(v->kind));
	if (v->kind == VERDICT_LEAK)
		json_number(j, "confidence", v->confidence);
	put_estimate(j, "growth_bytes_per_minute", &v->growth);
	verdict_reasons(&reasons, v);
	json_text(j, "reasons", reasons.data ? reasons.data : "");
	json_end(j);
	text_free(&reasons);
}

/* Live bytes at each of the document's moments. */
static void put_series(struct json *j, const struct report *r,
		       const struct profile_stack *s)
{
	struct series_point points[SERIES_POINTS];
	size_t count = profile_history(r->profile, s, points);

	json_array(j, "series");
	for (size_t i = 0; i < count; i++)
		json_number(j, NULL, round(points[i].live));
	json_end(j);
}

static void put_stack(struct json *j, const struct report *r,
		      const struct document *d,
		      const struct document_stack *from)
{
	const struct profile_stack *s = from->stack;

	json_object(j, NULL);
	json_number(j, "pid", s->tgid);
	json_put_path(j, d, from);
	json_text(j, "memory", report_source_text(s));
	json_put_types(j, r, s);
	json_text(j, "end", report_end_text(s));
	put_estimate(j, "live_bytes", &s->live_bytes);
	put_estimate(j, "live_objects", &s->live_objects);
	json_number(j, "samples", (double)s->samples);
	json_number(j, "alloc_bytes", s->alloc_bytes);
	json_number(j, "alloc_objects", s->alloc_objects);
	json_number(j, "freed_bytes", s->freed_bytes);
	json_number(j, "growth_bytes_per_minute", s->growth_bytes_per_minute);
	json_number(j, "mean_age_seconds", s->mean_age_seconds);
	json_number(j, "oldest_seconds", s->oldest_seconds);
	json_number(j, "first_seen_seconds", s->first_seen_seconds);
	json_number(j, "last_alloc_seconds", s->last_alloc_seconds);
	if (from->verdict)
		put_verdict(j, from->verdict);
	put_series(j, r, s);
	json_end(j);
}

static void put_report(struct json *j, const struct report *r,
		       const struct document *d)
{
	json_object(j, NULL);
	json_text(j, "format", "leakbpf report");
	json_number(j, "version", JSON_VERSION);
	json_text(j, "generator", "leakbpf " LEAKBPF_VERSION);
	json_bool(j, "final", r->final);
	json_number(j, "elapsed_seconds", r->elapsed_seconds);
	json_number(j, "growth_window_seconds", r->interval_seconds);
	if (r->diagnosis)
		put_diagnosis(j, r);
	put_following(j, r);
	put_targets(j, r);
	json_put_v8(j, r);
	json_put_go(j, r);
	put_totals(j, r);
	put_cost(j, r);
	put_losses(j, r);
	put_moments(j, r);
	json_put_frames(j, d);
	json_array(j, "stacks");
	for (size_t i = 0; i < d->stack_count; i++)
		put_stack(j, r, d, &d->stacks[i]);
	json_end(j);
	json_end(j);
}

int report_json(FILE *out, const struct report *r)
{
	struct json j = {.out = out};
	struct document d;
	int err = document_make(&d, r);

	if (!err)
		put_report(&j, r, &d);
	document_free(&d);
	return err;
}
