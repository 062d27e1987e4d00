/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metrics for Prometheus (text format 0.0.4). What a scrape can hold is bounded
 * by the targets and by the call sites shown (-n), so the number of series is,
 * too; sites are merged by what names them.
 */
#include "report/formats.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/intern.h"
#include "base/text.h"
#include "report/blame.h"
#include "report/losses.h"
#include "report/names.h"
#include "report/roots.h"
#include "verdict/diagnosis.h"

#define SITES_MAX    100
#define NAME_COLUMNS 120

/* ---- Text ---------------------------------------------------------------- */

static void add_metric(struct text *t, const char *name, const char *type,
		       const char *help)
{
	text_printf(t, "# HELP leakbpf_%s %s\n# TYPE leakbpf_%s %s\n", name,
		    help, name, type);
}

/* Valid UTF-8 without control characters; `"` and `\` escaped. */
static void add_label(struct text *t, const char *key, const char *value)
{
	struct text safe = {0};

	name_for_people(&safe, value, NAME_COLUMNS);
	text_printf(t, "%s=\"", key);
	for (size_t i = 0; i < safe.size; i++) {
		if (safe.data[i] == '"' || safe.data[i] == '\\')
			text_add(t, "\\");
		text_append(t, &safe.data[i], 1);
	}
	text_add(t, "\"");
	t->failed |= safe.failed;
	text_free(&safe);
}

static void add_value(struct text *t, double value)
{
	text_printf(t, " %.10g\n", value);
}

static void add_single(struct text *t, const char *name, const char *type,
		       const char *help, double value)
{
	add_metric(t, name, type, help);
	text_printf(t, "leakbpf_%s", name);
	add_value(t, value);
}

/* ---- Targets ------------------------------------------------------------- */

struct target_sums {
	double bytes, objects, growth_per_minute;
};

static void sum_targets(const struct report *r,
			const struct profile_stack *const *stacks, size_t count,
			struct target_sums *sums)
{
	for (size_t i = 0; i < count; i++) {
		const struct profile_stack *s = stacks[i];
		size_t n = 0;

		while (n < r->target_count &&
		       (uint32_t)r->targets[n].pid != s->tgid)
			n++;
		if (n == r->target_count || s->source == STACK_SOURCE_BESIDE)
			continue;
		sums[n].bytes += s->live_bytes.value;
		sums[n].objects += s->live_objects.value;
		sums[n].growth_per_minute += s->growth_bytes_per_minute;
	}
}

enum target_metric {
	TARGET_BYTES,
	TARGET_BLOCKS,
	TARGET_GROWTH,
	TARGET_RESIDENT,
	TARGET_ALIVE,
	TARGET_METRICS
};

static double target_value(const struct report_target *t,
			   const struct target_sums *s,
			   enum target_metric metric)
{
	switch (metric) {
	case TARGET_BYTES:
		return s->bytes;
	case TARGET_BLOCKS:
		return s->objects;
	case TARGET_GROWTH:
		return s->growth_per_minute / 60;
	case TARGET_RESIDENT:
		return (double)t->memory.rss_bytes;
	default:
		return t->alive;
	}
}

static void add_container(struct text *t, const struct container *c)
{
	char label[CONTAINER_TEXT_BYTES];

	if (*container_label(c, label)) {
		text_add(t, ",");
		add_label(t, "container", label);
	}
	if (c->pod[0]) {
		text_add(t, ",");
		add_label(t, "pod", c->pod);
	}
}

static void add_targets(struct text *t, const struct report *r,
			const struct target_sums *sums)
{
	static const struct {
		const char *name, *help;
	} metrics[TARGET_METRICS] = {
		[TARGET_BYTES] = {"outstanding_bytes",
				  "Allocated since attach and not freed, "
				  "estimated."},
		[TARGET_BLOCKS] = {"outstanding_blocks",
				   "Blocks allocated since attach and not "
				   "freed, estimated."},
		[TARGET_GROWTH] = {"growth_bytes_per_second",
				   "Growth of the outstanding bytes over the "
				   "last window."},
		[TARGET_RESIDENT] = {"target_resident_bytes",
				     "Resident set of the process."},
		[TARGET_ALIVE] = {"target_up", "Whether the process lives."},
	};

	for (int m = 0; m < TARGET_METRICS; m++) {
		add_metric(t, metrics[m].name, "gauge", metrics[m].help);
		for (size_t i = 0; i < r->target_count; i++) {
			text_printf(t, "leakbpf_%s{pid=\"%d\",",
				    metrics[m].name, (int)r->targets[i].pid);
			add_label(t, "comm", r->targets[i].comm);
			add_container(t, &r->targets[i].container);
			text_add(t, "}");
			add_value(t, target_value(&r->targets[i], &sums[i],
						  (enum target_metric)m));
		}
	}
}

