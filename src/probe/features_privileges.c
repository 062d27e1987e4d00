// SPDX-License-Identifier: GPL-2.0-only
#include "probe/features.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* Not in older linux/capability.h; include/uapi/linux/capability.h. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

static uint64_t effective_capabilities(void)
{
	FILE *f CLEANUP_FCLOSE = fopen("/proc/self/status", "re");
	char line[256];
	uint64_t set = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %" SCNx64, &set) == 1)
			break;
	return set;
}

/* Capabilities held in a child user namespace do not count for BPF. */
static bool in_initial_user_namespace(void)
{
	FILE *f CLEANUP_FCLOSE = fopen("/proc/self/uid_map", "re");
	uint32_t inside, outside, count;

	return f &&
	       fscanf(f, "%" SCNu32 " %" SCNu32 " %" SCNu32, &inside, &outside,
		      &count) == 3 &&
	       inside == 0 && outside == 0 && count == UINT32_MAX;
}

int features_missing_capabilities(char *text, unsigned long text_size)
{
	static const struct {
		unsigned number;
		const char *name;
		bool in_sys_admin; /* CAP_SYS_ADMIN includes it */
	} needed[] = {
		{CAP_BPF, "CAP_BPF", true},
		{CAP_PERFMON, "CAP_PERFMON", true},
		{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false},
	};
	uint64_t have = effective_capabilities();
	bool admin = have >> CAP_SYS_ADMIN & 1;
	unsigned long used = 0;
	int missing = 0;

	if (text_size)
		text[0] = '\0';
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (have >> needed[i].number & 1 ||
		    (admin && needed[i].in_sys_admin))
			continue;
		if (used < text_size)
			used += (unsigned long)snprintf(
				text + used, text_size - used, "%s%s",
				missing ? ", " : "", needed[i].name);
		missing++;
	}
	if (!missing && !in_initial_user_namespace()) {
		snprintf(text, text_size,
			 "privileges in the initial user namespace");
		missing++;
	}
	return missing;
}
