/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/html.h"

#include <stdint.h>

#include "report/formats.h"

#define PARTS(X)                                                               \
	X(css) X(body) X(model) X(graph) X(chart) X(table) X(v8) X(main)

/* page.S */
#define X(name)                                                                \
	extern const char page_##name[];                                       \
	extern const uint64_t page_##name##_size;
PARTS(X)
#undef X

#define PUT(out, name) fwrite(page_##name, 1, page_##name##_size, out)

/* The page may load nothing, whatever stands in it. */
static const char head[] =
	"<!DOCTYPE html>\n"
	"<html lang=\"en\">\n"
	"<head>\n"
	"<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
	"'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
	"base-uri 'none'; form-action 'none'\">\n"
	"<title>leakbpf</title>\n"
	"<style>\n";

int html_write(FILE *out, int (*put_data)(FILE *out, void *context),
	       void *context)
{
	int err;

	fputs(head, out);
	PUT(out, css);
	fputs("</style>\n</head>\n<body>\n", out);
	PUT(out, body);
	fputs("<script type=\"application/json\" id=\"data\">\n", out);
	err = put_data(out, context);
	fputs("</script>\n<script>\n\"use strict\";\n", out);
	PUT(out, model);
	PUT(out, graph);
	PUT(out, chart);
	PUT(out, table);
	PUT(out, v8);
	PUT(out, main);
	fputs("</script>\n</body>\n</html>\n", out);
	return err;
}

static int put_report(FILE *out, void *context)
{
	return report_json(out, context);
}

int report_html(FILE *out, const struct report *r)
{
	return html_write(out, put_report, (void *)r);
}