/* ---- Call sites ---------------------------------------------------------- */

struct site_sums {
	double bytes, growth_per_minute;
	double leak_confidence; /* of the surest of its stacks; 0: none leaks */
};

static double leak_confidence(const struct report *r,
			      const struct profile_stack *s)
{
	const struct verdict *v =
		r->diagnosis ? diagnosis_verdict(r->diagnosis, s) : NULL;

	return v && v->kind == VERDICT_LEAK ? v->confidence : 0;
}

static void add_site_labels(struct text *t, const struct report *r,
			    const struct profile_stack *s)
{
	struct blame b = {0};

	text_printf(t, "{pid=\"%" PRIu32 "\",", s->tgid);
	add_label(t, "memory", report_source_text(s));
	text_add(t, ",");
	if (s->id == STACK_ID_OVERFLOW || !report_blame(r, s, &b)) {
		add_label(t, "function", report_nobody_text(s));
		text_add(t, ",file=\"\",line=\"0\"}");
		return;
	}
	add_label(t, "function", b.level->function);
	text_add(t, ",");
	add_label(t, "file", b.level->file ? b.level->file : "");
	text_printf(t, ",line=\"%" PRIu32 "\"}", b.level->line);
}

/* Numbers the sites, and sums up the stacks that lead to each. */
static int sum_sites(const struct report *r,
		     const struct profile_stack *const *stacks, size_t count,
		     struct intern *sites, struct site_sums *sums)
{
	struct text labels = {0};
	int err = report_resolve(r, stacks, count);

	for (size_t i = 0; i < count && !err; i++) {
		uint32_t number;

		text_clear(&labels);
		add_site_labels(&labels, r, stacks[i]);
		err = labels.failed ? -ENOMEM
				    : intern_put(sites, labels.data,
						 labels.size, &number);
		if (err)
			break;
		sums[number].bytes += stacks[i]->live_bytes.value;
		sums[number].growth_per_minute +=
			stacks[i]->growth_bytes_per_minute;
		sums[number].leak_confidence =
			fmax(sums[number].leak_confidence,
			     leak_confidence(r, stacks[i]));
	}
	text_free(&labels);
	return err;
}

static void add_sites(struct text *t, const struct intern *sites,
		      const struct site_sums *sums)
{
	size_t size;

	add_metric(t, "site_outstanding_bytes", "gauge",
		   "Outstanding bytes by the function that allocated them, of "
		   "the sites that grow most.");
	for (uint32_t i = 0; i < intern_count(sites); i++) {
		text_printf(t, "leakbpf_site_outstanding_bytes%s",
			    (const char *)intern_key(sites, i, &size));
		add_value(t, sums[i].bytes);
	}
	add_metric(t, "site_growth_bytes_per_second", "gauge",
		   "Growth by the function that allocated.");
	for (uint32_t i = 0; i < intern_count(sites); i++) {
		text_printf(t, "leakbpf_site_growth_bytes_per_second%s",
			    (const char *)intern_key(sites, i, &size));
		add_value(t, sums[i].growth_per_minute / 60);
	}
	add_metric(t, "site_leak_confidence", "gauge",
		   "How sure it is that the site leaks, 0 to 1; 0: it is not "
		   "said to.");
	for (uint32_t i = 0; i < intern_count(sites); i++) {
		text_printf(t, "leakbpf_site_leak_confidence%s",
			    (const char *)intern_key(sites, i, &size));
		add_value(t, sums[i].leak_confidence);
	}
}

/* ---- leakbpf itself ------------------------------------------------------ */

static void add_loss(const struct report_loss *loss, void *context)
{
	struct text *t = context;

	text_add(t, "leakbpf_losses_total{");
	add_label(t, "cause", loss->what);
	text_add(t, "}");
	add_value(t, (double)loss->count);
}

