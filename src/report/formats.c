/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/formats.h"

#include <errno.h>

static const struct {
	const char *name;
	int (*write)(FILE *out, const struct report *r);
} formats[] = {
	[REPORT_FOLDED] = {"folded", report_folded},
	[REPORT_PPROF] = {"pprof", report_pprof},
	[REPORT_JSON] = {"json", report_json},
	[REPORT_SVG] = {"svg", report_svg},
	[REPORT_HTML] = {"html", report_html},
	[REPORT_METRICS] = {"metrics", report_metrics},
};

const char *report_format_name(enum report_format format)
{
	return formats[format].name;
}

int report_write(enum report_format format, FILE *out, const struct report *r)
{
	int err = formats[format].write(out, r);

	if (!err && (fflush(out) || ferror(out)))
		err = errno ? -errno : -EIO;
	return err;
}
