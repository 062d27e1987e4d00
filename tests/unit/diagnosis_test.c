/* SPDX-License-Identifier: GPL-2.0-only */
/* The diagnosis of a program, and how it is put into words. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/verdict_text.h"
#include "verdict/diagnosis.h"

#define SECOND	 1000000000ULL
#define ATTACHED (1000 * SECOND)
#define MIB	 1048576.0

/* ---- Names: frame n is function n of server.c, line 10 n ----------------- */

static struct symbol_level levels[10];
static struct symbol symbols[10];
static char function_names[10][16];

static const struct symbol *get(void *context, uint64_t frame)
{
	assert_true(frame < 10);
	snprintf(function_names[frame], sizeof(function_names[0]), "f%u",
		 (unsigned)frame);
	levels[frame] = (struct symbol_level){
		.function = function_names[frame],
		.file = "server.c",
		.line = 10 * (uint32_t)frame,
	};
	symbols[frame] = (struct symbol){
		.levels = &levels[frame],
		.level_count = 1,
		.module = "server",
		.named = true,
	};
	return &symbols[frame];
}

/* All are known. */
static int resolve(void *context, uint32_t tgid, const uint64_t *frames,
		   size_t count)
{
	return 0;
}

static uint32_t objects_given_up(void *context)
{
	return 0;
}

static const struct names names = {
	.get = get,
	.resolve = resolve,
	.objects_given_up = objects_given_up,
};

/* ---- A program that is watched ----------------------------------------------
 */

/* Bytes after so many seconds. */
typedef double (*level_fn)(double seconds);

struct program {
	level_fn stacks[3]; /* live bytes; NULL: no such stack */
	level_fn resident;
	uint32_t source; /* enum stack_source, of all ... */
	bool beside;	 /* ... but the second: pages beside them */
	double sampled;	 /* bytes a sample stands for; 0: every block is seen */
	double surely;	 /* live, share, by what windows have seen */
	double seconds;
	struct diagnosis_facts facts;
	struct profile *profile;
	struct diagnosis *diagnosis;
};

static const struct cohort_layout one_cohort = {.count = 1};

static void add_stack(const struct program *g, uint32_t id, double live,
		      double now)
{
	struct stack_frames f = {.depth = 1, .frames = {id}};
	struct stack_stats st = {
		.alloc_samples = (uint64_t)(live / 64) + 1,
		.alloc_bytes = (uint64_t)live,
		.alloc_objects_q8 = 256,
		.first_alloc_ns = ATTACHED,
		.last_alloc_ns = ATTACHED + (uint64_t)(now * 1e9),
		.index_key = id,
		.tgid = 7,
		.source =
			g->beside && id == 3 ? STACK_SOURCE_BESIDE : g->source,
		.live_bytes_variance = (uint64_t)(g->sampled * live),
		.cohort_bytes = {(int64_t)live},
		.surely_live_bytes = (uint64_t)(g->surely * live),
	};

	assert_int_equal(profile_add(g->profile, id, &f, &st), 0);
}

static void watch(struct program *g)
{
	g->profile = profile_new();
	for (double t = 1; t <= g->seconds; t++) {
		struct profile_snapshot s = {
			.now_ns = ATTACHED + (uint64_t)(t * 1e9),
			.attached_ns = ATTACHED,
			.cohorts = &one_cohort,
			.resident_bytes =
				g->resident ? (uint64_t)g->resident(t) : 0,
		};

		assert_int_equal(profile_begin(g->profile, &s), 0);
		for (uint32_t i = 0; i < 3; i++)
			if (g->stacks[i])
				add_stack(g, i + 2, g->stacks[i](t), t);
		assert_int_equal(profile_end(g->profile), 0);
	}
	g->diagnosis = diagnosis_new(g->profile, &g->facts);
	assert_non_null(g->diagnosis);
}

static void forget(struct program *g)
{
	diagnosis_free(g->diagnosis);
	profile_free(g->profile);
}

static double level(double seconds)
{
	return 2 * MIB;
}

