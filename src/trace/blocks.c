// SPDX-License-Identifier: GPL-2.0-only
/* Passes over the table of outstanding blocks (bpf/upkeep.h). */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "leakbpf/sampling.h"
#include "trace/tracer_internal.h"

int tracer_upkeep(struct tracer *t, struct upkeep_pass *pass)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = pass,
		    .ctx_size_in = sizeof(*pass));

	if (bpf_prog_test_run_opts(bpf_program__fd(t->skel->progs.upkeep),
				   &opts))
		return -errno;
	return 0;
}

struct outstanding {
	uint64_t bytes, objects;
};

/* As estimated from the samples. */
static struct outstanding outstanding(const struct tracer *t)
{
	int64_t bytes = 0, objects_q8 = 0;

	for (uint32_t id = STACK_ID_OVERFLOW; id < t->plan.stacks; id++) {
		const struct stack_stats *s = &t->stack_stats[id];

		for (int i = 0; i < COHORTS; i++) {
			bytes += s->cohort_bytes[i];
			objects_q8 += s->cohort_objects_q8[i];
		}
	}
	return (struct outstanding){
		.bytes = bytes > 0 ? (uint64_t)bytes : 0,
		.objects = objects_q8 > 0 ? (uint64_t)objects_q8 >> 8 : 0,
	};
}

/* Mean size of the outstanding blocks, to begin with a useful interval. */
static uint64_t mean_size(const struct tracer *t)
{
	struct outstanding o = outstanding(t);

	return o.objects ? o.bytes / o.objects : 0;
}

/* Samples that stand for what is outstanding, if it is all sampled like this
 * one day: at most one per interval, and one per block. */
static uint64_t samples_at(const struct tracer *t, uint64_t interval)
{
	struct outstanding o = outstanding(t);
	uint64_t n = interval ? o.bytes / interval : o.objects;

	return n < o.objects ? n : o.objects;
}

static bool may_be_finer(const struct tracer *t, uint64_t interval)
{
	return interval >= t->options.sample_bytes / TRACER_FINER_MAX &&
	       samples_at(t, interval) <= t->plan.outstanding_max / 2;
}

uint64_t tracer_set_sampling(struct tracer *t, uint64_t interval)
{
	uint64_t now = t->skel->bss->sampling.interval_bytes;

	if (interval > SAMPLING_INTERVAL_MAX)
		interval = SAMPLING_INTERVAL_MAX;
	if (interval == now || (interval < now && !may_be_finer(t, interval)))
		return now;
	t->skel->bss->sampling.interval_bytes = interval;
	return interval;
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

int tracer_coarsen(struct tracer *t)
{
	struct upkeep_pass pass = {
		.interval = coarser(t, t->skel->bss->sampling.interval_bytes),
	};
	int err;

	if (pass.interval > SAMPLING_INTERVAL_MAX)
		return -ERANGE;
	/* New samples first: they must not fill what is cleared. */
	t->skel->bss->sampling.interval_bytes = pass.interval;
	t->coarsened++;
	err = tracer_upkeep(t, &pass);
	if (err)
		diag_warn("cannot thin the table of outstanding blocks: %s",
			  strerror(-err));
	return err;
}

void tracer_relieve_pressure(struct tracer *t)
{
	int64_t target = (int64_t)t->plan.outstanding_max / 2;

	t->pressure = false;
	pages_check(t);
	while (t->skel->bss->outstanding_count > target)
		if (tracer_coarsen(t))
			break;
	diag_info("table of outstanding blocks nearly full: now sampling one "
		  "in %llu bytes (raise --max-memory for a finer picture)",
		  (unsigned long long)t->skel->bss->sampling.interval_bytes);
	__atomic_store_n(&t->skel->bss->pressure_raised, 0, __ATOMIC_RELEASE);
}

static void purge_some(struct tracer *t, const pid_t *tgids, size_t count)
{
	int fd = bpf_map__fd(t->skel->maps.purged), err;
	struct upkeep_pass pass = {.purge = 1};
	uint32_t one = 1;

	for (size_t i = 0; i < count; i++)
		bpf_map_update_elem(fd, &tgids[i], &one, BPF_ANY);
	err = tracer_upkeep(t, &pass);
	if (err)
		diag_warn("cannot purge the blocks of process %d%s: %s",
			  (int)tgids[0], count > 1 ? " and others" : "",
			  strerror(-err));
	for (size_t i = 0; i < count; i++)
		bpf_map_delete_elem(fd, &tgids[i]);
}

void tracer_purge(struct tracer *t, const pid_t *tgids, size_t count)
{
	size_t most = bpf_map__max_entries(t->skel->maps.purged);

	for (size_t i = 0; i < count; i += most)
		purge_some(t, tgids + i, count - i < most ? count - i : most);
}
