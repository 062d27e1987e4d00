/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/report_run.h"

#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "cli/loaded.h"
#include "cli/output.h"
#include "cli/reporting.h"
#include "report/diff.h"

/* Someone who asks for files does not want the text, too. */
static bool wants_text(const struct options *o)
{
	for (int i = 0; i < REPORT_FORMATS; i++)
		if (o->files[i])
			return false;
	return true;
}

static enum exit_code code_of(int err)
{
	if (!err || err == -EPIPE) /* the reader has seen enough */
		return EXIT_CODE_OK;
	return err == -ENOMEM ? EXIT_CODE_INTERNAL : EXIT_CODE_OUTPUT;
}

enum exit_code report_run(const struct options *options)
{
	static struct loaded loaded; /* large; used once */
	struct output output;
	enum exit_code code = EXIT_CODE_OUTPUT;

	if (!output_open(&output, options->files, options->quiet))
		code = loaded_read(&loaded, options->captures[0], options);
	if (code == EXIT_CODE_OK && wants_text(options))
		code = code_of(reporting_text(&output, &loaded.report));
	if (code == EXIT_CODE_OK)
		code = code_of(reporting_files(&output, &loaded.report));
	output_close(&output);
	loaded_free(&loaded);
	return code;
}

/* ---- diff ------------------------------------------------------------------
 */

struct writing {
	enum report_format format;
	const struct diff *diff;
};

static int write_format(FILE *out, void *context)
{
	const struct writing *w = context;

	return diff_write(w->format, out, w->diff);
}

static int write_diff(struct output *output, const struct diff *d,
		      const struct options *options)
{
	int err = wants_text(options) ? diff_text(output->text, d) : 0;

	if (err && err != -EPIPE)
		diag_error("cannot write to standard output: %s",
			   strerror(-err));
	for (int i = 0; i < REPORT_FORMATS && !err; i++) {
		struct writing w = {(enum report_format)i, d};

		if (output_due(output, w.format, true))
			err = output_write(output, w.format, write_format, &w);
	}
	return err;
}

static enum exit_code compare(struct loaded sides[2], struct output *output,
			      const struct options *options)
{
	struct diff d;
	int err;

	/* Another run of a program has other process ids. */
	sides[0].report.pids_alike = sides[1].report.pids_alike = true;
	err = diff_make(&d, &sides[0].report, &sides[1].report);
	if (err)
		diag_error("out of memory");
	else
		err = write_diff(output, &d, options);
	diff_free(&d);
	return code_of(err);
}

enum exit_code diff_run(const struct options *options)
{
	static struct loaded sides[2]; /* large; used once */
	struct output output;
	enum exit_code code = EXIT_CODE_OUTPUT;

	if (!output_open(&output, options->files, options->quiet))
		code = EXIT_CODE_OK;
	for (int i = 0; i < 2 && code == EXIT_CODE_OK; i++)
		code = loaded_read(&sides[i], options->captures[i], options);
	if (code == EXIT_CODE_OK)
		code = compare(sides, &output, options);
	output_close(&output);
	loaded_free(&sides[0]);
	loaded_free(&sides[1]);
	return code;
}