static double mib_per_minute(double seconds)
{
	return 3 * MIB + seconds / 60 * MIB;
}

static double two_mib_per_minute(double seconds)
{
	return 20 * MIB + seconds / 30 * MIB;
}

static double slowly(double seconds)
{
	return seconds * 8192;
}

/* Up and down by a tenth, in a way that no line fits. */
static double restless(double seconds)
{
	return MIB * (2 + 0.1 * sin(seconds * seconds));
}

static void assert_says(const struct program *g, const char *expected)
{
	struct report r = {
		.profile = g->profile,
		.names = &names,
		.diagnosis = g->diagnosis,
	};
	struct text t = {0};

	verdict_headline(&t, &r);
	assert_false(t.failed);
	if (strcmp(t.data, expected))
		fail_msg("expected '%s'\nseen     '%s'", expected, t.data);
	text_free(&t);
}

static void a_leak_has_rate_share_place_and_end(void **state)
{
	struct program g = {
		.stacks = {level, mib_per_minute},
		.resident = mib_per_minute,
		.seconds = 90,
		.facts = {.limit_bytes = 512 * MIB,
			  .limit_used_bytes = 322 * MIB,
			  .limit_is_group = true},
	};
	const struct profile_stack *const *leaks;
	const struct diagnosis_summary *s;
	size_t count;

	watch(&g);
	s = diagnosis_summary(g.diagnosis);
	assert_int_equal(s->kind, DIAGNOSIS_LEAK);
	assert_float_equal(s->leak.value, MIB, 1e-3 * MIB);
	assert_float_equal(s->share_of_resident, 1, 1e-3);
	assert_float_equal(s->seconds_to_limit, 190 * 60, 20);
	assert_int_equal(s->counts[VERDICT_LEAK], 1);
	leaks = diagnosis_leaks(g.diagnosis, &count);
	assert_int_equal(count, 1);
	assert_int_equal(leaks[0]->id, 3);
	assert_int_equal(diagnosis_verdict(g.diagnosis, leaks[0])->kind,
			 VERDICT_LEAK);
	assert_says(&g, "LEAK  1.0 MiB/min, 100 % of RSS growth, in f3() at "
			"server.c:30 (92 % sure); at this rate the 512.0 MiB "
			"limit is reached in 3 h 10 min");
	forget(&g);
}

