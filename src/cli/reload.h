/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the configuration file again while a service runs. */
#ifndef CLI_RELOAD_H
#define CLI_RELOAD_H

#include "cli/options.h"
#include "cli/reporting.h"

struct reload {
	const struct options *started; /* with; stays valid */
	struct options *current;       /* NULL: those, so far */
};

/*
 * Parses the command line and the file again. What can change changes: the
 * targets, outputs and options of `reporting`, and the log level; for what
 * cannot, a warning says so. When anything is wrong, an error says what, and
 * everything stays. The report must be made anew before it is shown.
 */
void reload_options(struct reload *r, struct reporting *reporting);
/* When `reporting` is not used any more. */
void reload_close(struct reload *r);

#endif
