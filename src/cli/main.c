/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"
#include "cli/help.h"
#include "cli/options.h"
#include "cli/report_run.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "service/journal.h"

/* Were descriptor 1 closed, the next file opened would take its place and
 * receive the reports. Opened the wrong way round, so that writing still
 * fails. */
static void reserve_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)!open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

static enum exit_code profile(const struct options *o)
{
	int err = signals_install();

	if (err) {
		diag_error("cannot set signal handlers: %s", strerror(-err));
		return EXIT_CODE_INTERNAL;
	}
	diag_set_level(o->log_level);
	diag_show_priorities(journal_is_stderr());
	switch (o->action) {
	case ACTION_REPORT:
		return report_run(o);
	case ACTION_DIFF:
		return diff_run(o);
	default:
		return session_run(o);
	}
}

/* What was printed to standard output must have arrived. */
static enum exit_code finish_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return EXIT_CODE_OK;
	diag_error("cannot write to standard output: %s", strerror(errno));
	return EXIT_CODE_OUTPUT;
}

int main(int argc, char **argv)
{
	struct options options;
	enum exit_code code;
	char error[512];

	reserve_standard_descriptors();
	code = options_parse(&options, argc, argv, error, sizeof(error));
	if (code != EXIT_CODE_OK) {
		diag_error("%s", error);
	} else if (options.action == ACTION_HELP) {
		help_print(stdout);
		code = finish_output();
	} else if (options.action == ACTION_VERSION) {
		printf("leakbpf %s\n", LEAKBPF_VERSION);
		code = finish_output();
	} else {
		code = profile(&options);
	}
	options_free(&options);
	return code;
}
