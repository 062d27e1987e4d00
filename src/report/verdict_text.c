/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/verdict_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/blame.h"
#include "report/format.h"
#include "report/names.h"
#include "report/place.h"
#include "report/roots.h"

#define NAME_COLUMNS 60
#define FILE_COLUMNS 48
/* Nothing is foretold beyond a month. */
#define FORESEEN_SECONDS (30 * 86400.0)

static struct formatted rate(double bytes_per_minute)
{
	return format_rate(bytes_per_minute);
}

/* "+1.2 MiB/min", with its interval. */
static void add_growth(struct text *t, const struct verdict *v)
{
	text_printf(t, "%s%s over %s%s", rate(v->growth.value).text,
		    format_margin(&v->growth, rate).text,
		    v->by_births ? "" : "the last ",
		    format_duration(v->window_seconds).text);
}

/* ---- One stack --------------------------------------------------------------
 */

static void add_survival(struct text *t, const struct verdict *v)
{
	if (v->survival >= 0)
		text_printf(t,
			    "; of what was allocated more than %s ago %s lives",
			    format_duration(v->survival_seconds).text,
			    format_percent(v->survival).text);
}

static void add_lifetime(struct text *t, const struct verdict *v)
{
	if (v->freed_lifetime_seconds >= 0)
		text_printf(t, "; what is freed lived for %s",
			    format_duration(v->freed_lifetime_seconds).text);
}

static void add_range(struct text *t, const struct verdict *v)
{
	text_printf(t, "between %s and %s", format_bytes(v->low).text,
		    format_bytes(v->high).text);
}

static void add_leak(struct text *t, const struct verdict *v)
{
	text_printf(t, "leak, %s sure: ", format_percent(v->confidence).text);
	add_growth(t, v);
	if (v->by_survivors)
		text_printf(t,
			    "; what is freed lived for %s, but in %u of %u "
			    "older groups as much lives as in the others",
			    format_duration(v->freed_lifetime_seconds).text,
			    v->parts_grown, v->parts);
	else if (v->by_births)
		text_printf(t,
			    " before the last full collection%s; of what was "
			    "born then much lives in %u of %u parts of it",
			    v->collections == 1 ? ", the only one so far" : "s",
			    v->parts_grown, v->parts);
	else
		text_printf(t, "; rose in %u of %u parts of it", v->parts_grown,
			    v->parts);
	if (v->surely_live >= 0)
		text_printf(t, "; windows saw that at least %s of it lives",
			    format_percent(v->surely_live).text);
	add_survival(t, v);
}

static void add_plateau(struct text *t, const struct verdict *v)
{
	text_add(t, "plateau: ");
	add_range(t, v);
	text_printf(t, ", growth at most %s over the last %s",
		    rate(fmax(v->growth.high, 0)).text,
		    format_duration(v->window_seconds).text);
	add_lifetime(t, v);
}

static void add_startup(struct text *t, const struct verdict *v)
{
	text_printf(t, "start-up: %s of it was allocated in the first half",
		    format_percent(1 - v->late_share).text);
	add_survival(t, v);
}

static void add_sawtooth(struct text *t, const struct verdict *v)
{
	text_printf(t, "sawtooth: fell %u times, ", v->drops);
	add_range(t, v);
	add_lifetime(t, v);
}

