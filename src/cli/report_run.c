/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/report_run.h"

#include <errno.h>

#include "base/diag.h"
#include "cli/loaded.h"
#include "cli/output.h"
#include "cli/reporting.h"

/* Someone who asks for files does not want the text, too. */
static bool wants_text(const struct options *o)
{
	for (int i = 0; i < REPORT_FORMATS; i++)
		if (o->files[i])
			return false;
	return true;
}

enum exit_code report_run(const struct options *options)
{
	static struct loaded loaded; /* large; used once */
	struct output output;
	enum exit_code code = EXIT_CODE_OUTPUT;
	int err = 0;

	if (!output_open(&output, options->files, options->quiet))
		code = loaded_read(&loaded, options->captures[0], options);
	if (code == EXIT_CODE_OK && wants_text(options))
		err = reporting_text(&output, &loaded.report);
	if (code == EXIT_CODE_OK && !err)
		err = reporting_files(&output, &loaded.report);
	if (err && err != -EPIPE)
		code = err == -ENOMEM ? EXIT_CODE_INTERNAL : EXIT_CODE_OUTPUT;
	output_close(&output);
	loaded_free(&loaded);
	return code;
}
