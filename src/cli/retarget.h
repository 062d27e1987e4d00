/* SPDX-License-Identifier: GPL-2.0-only */
/* Other targets for a session that runs: processes and a selection as options
 * say that were read again. */
#ifndef CLI_RETARGET_H
#define CLI_RETARGET_H

#include "cli/options.h"
#include "cli/reporting.h"

struct retarget {
	struct process *opened; /* that are no targets yet */
	size_t count;
	struct selection *selection; /* NULL: none */
};

/* Everything that can fail: opens new processes, looks the selection's names
 * up. 0 or -errno, reported; then nothing has changed. */
int retarget_prepare(struct retarget *t, const struct options *fresh,
		     const struct reporting *r);
/* Attaches new processes (what fails is reported, and left out), lets go those
 * that are not meant any more. The report must be made anew before it is shown.
 * `fresh` must stay valid as long as the targets are these. */
void retarget_apply(struct retarget *t, const struct options *fresh,
		    struct reporting *r);
/* Instead of retarget_apply. */
void retarget_cancel(struct retarget *t);

#endif