static void add_doubt(struct text *t, const struct verdict *v)
{
	text_add(t, "unclear: ");
	switch (v->doubt) {
	case DOUBT_TIME:
	case DOUBT_NONE:
		text_add(t, "watched for too short a time");
		break;
	case DOUBT_SAMPLES:
		text_add(t, "too few samples");
		break;
	case DOUBT_NOISE:
		add_growth(t, v);
		text_add(t, " may be chance");
		break;
	case DOUBT_SLOWING:
		text_add(t, "grows slower and slower, as a cache that fills; ");
		add_growth(t, v);
		break;
	case DOUBT_DROPPED:
		text_printf(t, "rises, but it fell before (%u times), ",
			    v->drops);
		add_range(t, v);
		break;
	case DOUBT_TURNOVER:
		text_add(t, "grows, but old blocks go, as under more load");
		add_lifetime(t, v);
		break;
	case DOUBT_WINDOWS:
		text_printf(t,
			    "observed in too few windows, it takes %d (see "
			    "--max-overhead)",
			    VERDICT_WINDOWS_MIN);
		break;
	case DOUBT_UNSEEN:
		add_growth(t, v);
		text_printf(t,
			    ", but resident memory does not grow that much: "
			    "frees may be missed while it is not observed (see "
			    "--max-overhead), and all that windows saw is that "
			    "at least %s of it lives",
			    format_percent(v->surely_live).text);
		break;
	case DOUBT_COLLECTIONS:
		text_add(t, "too few full garbage collections so far to tell "
			    "what stays");
		break;
	}
}

static void add_settling(struct text *t, const struct verdict *v)
{
	if (v->settle_seconds > 0)
		text_printf(t, "; to settle it watch for %s",
			    format_duration(v->settle_seconds).text);
	if (v->settle_sample_bytes >= 1)
		text_printf(t, " or use --sample-bytes %.0f",
			    v->settle_sample_bytes);
}

void verdict_reasons(struct text *t, const struct verdict *v)
{
	switch (v->kind) {
	case VERDICT_LEAK:
		add_leak(t, v);
		break;
	case VERDICT_PLATEAU:
		add_plateau(t, v);
		break;
	case VERDICT_STARTUP:
		add_startup(t, v);
		break;
	case VERDICT_SAWTOOTH:
		add_sawtooth(t, v);
		break;
	case VERDICT_UNKNOWN:
	case VERDICT_KINDS:
		add_doubt(t, v);
		add_settling(t, v);
		break;
	}
}

void verdict_place(struct text *t, const struct report *r,
		   const struct profile_stack *s)
{
	struct blame b;
	size_t length;

	if (s->id == STACK_ID_OVERFLOW || !report_blame(r, s, &b)) {
		text_add(t, report_nobody_text(s));
		return;
	}
	name_for_people(t, b.level->function, NAME_COLUMNS);
	length = strlen(b.level->function);
	if (b.symbol->named && b.level->function[length - 1] != ')')
		text_add(t, "()");
	if (!b.level->file)
		return;
	text_add(t, " at ");
	place_for_people(t, b.symbol, b.level, b.level->file, FILE_COLUMNS);
}

/* ---- The headline
 * --------------------------------------------------------------- */

/* "in parse_header() at http.c:212 and 2 more call paths" */
static void add_places(struct text *t, const struct report *r)
{
	size_t count;
	const struct profile_stack *const *leaks =
		diagnosis_leaks(r->diagnosis, &count);

	text_add(t, ", in ");
	verdict_place(t, r, leaks[0]);
	if (count > 1)
		text_printf(t, " and %zu more call path%s", count - 1,
			    count == 2 ? "" : "s");
}

static void add_share(struct text *t, const struct diagnosis_summary *d)
{
	if (d->share_of_resident >= 0)
		text_printf(t, ", %s of RSS growth",
			    format_percent(d->share_of_resident).text);
	else if (d->resident_known)
		text_add(t, ", RSS does not grow yet");
}

static void add_limit(struct text *t, const struct diagnosis_summary *d)
{
	if (d->seconds_to_limit < 0 || d->seconds_to_limit > FORESEEN_SECONDS)
		return;
	text_printf(t, "; at this rate %s %s %s in %s",
		    d->limit_is_group ? "the" : "all",
		    format_bytes(d->limit_bytes).text,
		    d->limit_is_group ? "limit is reached"
				      : "of RAM are used up",
		    format_duration(d->seconds_to_limit).text);
}

static void add_leak_headline(struct text *t, const struct report *r,
			      const struct diagnosis_summary *d)
{
	text_printf(t, "LEAK  %s/min%s", format_bytes(d->leak.value).text,
		    format_margin(&d->leak, format_bytes).text);
	add_share(t, d);
	add_places(t, r);
	if (d->by_pages)
		text_add(t, ", told by the pages touched first, as windows are "
			    "too rare");
	text_printf(t, " (%s sure)", format_percent(d->confidence).text);
	add_limit(t, d);
}

