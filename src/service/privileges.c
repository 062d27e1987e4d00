/* SPDX-License-Identifier: GPL-2.0-only */
#include "service/privileges.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/diag.h"

static const struct {
	unsigned number;
	const char *name;
	bool in_sys_admin;   /* CAP_SYS_ADMIN includes it */
	const char *without; /* NULL: nothing would have started without */
} needed[] = {
	{CAP_BPF, "CAP_BPF", true, NULL},
	{CAP_PERFMON, "CAP_PERFMON", true, NULL},
	{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false, NULL},
	{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", false,
	 "programs in folders that only their owner may enter may be missed"},
	{CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", true,
	 "programs whose files were deleted or replaced may be missed"},
};

#define NEEDED_COUNT (sizeof(needed) / sizeof(needed[0]))

struct kept {
	char names[256];
	size_t used;
	bool admin; /* needed, or in place of what it includes */
};

static void add_name(struct kept *k, const char *name)
{
	if (k->used < sizeof(k->names))
		k->used += (size_t)snprintf(k->names + k->used,
					    sizeof(k->names) - k->used, "%s%s",
					    k->used ? ", " : "", name);
}

static int keep(unsigned capability)
{
	return capng_update(CAPNG_ADD,
			    (capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
			    capability)
		       ? -EINVAL
		       : 0;
}

static int choose(struct kept *k, bool perf_events)
{
	bool has_admin, has[NEEDED_COUNT];
	int err = 0;

	has_admin = capng_have_capability(CAPNG_PERMITTED, CAP_SYS_ADMIN) == 1;
	k->admin = has_admin && perf_events;
	for (size_t i = 0; i < NEEDED_COUNT; i++)
		has[i] = capng_have_capability(CAPNG_PERMITTED,
					       needed[i].number) == 1;
	capng_clear(CAPNG_SELECT_ALL);
	for (size_t i = 0; i < NEEDED_COUNT && !err; i++) {
		if (has[i]) {
			err = keep(needed[i].number);
			add_name(k, needed[i].name);
		} else if (has_admin && needed[i].in_sys_admin) {
			k->admin = true;
		} else if (needed[i].without) {
			diag_warn("%s is missing: %s", needed[i].name,
				  needed[i].without);
		}
	}
	if (k->admin && !err) {
		err = keep(CAP_SYS_ADMIN);
		add_name(k, "CAP_SYS_ADMIN");
	}
	return err;
}

static int apply(void)
{
	/* The bounding set first: it takes CAP_SETPCAP, which goes. Where that
	 * is missing, no_new_privs has the same effect. */
	capng_apply(CAPNG_SELECT_BOUNDS);
	errno = EPERM;
	if (capng_apply(CAPNG_SELECT_CAPS) || capng_apply(CAPNG_SELECT_AMBIENT))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

int privileges_keep_few(bool perf_events)
{
	struct kept k = {.used = 0};
	int err = capng_get_caps_process() ? -EPERM : choose(&k, perf_events);

	if (!err)
		err = apply();
	if (err)
		diag_error("cannot give up privileges: %s", strerror(-err));
	else
		diag_debug("privileges kept: %s; no new ones", k.names);
	return err;
}
