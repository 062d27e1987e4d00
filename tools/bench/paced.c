/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * So many malloc+free pairs a second as it is told (0: as many as there is time
 * for), each beside a microsecond or so of other work, in batches of one
 * millisecond. An operation is one pair.
 */
#include "pairs.h"

#define TICK_NS	   1000000ULL
#define ROUNDS	   300 /* of other work per pair */
#define FLAT_PAIRS 64

/* Until the next millisecond; who is late does not catch up. */
static void wait_for_tick(void)
{
	static uint64_t next;
	uint64_t now = bench_ns(CLOCK_MONOTONIC);
	struct timespec until;

	next += TICK_NS;
	if (next < now)
		next = now;
	until.tv_sec = (time_t)(next / 1000000000);
	until.tv_nsec = (long)(next % 1000000000);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static uint64_t batch(uint64_t per_second)
{
	uint64_t pairs = per_second ? per_second / 1000 : FLAT_PAIRS;

	for (uint64_t i = 0; i < pairs; i++) {
		other_work(ROUNDS);
		pair(32 + (i & 7) * 16);
	}
	if (per_second)
		wait_for_tick();
	return pairs;
}

int main(void)
{
	return bench_main(batch, 0);
}