static void add_missed(struct text *t, const struct diagnosis_summary *d)
{
	if (d->detectable > 0)
		text_printf(t, "; a leak below %s/min would not show yet",
			    format_bytes(d->detectable).text);
}

/* "-3.0 KiB/min to +14 KiB/min" */
static void add_interval(struct text *t, const struct estimate *e)
{
	text_printf(t, "%s to %s", rate(e->low).text, rate(e->high).text);
}

static void add_settled(struct text *t, const struct diagnosis_summary *d)
{
	size_t all = 0;

	for (int i = 0; i < VERDICT_KINDS; i++)
		all += d->counts[i];
	if (!all)
		return;
	text_printf(t, "; %zu of %zu call paths are unclear",
		    d->counts[VERDICT_UNKNOWN], all);
}

/* Why nothing is said of V8's heap yet. */
static void add_collections(struct text *t, const struct report *r)
{
	if (!r->v8 || !r->v8->heap_count)
		return;
	for (size_t i = 0; i < r->v8->heap_count; i++)
		if (r->v8->heaps[i].full_gcs >= VERDICT_COLLECTIONS_MIN)
			return;
	text_add(t, "; V8's heap: no full collection so far, it takes one");
}

static void add_unexplained(struct text *t, const struct report *r,
			    const struct diagnosis_summary *d)
{
	text_printf(t,
		    "UNCLEAR  RSS grows %s, of which leaks explain %s: %s/min",
		    rate(d->resident.value).text,
		    format_percent(d->share_of_resident).text,
		    format_bytes(d->leak.value).text);
	add_places(t, r);
}

static void add_unknown(struct text *t, const struct diagnosis_summary *d)
{
	text_printf(t, "NO VERDICT YET  watched for %s",
		    format_duration(d->seconds).text);
	if (d->seconds < VERDICT_SECONDS_MIN) {
		text_printf(t, "; it takes at least %.0f s",
			    VERDICT_SECONDS_MIN);
		return;
	}
	text_printf(t, " in %" PRIu64 " windows (--max-overhead); it takes %d",
		    d->windows, VERDICT_WINDOWS_MIN);
	if (d->resident_known) {
		text_add(t, "; RSS grows ");
		add_interval(t, &d->resident);
	}
}

void verdict_headline(struct text *t, const struct report *r)
{
	const struct diagnosis_summary *d = diagnosis_summary(r->diagnosis);

	switch (d->kind) {
	case DIAGNOSIS_LEAK:
		add_leak_headline(t, r, d);
		break;
	case DIAGNOSIS_UNEXPLAINED:
		add_unexplained(t, r, d);
		break;
	case DIAGNOSIS_RETENTION:
		text_printf(t,
			    "NO LEAK SEEN  RSS grows %s, outstanding blocks do "
			    "not (",
			    rate(d->resident.value).text);
		add_interval(t, &d->outstanding);
		text_add(t, "): fragmentation, memory that the allocator "
			    "keeps, or memory that is not from malloc");
		add_missed(t, d);
		break;
	case DIAGNOSIS_GROWTH:
		text_printf(t, "UNCLEAR  outstanding memory grows %s",
			    rate(d->outstanding.value).text);
		text_add(t, ", but no call path can be blamed yet");
		add_settled(t, d);
		break;
	case DIAGNOSIS_HEALTHY:
		text_printf(t, "NO LEAK SEEN  in %s: outstanding memory grows ",
			    format_duration(d->seconds).text);
		add_interval(t, &d->outstanding);
		add_settled(t, d);
		add_missed(t, d);
		break;
	case DIAGNOSIS_UNKNOWN:
		add_unknown(t, d);
		break;
	}
	if (d->kind != DIAGNOSIS_LEAK)
		add_collections(t, r);
}
