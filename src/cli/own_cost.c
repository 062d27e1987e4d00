/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/own_cost.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* proc(5): size and resident set, in pages. */
static uint64_t resident_bytes(void)
{
	FILE *f CLEANUP_FCLOSE = fopen("/proc/self/statm", "re");
	uint64_t size, resident;

	if (!f || fscanf(f, "%" SCNu64 " %" SCNu64, &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

struct report_self own_cost(void)
{
	struct timespec cpu = {0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	return (struct report_self){
		.resident_bytes = resident_bytes(),
		.cpu_seconds = (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9,
	};
}
