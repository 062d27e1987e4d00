// SPDX-License-Identifier: GPL-2.0-only
/* Passes over the table of outstanding blocks (bpf/upkeep.h). */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "leakbpf/sampling.h"
#include "trace/tracer_internal.h"

static int run_pass(struct tracer *t, struct upkeep_pass *pass)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = pass,
		    .ctx_size_in = sizeof(*pass));

	if (bpf_prog_test_run_opts(bpf_program__fd(t->skel->progs.upkeep),
				   &opts))
		return -errno;
	return 0;
}

/* Mean size of the outstanding blocks, to begin with a useful interval. */
static uint64_t mean_size(const struct tracer *t)
{
	uint64_t bytes = 0, objects_q8 = 0;

	for (uint32_t id = STACK_ID_OVERFLOW; id < t->plan.stacks; id++) {
		const struct stack_stats *s = &t->stack_stats[id];

		for (int i = 0; i < COHORTS; i++) {
			bytes += s->cohort_bytes[i];
			objects_q8 += s->cohort_objects_q8[i];
		}
	}
	return objects_q8 >> 8 ? bytes / (objects_q8 >> 8) : 0;
}

static uint64_t coarser(const struct tracer *t, uint64_t interval)
{
	uint64_t first = SAMPLING_INTERVAL_MIN;

	if (interval)
		return interval * 2;
	while (first < mean_size(t) && first < SAMPLING_INTERVAL_MAX / 2)
		first *= 2;
	return first;
}

void tracer_relieve_pressure(struct tracer *t)
{
	int64_t target = (int64_t)t->plan.outstanding_max / 2;
	struct upkeep_pass pass = {0};
	uint64_t interval;
	int err;

	t->pressure = false;
	while (t->skel->bss->outstanding_count > target) {
		interval = coarser(t, t->skel->bss->sampling.interval_bytes);
		if (interval > SAMPLING_INTERVAL_MAX)
			break;
		/* New samples first: they must not fill what is cleared. */
		t->skel->bss->sampling.interval_bytes = interval;
		t->coarsened++;
		pass.interval = interval;
		err = run_pass(t, &pass);
		if (err) {
			diag_warn("cannot thin the table of outstanding "
				  "blocks: %s",
				  strerror(-err));
			break;
		}
	}
	diag_info("table of outstanding blocks nearly full: now sampling one "
		  "in %llu bytes (raise --max-memory for a finer picture)",
		  (unsigned long long)t->skel->bss->sampling.interval_bytes);
	__atomic_store_n(&t->skel->bss->pressure_raised, 0, __ATOMIC_RELEASE);
}

void tracer_purge(struct tracer *t, pid_t tgid)
{
	struct upkeep_pass pass = {.purge_tgid = tgid};
	int err = run_pass(t, &pass);

	if (err)
		diag_warn("cannot purge the blocks of process %d: %s",
			  (int)tgid, strerror(-err));
}
