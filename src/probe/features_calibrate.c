// SPDX-License-Identifier: GPL-2.0-only
/*
 * The minimum over batches: whatever else the machine does makes a batch
 * slower, never faster, so the fastest one is the probe's own cost.
 */
#include "probe/features_calibrate.h"

#include <time.h>
#include <unistd.h>

#define BATCHES	      16
#define FAST_CALLS    128
#define STEPPED_CALLS 48 /* some 15 us each on a virtual machine */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint32_t cost_of(own_function f, unsigned calls)
{
	uint64_t best = UINT64_MAX;

	for (unsigned batch = 0; batch < BATCHES; batch++) {
		uint64_t start = now_ns(), took;

		for (unsigned i = 0; i < calls; i++)
			f();
		took = (now_ns() - start) / calls;
		if (took < best)
			best = took;
	}
	return best > UINT32_MAX ? UINT32_MAX : (uint32_t)best;
}

/* Cost of a call with an entry probe only. */
static int entry_cost(struct lab *lab, enum link_kind kind,
		      const struct lab_program *program,
		      enum own_function_kind function, uint32_t *ns)
{
	own_function f = lab_function(lab, function);
	int error = lab_attach(lab, program, kind, getpid(), false, 0, f);

	if (error)
		return error;
	*ns = cost_of(f, function == OWN_STEPPED ? STEPPED_CALLS : FAST_CALLS);
	return 0;
}

/* Cost of a call with entry and return probe. */
static int both_cost(struct lab *lab, enum link_kind kind,
		     const struct lab_program *program, uint32_t *ns)
{
	own_function f = lab_function(lab, OWN_EMULATED);
	int error = lab_attach(lab, program, kind, getpid(), false, 0, f);

	/* One session link is both. */
	if (!error && kind != LINK_SESSION)
		error = lab_attach(lab, program, kind, getpid(), true, 0, f);
	if (error)
		return error;
	*ns = cost_of(f, FAST_CALLS);
	return 0;
}

int features_calibrate(struct lab *lab, enum link_kind kind,
		       struct probe_costs *costs)
{
	struct lab_program *entry, *both;
	uint32_t both_ns = 0;
	int error;

	error = lab_load(lab, "do_nothing", kind, &both);
	if (error)
		return error;
	entry = both;
	if (kind == LINK_SESSION)
		error = lab_load(lab, "decline_return", kind, &entry);
	if (!error)
		error = entry_cost(lab, kind, entry, OWN_EMULATED,
				   &costs->entry_emulated_ns);
	if (!error)
		error = entry_cost(lab, kind, entry, OWN_STEPPED,
				   &costs->entry_stepped_ns);
	if (!error)
		error = both_cost(lab, kind, both, &both_ns);
	if (error)
		return error;
	costs->return_ns = both_ns > costs->entry_emulated_ns
				   ? both_ns - costs->entry_emulated_ns
				   : 0;
	return 0;
}
