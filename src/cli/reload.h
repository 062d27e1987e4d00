/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the configuration file again while a service runs. */
#ifndef CLI_RELOAD_H
#define CLI_RELOAD_H

#include "cli/options.h"
#include "cli/output.h"

struct reload {
	const struct options *started; /* with; stays valid */
	struct options current;	       /* once it has been reloaded */
	bool loaded;
};

/*
 * Parses the command line and the file again. What can change changes: the
 * result, `output` and the log level; for what cannot, a warning says so. When
 * anything is wrong, an error says what, and everything stays. The options that
 * hold now; those returned before are no longer valid.
 */
const struct options *reload_options(struct reload *r, struct output *output);
void reload_close(struct reload *r);

#endif