static void add_self(struct text *t, const struct report *r)
{
	const uint64_t *c = r->counters;

	add_metric(t, "info", "gauge", "Which leakbpf this is.");
	text_printf(t, "leakbpf_info{version=\"%s\"} 1\n", LEAKBPF_VERSION);
	add_single(t, "observed_seconds", "gauge", "Time since attach.",
		   r->elapsed_seconds);
	add_single(t, "allocations_total", "counter",
		   "Allocations seen by the probes.",
		   (double)c[COUNTER_ALLOC_HITS]);
	add_single(t, "frees_total", "counter", "Frees seen by the probes.",
		   (double)c[COUNTER_FREE_HITS]);
	add_single(t, "overhead_seconds_total", "counter",
		   "CPU time that probes took from the targets, estimated.",
		   (double)r->status.overhead_ns / 1e9);
	add_single(t, "observed_ratio", "gauge",
		   "Of the time, how much was observed (--max-overhead).",
		   r->status.observed_share);
	add_single(t, "kernel_memory_bytes", "gauge",
		   "Kernel memory of tables and programs.",
		   (double)r->status.kernel_memory_bytes);
	add_single(t, "stacks", "gauge", "Call stacks that are kept.",
		   r->status.stacks);
	add_single(t, "stacks_max", "gauge",
		   "There is room for that many call stacks.",
		   r->status.stacks_max);
	if (r->self.resident_bytes) {
		add_single(t, "resident_bytes", "gauge",
			   "Resident set of leakbpf.",
			   (double)r->self.resident_bytes);
		add_single(t, "cpu_seconds_total", "counter",
			   "CPU time of leakbpf.", r->self.cpu_seconds);
	}
	add_single(t, "sampling_interval_bytes", "gauge",
		   "Mean bytes between samples; 0: every block.",
		   (double)r->status.sampling.interval_bytes);
	add_metric(t, "losses_total", "counter",
		   "What makes the figures less than complete, by cause.");
	report_each_loss(r, add_loss, t);
}

static void add_verdicts(struct text *t, const struct report *r)
{
	const struct diagnosis_summary *d;

	if (!r->diagnosis)
		return;
	d = diagnosis_summary(r->diagnosis);
	add_metric(t, "diagnosis", "gauge", "What the report says in a word.");
	text_printf(t, "leakbpf_diagnosis{kind=\"%s\"} 1\n",
		    diagnosis_name(d->kind));
	add_single(t, "leak_bytes_per_second", "gauge",
		   "Growth of all call paths that leak.", d->leak.value / 60);
	add_metric(t, "call_paths", "gauge", "Call paths by verdict.");
	for (int i = 0; i < VERDICT_KINDS; i++)
		text_printf(t, "leakbpf_call_paths{verdict=\"%s\"} %zu\n",
			    verdict_name((enum verdict_kind)i), d->counts[i]);
}

static int make(struct text *t, const struct report *r)
{
	size_t count, shown;
	const struct profile_stack *const *stacks =
		profile_sorted(r->profile, PROFILE_BY_GROWTH, &count);
	CLEANUP_FREE struct target_sums *targets =
		calloc(r->target_count + 1, sizeof(*targets));
	CLEANUP_FREE struct site_sums *sites =
		calloc(SITES_MAX, sizeof(*sites));
	struct intern *labels = intern_new();
	int err = -ENOMEM;

	shown = r->top && r->top < SITES_MAX ? r->top : SITES_MAX;
	if (shown > count)
		shown = count;
	if (targets && sites && labels)
		err = sum_sites(r, stacks, shown, labels, sites);
	if (!err) {
		sum_targets(r, stacks, count, targets);
		add_self(t, r);
		add_verdicts(t, r);
		add_targets(t, r, targets);
		add_sites(t, labels, sites);
	}
	intern_free(labels);
	return err ? err : t->failed ? -ENOMEM : 0;
}

int report_metrics(FILE *out, const struct report *r)
{
	struct text t = {0};
	int err = make(&t, r);

	if (!err && fwrite(t.data, 1, t.size, out) != t.size)
		err = errno ? -errno : -EIO;
	text_free(&t);
	return err;
}