/* Where frees are missed; that resident memory grows a little is no proof. */
static void an_unobserved_leak_needs_as_much_resident_growth(void **state)
{
	static const struct {
		level_fn resident;
		double unobserved;
		enum diagnosis_kind kind;
		const char *what;
	} cases[] = {
		{two_mib_per_minute, 0.9, DIAGNOSIS_LEAK, "as much"},
		{slowly, 0.9, DIAGNOSIS_GROWTH, "a quarter of it"},
		{level, 0.9, DIAGNOSIS_GROWTH, "none"},
		{slowly, 0, DIAGNOSIS_LEAK, "all observed"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct program g = {
			.stacks = {two_mib_per_minute},
			.resident = cases[i].resident,
			.sampled = 16384,
			.seconds = 90,
			.facts = {.unobserved_share = cases[i].unobserved,
				  .windows = VERDICT_WINDOWS_MIN},
		};
		enum diagnosis_kind seen;

		watch(&g);
		seen = diagnosis_summary(g.diagnosis)->kind;
		if (seen != cases[i].kind)
			fail_msg("resident growth: %s: expected '%s', seen "
				 "'%s'",
				 cases[i].what, diagnosis_name(cases[i].kind),
				 diagnosis_name(seen));
		forget(&g);
	}
}

/* Whether or not resident memory grows: holes in the heap are filled first. */
static void what_windows_have_seen_to_stay_leaks(void **state)
{
	static const struct {
		double surely;
		enum diagnosis_kind kind;
	} cases[] = {
		{0.1, DIAGNOSIS_GROWTH},
		{0.5, DIAGNOSIS_GROWTH},
		{0.6, DIAGNOSIS_LEAK},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct program g = {
			.stacks = {two_mib_per_minute},
			.resident = level,
			.sampled = 16384,
			.surely = cases[i].surely,
			.seconds = 90,
			.facts = {.unobserved_share = 0.9,
				  .windows = VERDICT_WINDOWS_MIN},
		};

		watch(&g);
		if (diagnosis_summary(g.diagnosis)->kind != cases[i].kind)
			fail_msg("%.1f surely live: expected '%s', seen '%s'",
				 cases[i].surely, diagnosis_name(cases[i].kind),
				 diagnosis_name(
					 diagnosis_summary(g.diagnosis)->kind));
		forget(&g);
	}
}

static void a_few_windows_are_no_diagnosis(void **state)
{
	struct program g = {
		.stacks = {two_mib_per_minute},
		.resident = two_mib_per_minute,
		.sampled = 16384,
		.seconds = 90,
		.facts = {.unobserved_share = 0.99, .windows = 2},
	};

	watch(&g);
	assert_says(&g, "NO VERDICT YET  watched for 1 min 30 s in 2 windows "
			"(--max-overhead); it takes 6; RSS grows +2.0 MiB/min "
			"to +2.0 MiB/min");
	forget(&g);
}

/* Large ones, between windows, too. */
static void where_every_block_is_seen_windows_do_not_matter(void **state)
{
	struct program g = {
		.stacks = {two_mib_per_minute},
		.resident = two_mib_per_minute,
		.seconds = 90,
		.facts = {.unobserved_share = 0.99, .windows = 2},
	};

	watch(&g);
	assert_int_equal(diagnosis_summary(g.diagnosis)->kind, DIAGNOSIS_LEAK);
	forget(&g);
}

/* Pages and blocks tell of the same memory: once. */
static void pages_are_asked_for_what_blocks_do_not_explain(void **state)
{
	static const struct {
		level_fn blocks;
		bool by_pages;
		double leak, outstanding; /* MiB per minute */
	} cases[] = {
		{level, true, 2, 0},
		{two_mib_per_minute, false, 2, 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct program g = {
			.stacks = {cases[i].blocks, two_mib_per_minute},
			.resident = two_mib_per_minute,
			.beside = true,
			.seconds = 90,
		};
		const struct diagnosis_summary *s;
		const struct profile_stack *const *leaks;
		size_t count;

		watch(&g);
		s = diagnosis_summary(g.diagnosis);
		leaks = diagnosis_leaks(g.diagnosis, &count);
		assert_int_equal(s->kind, DIAGNOSIS_LEAK);
		assert_int_equal(s->by_pages, cases[i].by_pages);
		assert_int_equal(count, 1);
		assert_int_equal(leaks[0]->source == STACK_SOURCE_BESIDE,
				 cases[i].by_pages);
		assert_true(fabs(s->leak.value / MIB - cases[i].leak) < 0.1);
		assert_true(fabs(s->outstanding.value / MIB -
				 cases[i].outstanding) < 0.1);
		forget(&g);
	}
}

static size_t times_in(const char *what, const char *text)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* Of blocks and pages that tell of the same leak only one is blamed. */
static void reports_list_each_stack_whatever_is_blamed(void **state)
{
	static const level_fn blocks[] = {two_mib_per_minute, slowly, level};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct program g = {
			.stacks = {blocks[i], two_mib_per_minute},
			.resident = two_mib_per_minute,
			.beside = true,
			.seconds = 90,
		};
		static const uint64_t counters[COUNTER_COUNT];
		struct report r = {.names = &names, .counters = counters};
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		watch(&g);
		r.profile = g.profile;
		r.diagnosis = g.diagnosis;
		assert_int_equal(report_text(out, &r), 0);
		fclose(out);
		assert_int_equal(times_in("\n    in f2() at ", text), 1);
		assert_int_equal(times_in("\n    in f3() at ", text), 1);
		free(text);
		forget(&g);
	}
}

static void several_leaks_add_up(void **state)
{
	struct program g = {
		.stacks = {slowly, mib_per_minute, level},
		.resident = level,
		.seconds = 90,
		.facts = {.limit_bytes = 10 * MIB, .limit_used_bytes = 9 * MIB},
	};
	const struct profile_stack *const *leaks;
	size_t count;

	watch(&g);
	leaks = diagnosis_leaks(g.diagnosis, &count);
	assert_int_equal(count, 2);
	assert_int_equal(leaks[0]->id, 3); /* the fastest first */
	assert_int_equal(leaks[1]->id, 2);
	assert_says(&g, "LEAK  1.5 MiB/min, RSS does not grow yet, in f3() at "
			"server.c:30 and 1 more call path (92 % sure); at this "
			"rate all 10.0 MiB of RAM are used up in 41 s");
	forget(&g);
}

static void retention_is_told_from_a_leak(void **state)
{
	struct program g = {
		.stacks = {level},
		.resident = two_mib_per_minute,
		.seconds = 90,
	};
	const struct diagnosis_summary *s;

	watch(&g);
	s = diagnosis_summary(g.diagnosis);
	assert_int_equal(s->kind, DIAGNOSIS_RETENTION);
	assert_float_equal(s->resident.value, 2 * MIB, 1e-3 * MIB);
	assert_says(&g,
		    "NO LEAK SEEN  RSS grows +2.0 MiB/min, outstanding blocks "
		    "do not (0 B/min to 0 B/min): fragmentation, memory that "
		    "the allocator keeps, or memory that is not from malloc");
	forget(&g);
}

static void healthy_programs_hear_what_was_seen(void **state)
{
	struct program g = {
		.stacks = {level, restless},
		.resident = level,
		.seconds = 90,
	};
	const struct diagnosis_summary *s;

	watch(&g);
	s = diagnosis_summary(g.diagnosis);
	assert_int_equal(s->kind, DIAGNOSIS_HEALTHY);
	assert_int_equal(
		s->counts[VERDICT_PLATEAU] + s->counts[VERDICT_STARTUP], 2);
	assert_true(s->outstanding.low < 0 && s->outstanding.high > 0);
	assert_true(s->detectable >= 0);
	forget(&g);
}

static void a_short_look_is_no_diagnosis(void **state)
{
	struct program g = {.stacks = {mib_per_minute}, .seconds = 12};

	watch(&g);
	assert_says(&g, "NO VERDICT YET  watched for 12 s; it takes at least "
			"30 s");
	forget(&g);
}

static void an_idle_program_has_a_diagnosis(void **state)
{
	struct program g = {.seconds = 60};

	watch(&g);
	assert_int_equal(diagnosis_summary(g.diagnosis)->kind,
			 DIAGNOSIS_HEALTHY);
	assert_says(&g, "NO LEAK SEEN  in 1 min: outstanding memory grows 0 "
			"B/min to 0 B/min");
	forget(&g);
}

/* ---- Reasons
 * -------------------------------------------------------------------- */

static void assert_reasons(const struct verdict *v, const char *expected)
{
	struct text t = {0};

	verdict_reasons(&t, v);
	if (strcmp(t.data, expected))
		fail_msg("expected '%s'\nseen     '%s'", expected, t.data);
	text_free(&t);
}

static void reasons_are_told(void **state)
{
	struct verdict v = {
		.kind = VERDICT_LEAK,
		.confidence = 0.92,
		.growth = {1.2 * MIB, 1.1 * MIB, 1.3 * MIB},
		.window_seconds = 120,
		.parts = 11,
		.parts_grown = 10,
		.survival = 0.5,
		.survival_seconds = 30,
		.surely_live = -1,
		.freed_lifetime_seconds = 4,
		.low = 1024,
		.high = 2048,
		.drops = 7,
		.late_share = 0.01,
	};

	assert_reasons(&v, "leak, 92 % sure: +1.2 MiB/min (±9 %) over the last "
			   "2 min; rose in 10 of 11 parts of it; of what was "
			   "allocated more than 30 s ago 50 % lives");
	v.surely_live = 0.79;
	assert_reasons(&v, "leak, 92 % sure: +1.2 MiB/min (±9 %) over the last "
			   "2 min; rose in 10 of 11 parts of it; windows saw "
			   "that at least 79 % of it lives; of what was "
			   "allocated more than 30 s ago 50 % lives");
	v.kind = VERDICT_PLATEAU;
	assert_reasons(&v, "plateau: between 1.0 KiB and 2.0 KiB, growth at "
			   "most +1.3 MiB/min over the last 2 min; what is "
			   "freed lived for 4.0 s");
	v.kind = VERDICT_STARTUP;
	assert_reasons(&v, "start-up: 99 % of it was allocated in the first "
			   "half; of what was allocated more than 30 s ago 50 "
			   "% lives");
	v.kind = VERDICT_SAWTOOTH;
	assert_reasons(&v, "sawtooth: fell 7 times, between 1.0 KiB and 2.0 "
			   "KiB; what is freed lived for 4.0 s");
	v.kind = VERDICT_UNKNOWN;
	v.doubt = DOUBT_SAMPLES;
	v.settle_seconds = 360;
	v.settle_sample_bytes = 4096;
	assert_reasons(&v, "unclear: too few samples; to settle it watch for 6 "
			   "min or use --sample-bytes 4096");
}

/* Each doubt has words of its own. */
static void doubts_are_told_apart(void **state)
{
	char seen[DOUBT_UNSEEN + 1][256];

	for (int d = DOUBT_TIME; d <= DOUBT_UNSEEN; d++) {
		struct verdict v = {.doubt = (enum verdict_doubt)d,
				    .survival = -1,
				    .freed_lifetime_seconds = -1};
		struct text t = {0};

		verdict_reasons(&t, &v);
		assert_true(t.size > 12 && t.size < sizeof(seen[0]));
		strcpy(seen[d], t.data);
		for (int other = DOUBT_TIME; other < d; other++)
			assert_string_not_equal(seen[d], seen[other]);
		text_free(&t);
	}
}

/* Of a heap that is collected it is not known what is garbage. */
static void a_leak_is_judged_by_the_kind_of_its_memory(void **state)
{
	static const struct {
		enum stack_source source;
		enum diagnosis_kind kind;
	} cases[] = {
		{STACK_SOURCE_NATIVE, DIAGNOSIS_LEAK},
		{STACK_SOURCE_GROWTH, DIAGNOSIS_LEAK},
		{STACK_SOURCE_V8_HEAP, DIAGNOSIS_GROWTH},
		{STACK_SOURCE_GO_HEAP, DIAGNOSIS_GROWTH},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct program g = {
			.stacks = {mib_per_minute},
			.source = cases[i].source,
			.seconds = 120,
		};

		watch(&g);
		if (diagnosis_summary(g.diagnosis)->kind != cases[i].kind)
			fail_msg("source %d: expected %s, seen %s",
				 (int)cases[i].source,
				 diagnosis_name(cases[i].kind),
				 diagnosis_name(
					 diagnosis_summary(g.diagnosis)->kind));
		forget(&g);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leak_has_rate_share_place_and_end),
		cmocka_unit_test(
			an_unobserved_leak_needs_as_much_resident_growth),
		cmocka_unit_test(what_windows_have_seen_to_stay_leaks),
		cmocka_unit_test(a_few_windows_are_no_diagnosis),
		cmocka_unit_test(
			pages_are_asked_for_what_blocks_do_not_explain),
		cmocka_unit_test(
			where_every_block_is_seen_windows_do_not_matter),
		cmocka_unit_test(reports_list_each_stack_whatever_is_blamed),
		cmocka_unit_test(several_leaks_add_up),
		cmocka_unit_test(retention_is_told_from_a_leak),
		cmocka_unit_test(healthy_programs_hear_what_was_seen),
		cmocka_unit_test(a_short_look_is_no_diagnosis),
		cmocka_unit_test(an_idle_program_has_a_diagnosis),
		cmocka_unit_test(reasons_are_told),
		cmocka_unit_test(doubts_are_told_apart),
		cmocka_unit_test(a_leak_is_judged_by_the_kind_of_its_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
